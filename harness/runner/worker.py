"""One run in a process of its own, for a suite that has several under way. The other side of side_by_side.py.

The job comes as one line on standard input, which then stays open: its end tells that the suite is
gone, and counts as a signal. What a person would watch goes out as journal lines; the result lies in
the run's folder.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.journal import lines
from harness.model.events import (
    AnyEvent,
    BurstReleased,
    BurstWritten,
    HopRequestArrived,
    HopRequestEnded,
    OperationReturned,
    OperationSent,
    ProbeRead,
)
from harness.model.plan import Plan
from harness.model.units import from_builtin, to_builtin
from harness.model.verdicts import Result
from harness.runner.stop import StopSignals
from harness.runner.suite import SuiteOptions, Write, run_one

# These come by the hundred, while a burst is under way: nobody watches them, and passing them on takes time.
_KEPT_BACK = (
    OperationSent,
    OperationReturned,
    HopRequestArrived,
    HopRequestEnded,
    ProbeRead,
    BurstWritten,
    BurstReleased,
)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and of ``SuiteOptions`` all that can be written down."""

    plan: Plan
    runs: str
    environment: dict[str, Any]
    foreign_proxy: str | None = None
    keep: bool = False
    allow_hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: Plan, options: SuiteOptions) -> "Job":
        return cls(
            plan=plan,
            runs=str(options.runs),
            environment=dict(options.environment),
            foreign_proxy=options.foreign_proxy,
            keep=options.keep,
            allow_hosts=options.allow_hosts,
        )

    def options(self, write: Write) -> SuiteOptions:
        environment: Mapping[str, Any] = self.environment
        return SuiteOptions(
            runs=Path(self.runs),
            environment=environment,
            write=write,
            foreign_proxy=self.foreign_proxy,
            keep=self.keep,
            allow_hosts=self.allow_hosts,
        )

    def line(self) -> bytes:
        return msgspec.json.encode(self, enc_hook=to_builtin) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Job":
        return msgspec.json.decode(line, type=cls, dec_hook=from_builtin)


def work(descriptor: int, *, write: Write, say: Callable[[bytes], object]) -> None:
    """Does the job that comes on ``descriptor``; hands lines for the suite to ``say``.

    Raises:
        KeyboardInterrupt: interrupted, or the suite was gone, before anything began.
        UserError, HarnessBug: as ``run_suite`` does.
    """
    job = Job.read(_line(descriptor))
    asyncio.run(_work(job, descriptor, write=write, say=say))


async def _work(job: Job, descriptor: int, *, write: Write, say: Callable[[bytes], object]) -> None:
    loop = asyncio.get_running_loop()
    with StopSignals() as stop:
        loop.add_reader(descriptor, _look, descriptor)
        try:
            await run_one(job.plan, job.options(write), _Teller(say), stop)
        finally:
            loop.remove_reader(descriptor)


def _look(descriptor: int) -> None:
    """The first end of the suite rolls back, like Ctrl-C; behind another signal it ends us at once."""
    if not os.read(descriptor, 4096):
        asyncio.get_running_loop().remove_reader(descriptor)
        os.kill(os.getpid(), signal.SIGTERM)


class _Teller:
    """Passes on what a person watches."""

    def __init__(self, say: Callable[[bytes], object]) -> None:
        self._say = say

    def handle(self, event: AnyEvent) -> None:
        if not isinstance(event, _KEPT_BACK):
            self._say(lines.encode(event))

    def beside(self) -> Callable[[AnyEvent], None]:
        return self.handle

    def judged(self, result: Result) -> None:
        """It lies in the run's folder."""


def _line(descriptor: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 65536)
        if not piece:
            raise KeyboardInterrupt
        line += piece
    return bytes(line)
