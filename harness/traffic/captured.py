"""What a program writes to one of its outputs: the beginning is kept, the rest read and dropped.

So no program ever waits for a reader, and none fills a disk. It goes through a named pipe, for a
program behind a gate opens its outputs itself.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

KEPT = 64 * 1024
# A pipe holds 64 KiB, one that its writer enlarged 1 MiB; whoever still writes then is not waited for.
_LAST_READS = 16


class Captured:
    """One output. Belongs to the running loop; ``close`` it whatever happens."""

    def __init__(self, place: Path) -> None:
        """Makes the pipe at ``place``; a program can open it for writing at once.

        Raises:
            OSError: it cannot be made there.
        """
        self.place = place
        self.cut = False
        """More was written than is kept."""
        self._kept = bytearray()
        os.mkfifo(place, mode=0o600)
        # For writing too: without a writer of our own the loop would be told of its end for ever.
        self._descriptor = os.open(place, os.O_RDWR | os.O_NONBLOCK)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._read)
        self._open = True

    def text(self) -> str:
        """What was kept, without the last line's end; what is no UTF-8 comes as �."""
        return self._kept.decode(errors="replace").rstrip("\r\n")

    def finish(self) -> None:
        """Takes what is still in the pipe, and closes it."""
        if self._open:
            for _ in range(_LAST_READS):
                if not self._read():
                    break
        self.close()

    def close(self) -> None:
        """Safe to repeat. Whoever still writes gets an error."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _read(self) -> bool:
        data = b""
        with suppress(BlockingIOError):
            data = os.read(self._descriptor, KEPT)
        room = KEPT - len(self._kept)
        self._kept += data[:room]
        self.cut = self.cut or len(data) > room
        return bool(data)
