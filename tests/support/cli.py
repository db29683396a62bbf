"""The command as a user runs it: a process of its own, in a folder of its own, judged by what it prints."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.journal.reader import read
from harness.model.events import AnyEvent, RunStarted
from harness.processes.marks import marked
from tests.support.leftovers import describe

ROOT = Path(__file__).resolve().parents[2]
# A copy for this test session: a run locks its target, and two sessions may share a checkout.
_TARGETS = tempfile.TemporaryDirectory(prefix="harness-tests-")
VAULT = Path(shutil.copytree(ROOT / "tests" / "targets", Path(_TARGETS.name) / "t")) / "vault.yaml"
BANK = ROOT / "experiments" / "bank-overdraft.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a finished command left: exit code, both outputs, the folders of its runs."""

    code: int
    out: str
    err: str
    folders: tuple[Path, ...]

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def result(self) -> Any:
        """The only run's ``result.json``."""
        (folder,) = self.folders
        return json.loads((folder / "result.json").read_bytes())

    @property
    def events(self) -> list[AnyEvent]:
        (folder,) = self.folders
        return read(folder / "journal.jsonl").events

    def __str__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Running:
    """A command that is still running. ``finish`` waits for it; ``send`` signals it."""

    def __init__(
        self,
        *arguments: object,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        largest_file: int | None = None,
    ) -> None:
        """``largest_file`` bounds, in bytes, what it can write to one file: a disk that fills up."""
        self._runs = cwd / "runs"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=None if largest_file is None else partial(_limit_files, largest_file),  # noqa: PLW1509 - the child sets one limit and nothing else
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def folder(self) -> Path | None:
        """The first run's folder, once there is one."""
        return next(iter(self._folders()), None)

    def events(self, kind: type[AnyEvent]) -> list[Any]:
        """The events of one kind that are on disk by now; an error once there can be none any more."""
        ended = self._process.poll() is not None
        found = [event for event in self._so_far() if isinstance(event, kind)]
        if ended and not found:
            raise AssertionError(f"ended without {kind.__name__}: {self.finish()}")
        return found

    def _so_far(self) -> list[AnyEvent]:
        journal = None if self.folder is None else self.folder / "journal.jsonl"
        if journal is None or not journal.exists() or not journal.stat().st_size:
            return []
        return read(journal).events

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def finish(self, *, within: float = 120) -> Ran:
        try:
            out, err = self._process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, err = self._process.communicate()
            raise AssertionError(
                f"the command did not end within {within} s\n{out}\n{err}"
            ) from None
        return Ran(code=self._process.returncode, out=out, err=err, folders=tuple(self._folders()))

    def _folders(self) -> list[Path]:
        return sorted(self._runs.iterdir()) if self._runs.is_dir() else []


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def harness(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, within: float = 120
) -> Ran:
    """Runs the command to its end."""
    return Running(*arguments, cwd=cwd, env=env).finish(within=within)


def left_behind(folders: "tuple[Path, ...] | list[Path]") -> list[str]:
    """All processes of the machine that carry the mark of one of these runs, in words."""
    return [describe(process) for folder in folders for process in marked(_mark(folder))]


def _mark(folder: Path) -> str:
    """The run's own word for it; a run that never began has started nothing that carries one."""
    journal = folder / "journal.jsonl"
    events = read(journal).events if journal.exists() and journal.stat().st_size else []
    return next((event.mark for event in events if isinstance(event, RunStarted)), folder.name)
