"""Reads probes once each and journals the readings; one after the other, never a guess between."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.connections.pool import Connections
from harness.model.events import AnyEvent, Purpose
from harness.observe.read import Probe, Reading

Record = Callable[[AnyEvent], object]


async def read_all(
    probes: Iterable[Probe],
    connections: Connections,
    *,
    purpose: Purpose,
    round: int | None,
    record: Record,
) -> dict[str, Reading]:
    """One reading of each probe, by name.

    Raises:
        TargetError: a probe could not be read; the message is the target's own.
    """
    readings: dict[str, Reading] = {}
    for probe in probes:
        reading = await probe.read(connections)
        record(reading.as_event(purpose=purpose, round=round))
        readings[probe.name] = reading
    return readings


def values(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """What expressions see."""
    return {name: reading.exact_value for name, reading in readings.items()}
