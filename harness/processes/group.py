"""Starts a program in a process group of its own, marked and logged, and stops all that came of it.

What the program is for, and when it is ready, is the caller's business.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

import psutil

from harness.model.errors import HarnessBug, TargetError
from harness.model.events import AnyEvent, ProcessEnded, ProcessIntended, ProcessStarted
from harness.model.units import Duration
from harness.processes.account import Account
from harness.processes.command import not_started, resolve
from harness.processes.ending import end
from harness.processes.exit_watch import on_exit
from harness.processes.log_tail import log_in_words
from harness.processes.marks import MARK, PART, Group, Wanted, find

Record = Callable[[AnyEvent], object]
T = TypeVar("T")


async def start(
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    mark: str,
    record: Record,
    user: Account | None = None,
    stdout: Literal["log", "pipe"] = "log",
    stdin: Literal["null", "pipe"] = "null",
) -> "ProcessGroup":
    """Starts ``argv``; it is running, or has ended already, when this returns.

    Nothing is awaited between the start and the event that tells of it, so a cancellation finds
    either nothing or a group that the caller holds. ``env`` is the whole environment.

    Raises:
        UserError: the command is missing or may not be executed, or its folder is not there.
    """
    command = resolve(name, argv, env=env, cwd=cwd)
    record(ProcessIntended(name=name, argv=tuple(argv)))
    popen = _spawn(
        name,
        command,
        env={**env, MARK: mark, PART: name},
        cwd=cwd,
        log=log,
        user=user,
        stdout=stdout,
        stdin=stdin,
    )
    group = ProcessGroup(popen, name=name, log=log, mark=mark, record=record)
    try:
        record(ProcessStarted(name=name, pid=group.pid, pgid=group.pgid, created=group.created))
    except BaseException:
        group.kill()
        raise
    return group


def _spawn(
    name: str,
    command: list[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    user: Account | None,
    stdout: Literal["log", "pipe"],
    stdin: Literal["null", "pipe"],
) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout == "pipe" else output,
                stderr=output,
                start_new_session=True,
                close_fds=True,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
                bufsize=0,
            )
        except OSError as error:
            raise not_started(name, command[0], error) from error


class ProcessGroup:
    """A started program and all that it started in turn. Belongs to the loop it was started in."""

    def __init__(
        self, popen: "subprocess.Popen[bytes]", *, name: str, log: Path, mark: str, record: Record
    ) -> None:
        self.name = name
        self.log = log
        self.pid = popen.pid
        self.pgid = popen.pid
        self.created = psutil.Process(popen.pid).create_time()
        self._popen = popen
        self._mark = mark
        self._record = record
        self._stopping = False
        self._finishing = False
        self._exit_code: int | None = None
        self._lost: Exception | None = None
        self._ended = asyncio.Event()
        self._unwatch = on_exit(popen.pid, self._look)

    @property
    def exit_code(self) -> int | None:
        """Of the program itself; negative is the signal that ended it, None while it runs."""
        self._look()
        return self._exit_code

    def running(self) -> bool:
        return self.exit_code is None

    async def finish(self) -> int:
        """``wait`` for a program that is meant to end by itself: with code 0 that is no surprise."""
        self._finishing = True
        return await self.wait()

    async def wait(self) -> int:
        """Waits until the program itself ended; its children may live on until ``stop``."""
        self._look()
        await self._ended.wait()
        if self._lost is not None:
            raise self._lost
        assert self._exit_code is not None
        return self._exit_code

    async def ended(self) -> None:
        """Waits like ``wait``, and tells nothing."""
        self._look()
        await self._ended.wait()

    async def stop(
        self,
        *,
        grace: Duration,
        polite: Sequence[signal.Signals] = (signal.SIGTERM,),
        leader_only: bool = False,
    ) -> None:
        """Ends the whole group and whatever left it: ``polite`` signals, ``grace`` each, then SIGKILL.

        Safe to repeat. ``leader_only`` sends the polite ones to the program alone.

        Raises:
            TargetError: something of it is still there, stuck in the kernel or not ours to end.
        """
        self._stopping = True
        left = await _in_own_thread(
            lambda: end(
                self._members,
                grace=grace,
                polite=polite,
                polite_to=self._leader if leader_only else None,
            )
        )
        self._look()
        self._close_pipes()
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise TargetError(
                f"process {self.name}", f"would not end: {pids}", f"Try: kill -9 {pids}"
            )

    def kill(self) -> None:
        """SIGKILL to the program's group at once, without looking for what left it."""
        self._stopping = True
        if self._popen.poll() is None:
            os.killpg(self.pgid, signal.SIGKILL)
            self._popen.wait()
        self._look()
        self._close_pipes()

    def end_input(self, last: bytes = b"") -> None:
        """Gives a program started with ``stdin="pipe"`` a few ``last`` bytes, then the end of its input."""
        if self._popen.stdin is not None and not self._popen.stdin.closed:
            with suppress(BrokenPipeError):  # it ended before it read them: its exit code tells
                self._popen.stdin.write(last)
            self._popen.stdin.close()

    async def read_line(self, *, within: Duration) -> str:
        """The next line of a program started with ``stdout="pipe"``, without its line end.

        Raises:
            TargetError: it ended, closed its output, or said nothing in time.
        """
        if self._popen.stdout is None:
            raise HarnessBug(f"process {self.name} was not started with a pipe to read from")
        try:
            async with asyncio.timeout(within.in_s):
                line = await _line_from(self._popen.stdout.fileno())
        except TimeoutError:
            raise self._failure(f"said nothing within {within}") from None
        if line is None:
            code = self.exit_code
            raise self._failure(
                "closed its output" if code is None else f"ended with exit code {code}"
            )
        return line

    def _failure(self, what: str) -> TargetError:
        return TargetError(f"process {self.name}", f"{what}; {log_in_words(self.log)}")

    def _members(self) -> list[psutil.Process]:
        return find(
            Wanted(
                mark=self._mark,
                part=self.name,
                groups=(Group(pgid=self.pgid, created=self.created),),
            )
        )

    def _leader(self) -> list[psutil.Process]:
        return [process for process in self._members() if process.pid == self.pid]

    def _look(self) -> bool:
        """True once the program ended; the first time, journals it."""
        if self._exit_code is not None:
            return True
        code = self._popen.poll()
        if code is None:
            return False
        self._exit_code = code
        self._unwatch()
        expected = self._stopping or (self._finishing and code == 0)
        try:
            self._record(
                ProcessEnded(name=self.name, pid=self.pid, exit_code=code, expected=expected)
            )
        except Exception as error:  # from a loop's callback nobody would hear of it: kept for wait
            self._lost = error
        self._ended.set()
        return True

    def _close_pipes(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


async def _in_own_thread(call: Callable[[], T]) -> T:
    """Not one of the loop's: those are few, and others that wait out a grace may hold them all."""
    thread = ThreadPoolExecutor(1)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, call)
    finally:
        thread.shutdown(wait=False)


async def _line_from(descriptor: int) -> str | None:
    """One line, or None at the end of the output. Reads no byte behind the line."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    line = bytearray()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        while not line.endswith(b"\n"):
            try:
                byte = os.read(descriptor, 1)
            except BlockingIOError:
                readable.clear()
                await readable.wait()
                continue
            if not byte:
                return None
            line += byte
    finally:
        loop.remove_reader(descriptor)
    return line.decode("utf-8", "replace").rstrip("\r\n")
