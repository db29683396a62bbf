"""Reads journals: whole files, with a torn last line told apart from a broken one, and merged parts.

A line that is cut short at the end of a file is what a crash leaves; anything else that cannot be
read, or lines that are missing, would let a judge miss evidence, so they are errors.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from harness.journal import lines
from harness.model.errors import UserError
from harness.model.events import JOURNAL_SCHEMA, AnyEvent

JOURNAL_FILE = "journal.jsonl"
GUARDIAN_FILE = "guardian.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All whole events of a file; ``torn`` describes a last line that was not finished."""

    events: list[AnyEvent]
    torn: str | None = None


def read(path: Path) -> Reading:
    """The events of the journal at ``path``.

    Raises:
        UserError: the file is missing or empty, a line that is not a torn last one cannot be read,
            lines are missing, or a newer version wrote it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: the journal cannot be read: {error.strerror or error}.",
            hint="A run's journal is runs/<run>/journal.jsonl.",
        ) from error
    if not data:
        raise UserError(f"{path}: the journal is empty, the run never began.")
    whole, tail = _split(data)
    _refuse_newer(path, whole or tail)
    try:
        events = lines.decode_all(whole)
    except lines.UNREADABLE:
        events = _one_by_one(path, whole)
    reading = Reading(events=events) if not tail else _with_tail(path, events, tail)
    _refuse_gaps(path, reading.events)
    return reading


def read_run(folder: Path) -> Reading:
    """The events of the run in ``folder``, and behind them its guardian's, if that had to act.

    Raises:
        UserError: as for ``read``.
    """
    files = [folder / JOURNAL_FILE]
    guardian = folder / GUARDIAN_FILE
    if guardian.is_file() and guardian.stat().st_size:
        files.append(guardian)
    readings = {file.name: read(file) for file in files}
    torn = [f"{name}: {reading.torn}" for name, reading in readings.items() if reading.torn]
    return Reading(
        events=[event for reading in readings.values() for event in reading.events],
        torn="; ".join(torn) or None,
    )


def merge(*parts: Iterable[AnyEvent]) -> list[AnyEvent]:
    """The events of several files in order of time; at equal times in the order of the parts."""
    return sorted(chain.from_iterable(parts), key=lambda event: event.t)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Finished lines, and what stands behind the last of them.

    A last line that ends but is no JSON counts as unfinished, too: a file system that lost power may
    keep the length of a file and not its bytes.
    """
    end = data.rfind(b"\n") + 1
    if end != len(data):
        return data[:end], data[end:]
    start = data.rfind(b"\n", 0, end - 1) + 1
    return (data, b"") if _plain(data[start:]) is not None else (data[:start], data[start:])


def _plain(line: bytes) -> dict[str, Any] | None:
    try:
        plain = msgspec.json.decode(line)
    except lines.UNREADABLE:
        return None
    return plain if isinstance(plain, dict) else None


def _refuse_newer(path: Path, data: bytes) -> None:
    first = _plain(data.partition(b"\n")[0])
    schema = first.get("schema") if first and first.get("type") == "RunStarted" else None
    if isinstance(schema, int) and schema > JOURNAL_SCHEMA:
        raise UserError(
            f"{path}: a newer version wrote this journal (schema {schema}); "
            f"this one reads schemas up to {JOURNAL_SCHEMA}.",
            hint="Read it with the version that wrote it, or a later one.",
        )


def _with_tail(path: Path, events: list[AnyEvent], tail: bytes) -> Reading:
    number = len(events) + 1
    if _plain(tail) is None:
        return Reading(
            events=events, torn=f"line {number} was not finished ({len(tail)} bytes are left out)"
        )
    event = _decoded(path, number, tail)
    return Reading(events=[*events, event], torn=f"line {number} has no line end; it is whole")


def _one_by_one(path: Path, whole: bytes) -> list[AnyEvent]:
    return [
        _decoded(path, number, line) for number, line in enumerate(whole.split(b"\n")[:-1], start=1)
    ]


def _decoded(path: Path, number: int, line: bytes) -> AnyEvent:
    try:
        return lines.decode(line)
    except lines.UNREADABLE as error:
        plain = _plain(line)
        kind = plain.get("type") if plain else None
        if isinstance(kind, str) and kind not in lines.KNOWN_TYPES:
            raise UserError(
                f"{path}:{number}: {kind!r} is no event of journal schema {JOURNAL_SCHEMA}; "
                "a newer version may have written it.",
                hint="Read it with the version that wrote it, or a later one.",
            ) from error
        raise UserError(
            f"{path}:{number}: this line cannot be read: {error}.",
            hint="Only a last line may be cut short; this one was changed or damaged.",
        ) from error


def _refuse_gaps(path: Path, events: list[AnyEvent]) -> None:
    """Missing lines are missing evidence. Events that no journal numbered (n = 0) are not looked at."""
    for number, event in enumerate(events, start=1):
        if event.n not in (number, 0):
            raise UserError(
                f"{path}:{number}: event {event.n} stands here, expected event {number}.",
                hint="Lines were taken out, added or moved; what they said cannot be judged.",
            )
