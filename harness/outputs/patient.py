"""A text stream that never blocks whoever writes: a slow or closed reader costs output, not the run.

A full pipe would stop the event loop, and with it the time limit, Ctrl-C and the rollback.
"""

import io
import os
import queue
import threading
from typing import TextIO

# More than any run prints; a reader this far behind has stopped reading.
MOST_PENDING = 1 << 20


class PatientStream(io.TextIOBase):
    """Writes to a descriptor from a thread of its own, past the buffer of ``sys.stdout``.

    After an error (reader gone, disk full) everything is dropped in silence.
    """

    def __init__(self, descriptor: int, *, encoding: str = "utf-8") -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._queue: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._gone = False
        threading.Thread(target=self._write_on, name="output", daemon=True).start()

    @classmethod
    def of(cls, stream: TextIO | None) -> TextIO:
        """One in the place of ``stream``; ``stream`` itself where it has no descriptor.

        None, as Python has for a descriptor that was closed before it began, is a stream to nowhere.
        """
        if stream is None:
            return io.StringIO()
        try:
            return cls(stream.fileno(), encoding=stream.encoding or "utf-8")  # type: ignore[return-value]  # a TextIO in all that is used of it
        except (OSError, ValueError):
            return stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property here as there
        return self._encoding

    @property
    def buffer(self) -> "_Bytes":
        """Where bytes are written, as ``sys.stdout.buffer``."""
        return _Bytes(self)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.write_bytes(text.encode(self._encoding, "backslashreplace"))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Queues ``data`` whole, or drops it when far too much is waiting already."""
        with self._lock:
            if self._gone or self._pending > MOST_PENDING:
                return
            self._pending += len(data)
        self._queue.put(data)

    def drain(self, within: float) -> bool:
        """Waits at most ``within`` seconds until all is written; False if it is not."""
        written = threading.Event()
        self._queue.put(written)
        return written.wait(within)

    def _write_on(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            left = memoryview(item)
            while left and not self._gone:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except OSError:
                    self._gone = True
            with self._lock:
                self._pending -= len(item)


def drained_within(seconds: float, stream: object) -> bool:
    """True once a patient stream has written all; any other has no need to wait."""
    return not isinstance(stream, PatientStream) or stream.drain(seconds)


class _Bytes:
    """The byte side of a patient stream."""

    def __init__(self, stream: PatientStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        self._stream.write_bytes(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered here."""
