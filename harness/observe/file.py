"""The probe ``file``: what a file holds of records of one form, and what of torn ones.

How records are found is ``records.py``'s, which runs as a process of its own.
"""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.connections.blocking import in_thread
from harness.connections.pool import Connections
from harness.connections.secrets import Sources
from harness.expressions.plain import Plain, plain
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.observe import records
from harness.observe.read import PROBE_LIMIT, Probe
from harness.observe.records import Records

MOST_BYTES = 64 * 1024 * 1024
_EMPTY = Records(whole=0, torn=0, lines=0, ids=[])
_OF_IDS = ("ids", "doubled", "missing")
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_PADDED_NUMBER = re.compile(r"0*([1-9][0-9]{0,17})")


class File:
    r"""``{file: "{folder}/report.log", record: '(?P<id>\d+) begin\n(?P=id) end', count: torn}``"""

    kind = "file"
    summary = "how many records of a file are whole, torn, missing or doubled"
    speaks: ClassVar[str] = ""

    @params
    class Params:
        file: str
        """An absolute path, mostly below ``{folder}``."""
        record: str
        """A regular expression for one whole record, of one line or of several; no template."""
        count: Literal["whole", "torn", "missing", "doubled", "lines", "ids"]
        of: int | None = None
        """With ``missing``: the ids that should be there are 1 to ``of``."""

        def __post_init__(self) -> None:
            try:
                record = re.compile(self.record, re.MULTILINE)
            except (re.error, RecursionError, OverflowError) as problem:
                raise ValueError(
                    f"record: {self.record!r} is no regular expression: {problem}"
                ) from None
            if self.count in _OF_IDS and "id" not in record.groupindex:
                raise ValueError(
                    f"record: {self.count} needs the ids of the records; "
                    "name the part that is one: (?P<id>…)"
                )
            if self.count == "missing" and self.of is None:
                raise ValueError("count: missing needs to know how many there should be; of: 10")
            if self.count != "missing" and self.of is not None:
                raise ValueError(f"of: says nothing to {self.count}; it belongs to count: missing")
            if self.of is not None and self.of < 1:
                raise ValueError(f"of: {self.of} records cannot be missed; write 1 or more")

    def __init__(self, params: "File.Params", file: Template, sources: Sources) -> None:
        self._params = params
        self._file = file
        self._sources = sources

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill its path at each reading.

        Raises:
            UserError: a brace out of place in the path.
        """
        given = to_params(cls.Params, plan.params)
        try:
            return Probe.of(cls(given, Template.parse(given.file), sources), plan, values)
        except TemplateProblem as problem:
            raise UserError(f"probe {plan.name}: {problem}") from problem

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:  # noqa: ARG002 - asks nobody
        """Reads the file. One that is not there has no records.

        Raises:
            TargetError: it cannot be read, is larger than 64 MiB, or matching takes more than 10 s.
            UserError: its path is not absolute.
        """
        path = self._path(values)
        return plain(counted(await in_thread(lambda: self._records(path)), self._params))

    def _path(self, values: Mapping[str, Any]) -> Path:
        try:
            text = self._file.fill(values, env=self._sources.env, file=self._sources.file)
        except TemplateProblem as problem:
            raise UserError(f"a probe of {self._params.file}: {problem}") from problem
        path = Path(str(text))
        if not path.is_absolute():
            raise UserError(
                f"The file {path} of a probe is no absolute path.",
                hint="Files that the target writes belong below {folder}, such as {folder}/report.log.",
            )
        return path

    def _records(self, path: Path) -> Records:
        if _is_absent(path):
            return _EMPTY  # as before every round: spares the process
        limit = PROBE_LIMIT
        asked = {
            "file": str(path),
            "record": self._params.record,
            "most": MOST_BYTES,
            "limit": max(1, round(limit.in_s)),
        }
        try:
            # Isolated and without site: it starts in 10 ms, and no module of the user's is in its way.
            done = subprocess.run(
                [sys.executable, "-I", "-S", records.__file__],
                input=json.dumps(asked).encode(),
                capture_output=True,
                timeout=limit.in_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._late(path) from None
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            raise self._late(path)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise TargetError(
                f"file {path}", f"no record was found: {said[-1] if said else done.returncode}"
            )
        return _records_of(path, json.loads(done.stdout))

    def _late(self, path: Path) -> TargetError:
        return TargetError(
            f"file {path}",
            f"finding records in it took longer than {PROBE_LIMIT}",
            "Mostly that is a repetition within another, such as (.+\\n)+, in the probe's record; "
            "say more exactly what stands there.",
        )


def _is_absent(path: Path) -> bool:
    """False also where we may not look: why, the reading tells."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _records_of(path: Path, answer: Mapping[str, Any]) -> Records:
    if "absent" in answer:
        return _EMPTY
    if "refused" in answer:
        raise TargetError(f"file {path}", f"cannot be read: {answer['refused']}")
    if "too_large" in answer:
        raise TargetError(
            f"file {path}",
            "is larger than 64 MiB",
            "Let the reset remove it, or the operations write less.",
        )
    return Records(**answer)


def counted(found: Records, asked: File.Params) -> int | list[int | str]:
    """What ``asked.count`` says of the records. Ids that are whole numbers come as numbers."""
    ids = [int(each) if _WHOLE_NUMBER.fullmatch(each) else each for each in found.ids]
    counts: dict[str, Callable[[], int | list[int | str]]] = {
        "whole": lambda: found.whole,
        "torn": lambda: found.torn,
        "lines": lambda: found.lines,
        "ids": lambda: ids,
        "doubled": lambda: sum(times > 1 for times in Counter(ids).values()),
        "missing": lambda: _missing(found.ids, asked.of or 0),
    }
    return counts[asked.count]()


def _missing(ids: Iterable[str], of: int) -> int:
    """How many of 1 to ``of`` are not among ``ids``; ``007`` is 7."""
    numbers = {int(number[1]) for each in ids if (number := _PADDED_NUMBER.fullmatch(each))}
    return of - sum(number <= of for number in numbers)
