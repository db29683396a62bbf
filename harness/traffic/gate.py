"""Commands that are started and held at a gate, so that a burst can let them all go at once.

A gate is a shell that waits for a line and then becomes the program. When the gates open is
``last_byte.py``'s; what a program's end means is the operation's. Only one whose processes all ended
by themselves has ended: what we ended may have been about to take effect.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import psutil

from harness.connections.blocking import in_thread
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration, Instant
from harness.processes.command import resolve
from harness.processes.ending import end
from harness.processes.group import ProcessGroup, start
from harness.processes.marks import Group, Wanted, find, is_living
from harness.processes.programs import Programs
from harness.processes.scratch import make_scratch, remove_scratch
from harness.traffic.answer import Ended, Failure
from harness.traffic.captured import Captured
from harness.traffic.command import Command

ENDED_EARLY = "ended before it was let go"
LEFT_RUNNING = "left processes running, which were ended"
OPENS = b"\n"
"""What opens a gate. The mere end of its input does not: that comes when we die as well."""

# The outputs are opened while it waits: opening them afterwards would be a part of what is measured.
_GATE = (
    'exec 3>"$1" 4>"$2"; shift 2; read -r _ || exit 125; exec "$@" </dev/null >&3 2>&4 3>&- 4>&-'
)
# What a program left running may end by itself, such as the other half of a pipeline.
_MOMENT = Duration.of_ms(500)
_PAUSE = Duration.of_ms(10)
# What does not is asked to end: it was meant to be over, so it gets no more than that again.
_GRACE = Duration.of_ms(500)


class Gate:
    """One program at its gate. ``sent`` is when it was let go, in nanoseconds."""

    def __init__(
        self, group: ProcessGroup, timeout: Duration, output: Captured, errors: Captured
    ) -> None:
        self.group = group
        self.sent = 0
        self.left_running = False
        self._timeout = timeout
        self._output = output
        self._errors = errors
        self._last: int | None = None
        self._exit_code: int | None = None
        self._failure: str | None = None

    def open(self, last: bytes = OPENS) -> None:
        """Lets the program go."""
        self.group.end_input(last)

    def look(self, *, first_unseen: bool = False) -> bool:
        """True if it has ended; the first time, stamps that.

        ``first_unseen``: nobody looked since it was let go, so it may have ended at any moment
        since; it is stamped with the earliest one.
        """
        if self._last is None and self.group.exit_code is not None:
            self._end(self.sent if first_unseen else time.monotonic_ns())
        return self._last is not None

    def give_up(self, because: str, at: int) -> None:
        """Nothing more is awaited from it."""
        self._failure = self._failure or because
        self._last = at

    async def wait(self) -> None:
        """Returns once it has ended; when its time is over, ends it."""
        if self.look():
            return
        left = (self.sent + self._timeout.ns - time.monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(left, 0)):
                await self.group.finish()
        except TimeoutError:
            if not self.look():
                self.give_up(f"no end within {self._timeout}", time.monotonic_ns())
                self.group.kill()
            return
        self.look()

    def result(self) -> Ended | Failure | None:
        """What became of it; None while that is not known."""
        if self._last is None:
            return None
        last = Instant.of_ns(self._last)
        if self._failure is not None or self._exit_code is None:
            return Failure(because=self._failure or ENDED_EARLY, last=last)
        if self.left_running:
            return Failure(because=LEFT_RUNNING, last=last)
        texts = {"output": self._output, "errors": self._errors}
        return Ended(
            exit_code=self._exit_code,
            output=self._output.text(),
            errors=self._errors.text(),
            cut=frozenset(name for name, text in texts.items() if text.cut),
            sent=Instant.of_ns(self.sent),
            last=last,
        )

    def finish(self) -> None:
        """Takes what is still in its outputs, and closes them. Safe to repeat."""
        self._output.finish()
        self._errors.finish()

    def _end(self, at: int) -> None:
        self._last = at
        self._exit_code = self.group.exit_code


class Gates:
    """The commands of one burst, in order. ``close`` and then ``end`` them whatever happens.

    What became of them is known after ``end``.
    """

    def __init__(self, commands: Sequence[Command], programs: Programs) -> None:
        self._commands = commands
        self._programs = programs
        self._gates: list[Gate] = []
        self._scratch: Path | None = None

    def __iter__(self) -> Iterator[Gate]:
        return iter(self._gates)

    async def start(self) -> None:
        """Starts each, up to its gate.

        Raises:
            UserError: a command is missing or may not be executed.
        """
        self._scratch = make_scratch(self._programs.mark, "gate", account=None)
        for number, command in enumerate(self._commands):
            self._gates.append(await self._started(command, self._scratch / str(number)))
            await asyncio.sleep(0)  # noqa: TID251 - starting takes milliseconds; samplers run beside it

    async def wait(self) -> None:
        """Returns when all have ended, each within its own time-out, and what they left running too.

        That is given half a second in all. It keeps its outputs: a write to a closed one ends it.
        """
        async with asyncio.TaskGroup() as group:
            for gate in self._gates:
                group.create_task(gate.wait(), name=f"wait for {gate.group.name}")
        await in_thread(self._see_out)

    def close(self) -> None:
        """Ends all that still run, by their groups. Safe to repeat."""
        for gate in self._gates:
            gate.group.kill()
        if self._scratch is not None:
            remove_scratch(self._scratch)

    async def end(self) -> None:
        """Ends what the programs left behind, also what left their groups, and lets go of their outputs.

        Raises:
            TargetError: something of it is still there, stuck in the kernel or not ours to end.
        """
        if not self._gates:
            return
        try:
            left = await in_thread(partial(end, self._left, grace=_GRACE))
        finally:
            for gate in self._gates:
                gate.finish()
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise TargetError(
                self._gates[0].group.name,
                f"left processes that would not end: {pids}",
                f"Try: kill -9 {pids}",
            )

    def _see_out(self) -> None:
        """Waits, without a signal, until nothing of the programs is left or the moment is over."""
        deadline = time.monotonic_ns() + _MOMENT.ns
        while time.monotonic_ns() < deadline:
            left = [process for _, found in self._members() for process in found]
            if not left:
                return
            while any(map(is_living, left)) and time.monotonic_ns() < deadline:
                time.sleep(_PAUSE.in_s)  # noqa: TID251 - between two looks at processes that end

    def _left(self) -> list[psutil.Process]:
        """What is left of the programs; notes whose it is, for it is about to be ended."""
        left: list[psutil.Process] = []
        for gates, found in self._members():
            left += found
            for process in found:
                with suppress(ProcessLookupError):  # ended by itself just now
                    session = os.getsid(process.pid)
                    # One that left its session may be of any run of its operation.
                    of = [gate for gate in gates if gate.group.pgid == session] or gates
                    for gate in of:
                        gate.left_running = True
        return left

    def _members(self) -> Iterator[tuple[list[Gate], list[psutil.Process]]]:
        """Each operation's gates and living processes: one look at all there are for each operation."""
        by_name: dict[str, list[Gate]] = {}
        for gate in self._gates:
            by_name.setdefault(gate.group.name, []).append(gate)
        for name, gates in by_name.items():
            groups = tuple(Group(pgid=g.group.pgid, created=g.group.created) for g in gates)
            yield gates, find(Wanted(mark=self._programs.mark, part=name, groups=groups))

    async def _started(self, command: Command, place: Path) -> Gate:
        run = self._programs
        name = f"operation {command.operation}"
        env = {**run.env, **command.env}
        # Found before the gate: what a shell says of a missing command comes too late.
        argv = resolve(name, command.argv, env=env, cwd=run.folder)
        with ExitStack() as undo:
            output = undo.enter_context(closing(_captured(place.with_suffix(".out"))))
            errors = undo.enter_context(closing(_captured(place.with_suffix(".err"))))
            group = await start(
                name,
                ["/bin/sh", "-c", _GATE, "sh", str(output.place), str(errors.place), *argv],
                env=env,
                cwd=run.folder,
                log=run.logs / f"operation-{command.operation}.log",
                mark=run.mark,
                record=run.record,
                stdin="pipe",
            )
            undo.pop_all()
        return Gate(group, command.timeout, output, errors)


def _captured(place: Path) -> Captured:
    try:
        return Captured(place)
    except OSError as error:
        raise UserError(
            f"The pipe {place} for a command's output could not be made: {error.strerror}.",
            hint="Set TMPDIR to a folder of a file system that knows named pipes.",
        ) from error
