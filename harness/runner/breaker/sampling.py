"""Looks at the service's process twice a second while the script runs: memory and sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from harness.connections.blocking import in_thread
from harness.model.events import AnyEvent, ProcessSampled
from harness.model.units import Duration
from harness.observe.process import family
from harness.runner.clock import now

_EVERY = Duration.of_ms(500)
_DESCRIPTORS = Path("/proc/self/fd")


class ProcessWatch:
    """Samples the process ``pid`` of ``service`` with all its children, under the phase that is on."""

    def __init__(
        self,
        service: str,
        pid: int,
        *,
        record: Callable[[AnyEvent], object],
        phase: Callable[[], str],
    ) -> None:
        self._service = service
        self._pid = pid
        self._record = record
        self._phase = phase

    async def sample(self, *, rejections: int | None = None, warming: bool = False) -> int | None:
        """One reading, now; returns the memory. A process that is gone leaves none: its stack tells."""
        taken = now()
        try:
            memory, sockets = await in_thread(lambda: _look(self._pid))
        except psutil.Error:
            return None
        self._record(
            ProcessSampled(
                service=self._service,
                process=self._pid,
                phase=self._phase(),
                taken=taken,
                memory=memory,
                sockets=sockets,
                rejections=rejections,
                warming=warming,
            )
        )
        return memory

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Samples until the block is left."""
        task = asyncio.get_running_loop().create_task(self._go_on(), name="look at the process")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _go_on(self) -> None:
        while True:
            if self._phase():
                await self.sample()
            await asyncio.sleep(_EVERY.in_s)  # noqa: TID251 - the rhythm of the samples


def _look(pid: int) -> tuple[int, int | None]:
    """Resident memory in bytes, and open sockets, of the process and its children together.

    The sockets are None where one of them hides them.
    """
    memory, sockets, hidden = 0, 0, False
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            memory += int(process.memory_info().rss)
            try:
                sockets += _sockets(process)
            except (psutil.AccessDenied, PermissionError):
                hidden = True
    return memory, None if hidden else sockets


def _sockets(process: psutil.Process) -> int:
    """From the kernel's own list where there is one: psutil would look up both ends of each of them."""
    if not _DESCRIPTORS.is_dir():
        return len(process.net_connections(kind="all"))
    count = 0
    # What ends, or is closed, meanwhile holds nothing.
    with contextlib.suppress(FileNotFoundError):
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += str(descriptor.readlink()).startswith("socket:")
    return count
