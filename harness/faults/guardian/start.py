"""Starts the guardian beside a run, and lets it go when the run has finished."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from harness.model.errors import HarnessBug, TargetError
from harness.model.events import AnyEvent, ProcessEnded
from harness.model.units import Duration
from harness.processes.command import own_environment, own_program
from harness.processes.group import ProcessGroup, Record, start

_START_LIMIT = Duration.of_s(15)
# At once after RunFinished; otherwise it has work to do, and a limit of its own for that.
_RELEASE_LIMIT = Duration.of_s(70)


async def watch(journal: Path, *, mark: str, record: Record | None = None) -> "Guardian":
    """Starts a guardian for the run that writes ``journal``; it is ready when this returns.

    ``journal`` must exist. The guardian acts when this process is gone, or ``release`` is called, and
    the journal holds no ``RunFinished``.

    Raises:
        HarnessBug: it did not start. Without it a crash would leave faults behind, so nothing begins.
    """
    path = journal.resolve()
    released: list[bool] = []
    process = await start(
        "guardian",
        own_program("harness.faults.guardian", str(path), mark),
        env=own_environment(os.environ),
        cwd=Path("/"),
        log=path.parent / "logs" / "guardian.log",
        mark=mark,
        record=_until_released(record, released),
        stdin="pipe",
        stdout="pipe",
    )
    try:
        line = await process.read_line(within=_START_LIMIT)
    except TargetError as error:
        process.kill()
        raise HarnessBug(f"The guardian did not start: it {error.detail}") from error
    except BaseException:
        process.kill()
        raise
    if line != "ready":
        process.kill()
        raise HarnessBug(f"The guardian said {line!r} instead of being ready.")
    return Guardian(process, released)


class Guardian:
    """A guardian that is watching."""

    def __init__(self, process: ProcessGroup, released: list[bool]) -> None:
        self._process = process
        self._released = released

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.running()

    async def release(self) -> int:
        """Lets it look into the journal and end; call it after ``RunFinished`` is on disk.

        Returns its exit code: 0, or 6 when it had to undo something and could not.
        """
        self._released.append(True)
        self._process.end_input()
        try:
            return await _ended(self._process)
        finally:
            # Signals it takes no notice of; by now it has ended, or is stuck.
            await self._process.stop(grace=Duration.ZERO)


async def _ended(process: ProcessGroup) -> int:
    try:
        async with asyncio.timeout(_RELEASE_LIMIT.in_s):
            return await process.wait()
    except TimeoutError:
        raise HarnessBug(f"The guardian did not end within {_RELEASE_LIMIT}.") from None


def _until_released(record: Record | None, released: list[bool]) -> Callable[[AnyEvent], None]:
    """Its end comes after the journal's last event, and is told only if it came too soon."""

    def tell(event: AnyEvent) -> None:
        if record is not None and not (released and isinstance(event, ProcessEnded)):
            record(event)

    return tell
