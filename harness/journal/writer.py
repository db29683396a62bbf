"""Appends events to a run's journal: numbers them, makes intentions durable, hides secrets.

One writer a file, any number of threads. What subscribers get is decoded from the line that was
written, so whoever folds live sees exactly what a later reader sees. Knows no event's meaning but
for which of them must be on disk before anything else happens.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Self, TypeVar

from msgspec.structs import replace

from harness.journal import lines
from harness.journal.redaction import hiding, in_every_text
from harness.model.errors import UserError
from harness.model.events import AnyEvent, ProbeRead
from harness.model.units import Duration

Subscriber = Callable[[AnyEvent], None]
E = TypeVar("E", bound=AnyEvent)

# Beside every …Intended: the frame of the run, and what tells a guardian which things still exist.
_DURABLE = frozenset({"RunStarted", "RunFinished", "FaultUndone", "ProcessStarted"})

# What a kill -9 of the runner may cost: nothing of these must be undone.
FLUSH_AFTER = Duration.of_ms(200)
FLUSH_BYTES = 64 * 1024


class JournalLost(Exception):
    """The journal can no longer be written: disk full, folder gone. Nothing new may be begun."""

    def __init__(self, path: Path, error: OSError) -> None:
        self.path = path
        super().__init__(f"{path}: the journal cannot be written: {error.strerror or error}.")


def _is_intention(kind: str) -> bool:
    return kind.endswith("Intended")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberFailed:
    """A subscriber raised at ``event`` and was not called again: what it knows is incomplete."""

    subscriber: Subscriber
    event: AnyEvent
    error: Exception


class Journal:
    """The journal of one run. ``record`` it, ``flush`` it, ``close`` it; or use it as a context.

    After ``JournalLost`` intentions go on raising, so that nothing new begins, while all other events
    still reach the subscribers: undoing what stands must not fail for want of a disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        subscribers: Sequence[Subscriber] = (),
        redact: Callable[[str], str] | None = None,
    ) -> None:
        """Makes the file; one that exists belongs to another run.

        Raises:
            UserError: the file exists already.
            JournalLost: it cannot be made.
        """
        self.path = path
        self._redact = redact
        self._secrets: dict[str, bytes] = {}
        self._lock = RLock()
        self._n = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._flushed_at = time.monotonic_ns()
        self._whole = 0
        self._lost: JournalLost | None = None
        self._subscribers = list(subscribers)
        self._undelivered: deque[AnyEvent] = deque()
        self._delivering = False
        self._failures: list[SubscriberFailed] = []
        self._fd: int | None = self._create()

    def _create(self) -> int:
        try:
            made = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # a durable line in a file whose name is not on disk is no line
            finally:
                os.close(folder)
        except FileExistsError:
            raise UserError(
                f"{self.path}: there is a journal already.",
                hint="Each run has a folder of its own.",
            ) from None
        except OSError as error:
            raise JournalLost(self.path, error) from error
        return made

    @property
    def failures(self) -> tuple[SubscriberFailed, ...]:
        """Subscribers that raised; a verdict must not rest on one of them."""
        return tuple(self._failures)

    @property
    def lost(self) -> JournalLost | None:
        """Set once a line could not be written."""
        return self._lost

    def subscribe(self, subscriber: Subscriber) -> None:
        """Calls ``subscriber`` with every event from now on."""
        with self._lock:
            self._subscribers.append(subscriber)

    def hide(self, secret: str) -> None:
        """Writes ``•••`` for ``secret`` from now on. Nothing is done for the empty text."""
        if secret:
            with self._lock:
                self._secrets[secret] = lines.encode_text(secret)

    def record(self, event: E) -> E:
        """Numbers and writes ``event``, then hands it to the subscribers. Returns it as written.

        On disk before this returns when it is an intention; otherwise within ``FLUSH_AFTER`` of
        further events. A subscriber may record, too: what it records is delivered after this.

        Raises:
            JournalLost: it cannot be written. Later on, only for intentions.
            HarnessBug: the event holds something that has no written form.
        """
        with self._lock:
            self._n += 1
            now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            numbered = replace(event, n=self._n, t=time.monotonic_ns(), at=now)
            try:
                line = self._line(numbered)
            except BaseException:
                self._n -= 1
                raise
            written = lines.decode(line)
            try:
                self._write(line, type(event).__name__)
            except JournalLost:
                # What has happened has happened, written or not; what was only intended will not.
                if not _is_intention(type(event).__name__):
                    self._deliver(written)
                raise
            self._deliver(written)
        return written  # type: ignore[return-value]  # the line names the type it was made from

    def flush(self) -> None:
        """Hands everything recorded to the operating system.

        Raises:
            JournalLost: it cannot be written.
        """
        with self._lock:
            if self._lost is None:
                self._flush()

    def close(self) -> None:
        """Writes what is left, on disk. A second time does nothing.

        Raises:
            JournalLost: the last lines cannot be written.
        """
        with self._lock:
            if self._fd is None:
                return
            try:
                if self._lost is None:
                    self._flush()
                    self._sync()
            finally:
                os.close(self._fd)
                self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self, event: AnyEvent) -> bytes:
        if self._redact is not None:
            event = _changed(event, self._redact)
        try:
            line = lines.encode(event)
        except UnicodeEncodeError:
            event = _changed(event, _writable)
            line = lines.encode(event)
        if any(escaped in line for escaped in self._secrets.values()):
            hidden = _changed(event, hiding(self._secrets))
            if isinstance(hidden, ProbeRead) and isinstance(event, ProbeRead):
                # Two secrets look alike once hidden: whoever judges must know that this is no value.
                hidden = replace(hidden, hidden=hidden.value != event.value)
            line = lines.encode(hidden)
        return line

    def _write(self, line: bytes, kind: str) -> None:
        intention = _is_intention(kind)
        if self._lost is not None:
            if intention:
                raise self._lost
            return
        if self._fd is None:
            raise JournalLost(self.path, OSError(0, "it was closed before"))
        self._pending.append(line)
        self._pending_bytes += len(line)
        if intention or kind in _DURABLE:
            self._flush()
            self._sync()
        elif (
            self._pending_bytes >= FLUSH_BYTES
            or time.monotonic_ns() - self._flushed_at >= FLUSH_AFTER.ns
        ):
            self._flush()

    def _flush(self) -> None:
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0
        self._flushed_at = time.monotonic_ns()
        assert self._fd is not None
        size = len(data)
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._lose(error)
        self._whole += size

    def _sync(self) -> None:
        assert self._fd is not None
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Leaves whole lines behind, as far as the disk lets us, and raises."""
        assert self._fd is not None
        self._lost = JournalLost(self.path, error)
        with suppress(OSError):  # the reader tolerates a torn last line
            os.ftruncate(self._fd, self._whole)
        raise self._lost from error

    def _deliver(self, event: AnyEvent) -> None:
        self._undelivered.append(event)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._undelivered:
                self._deliver_one(self._undelivered.popleft())
        finally:
            self._delivering = False

    def _deliver_one(self, event: AnyEvent) -> None:
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(event)
            except Exception as error:
                self._subscribers.remove(subscriber)
                self._failures.append(
                    SubscriberFailed(subscriber=subscriber, event=event, error=error)
                )


def _changed(event: AnyEvent, change: Callable[[str], str]) -> AnyEvent:
    """All texts but the journal's own stamp, which a secret such as ``2026`` must not spoil."""
    changed: AnyEvent = in_every_text(event, change)
    return replace(changed, at=event.at)


def _writable(text: str) -> str:
    """Half surrogate pairs, as from undecodable bytes, have no UTF-8: a question mark stands there."""
    return text.encode("utf-8", "replace").decode("utf-8")
