"""Commands that are started and held at a gate, so that a burst can let them all go at once.

A gate is a shell that waits for the end of its input and then becomes the program. When the gates
open is ``last_byte.py``'s; what a program's end means is the operation's.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import psutil

from harness.connections.blocking import in_thread
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration, Instant
from harness.processes.command import resolve
from harness.processes.ending import end
from harness.processes.group import ProcessGroup, start
from harness.processes.marks import Group, Wanted, find
from harness.processes.programs import Programs
from harness.processes.scratch import make_scratch, remove_scratch
from harness.traffic.answer import Ended, Failure
from harness.traffic.captured import Captured
from harness.traffic.command import Command

ENDED_EARLY = "ended before it was let go"

# The outputs are opened while it waits: opening them afterwards would be a part of what is measured.
_GATE = 'exec 3>"$1" 4>"$2"; shift 2; read -r _; exec "$@" </dev/null >&3 2>&4 3>&- 4>&-'
# For what a command left running: it was meant to be over, so it gets no more than a moment.
_GRACE = Duration.of_ms(500)


class Gate:
    """One program at its gate. ``sent`` is when it was let go, in nanoseconds."""

    def __init__(
        self, group: ProcessGroup, timeout: Duration, output: Captured, errors: Captured
    ) -> None:
        self.group = group
        self.sent = 0
        self._timeout = timeout
        self._output = output
        self._errors = errors
        self._last: int | None = None
        self._exit_code: int | None = None
        self._failure: str | None = None

    def open(self, last: bytes = b"") -> None:
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
        return Ended(
            exit_code=self._exit_code,
            output=self._output.text(),
            errors=self._errors.text(),
            sent=Instant.of_ns(self.sent),
            last=last,
        )

    def close(self) -> None:
        """Ends the program's group if it still runs, and lets go of its outputs."""
        self.group.kill()
        self._output.close()
        self._errors.close()

    def _end(self, at: int) -> None:
        self._last = at
        self._exit_code = self.group.exit_code
        self._output.finish()
        self._errors.finish()


class Gates:
    """The commands of one burst, in order. ``close`` and then ``end`` them whatever happens."""

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
        """Returns when all have ended, each within its own time-out."""
        async with asyncio.TaskGroup() as group:
            for gate in self._gates:
                group.create_task(gate.wait(), name=f"wait for {gate.group.name}")

    def close(self) -> None:
        """Ends all that still run, by their groups. Safe to repeat."""
        for gate in self._gates:
            gate.close()
        if self._scratch is not None:
            remove_scratch(self._scratch)

    async def end(self) -> None:
        """Ends what the programs left behind, also what left their groups.

        Raises:
            TargetError: something of it is still there, stuck in the kernel or not ours to end.
        """
        if self._gates:
            groups = [gate.group for gate in self._gates]
            search = partial(_members, self._programs.mark, groups)
            left = await in_thread(partial(end, search, grace=_GRACE))
            if left:
                pids = ", ".join(str(process.pid) for process in left)
                raise TargetError(
                    f"{groups[0].name}",
                    f"left processes that would not end: {pids}",
                    f"Try: kill -9 {pids}",
                )

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


def _members(mark: str, groups: Iterable[ProcessGroup]) -> list[psutil.Process]:
    """What is left of the groups; one look at all processes for each operation, not for each run of it."""
    by_name: dict[str, list[Group]] = {}
    for group in groups:
        by_name.setdefault(group.name, []).append(Group(pgid=group.pgid, created=group.created))
    return [
        process
        for name, of_one in by_name.items()
        for process in find(Wanted(mark=mark, part=name, groups=tuple(of_one)))
    ]
