"""Takes back faults, hops and containers, from their intentions alone, each in its own way.

The ways are loaded when one is needed: most runs leave nothing for a guardian to undo.
"""

import time
from collections.abc import Callable, Mapping

from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
    HopClosed,
    HopIntended,
)
from harness.model.units import Duration, Instant

Undo = Callable[[FaultIntended], bool]
"""Takes a fault back; False when it was not there. Raises what it likes when it failed."""

# A real Toxiproxy answers late while a reader stalls, and nobody waits for the guardian.
CALL_LIMIT = Duration.of_s(15)


def _toxic(event: FaultIntended) -> bool:
    from harness.faults.toxic import undo_from

    return undo_from(event, limit=CALL_LIMIT)


def _down(event: FaultIntended) -> bool:
    from harness.faults.down import undo_from

    return undo_from(event, limit=CALL_LIMIT)


UNDO: Mapping[str, Undo] = {"toxic": _toxic, "down": _down}


def undo_fault(event: FaultIntended) -> AnyEvent:
    """``FaultUndone``, or ``FaultNotUndone`` with what remains. Never raises."""
    asked = _now()
    try:
        found = UNDO[event.kind](event)
    except Exception as error:  # whatever it was: the other faults must still be undone
        return not_undone(event, _words(error))
    return undone(event, asked=asked, found=found)


def undone(event: FaultIntended, *, asked: Instant, found: bool) -> FaultUndone:
    return FaultUndone(
        fault=event.fault,
        round=event.round,
        asked=asked,
        confirmed=_now(),
        found=found,
        by="guardian",
    )


def close_hop(event: HopIntended) -> AnyEvent:
    """``HopClosed``, or ``FaultNotUndone`` with the command that removes the proxy. Never raises."""
    try:
        from harness.proxy.client import ProxyServer

        found = ProxyServer(event.admin, timeout=CALL_LIMIT).delete(event.proxy)
    except Exception as error:  # whatever it was: the other hops must still be closed
        return not_undone(event, _words(error))
    return HopClosed(hop=event.hop, admin=event.admin, proxy=event.proxy, found=found)


def remove_container(event: ContainerIntended, mark: str) -> AnyEvent:
    """``ContainerRemoved``, or ``FaultNotUndone`` with the command that removes it. Never raises."""
    try:
        from harness.processes.containers import Engine

        found = Engine.open().remove_soon(event.container, mark=mark)
    except Exception as error:  # whatever it was: the other containers must still be removed
        return not_undone(event, _words(error))
    return ContainerRemoved(name=event.name, container=event.container, found=found)


def not_undone(
    event: FaultIntended | HopIntended | ContainerIntended, because: str
) -> FaultNotUndone:
    """What remains of it, and the call that removes it by hand."""
    if isinstance(event, HopIntended):
        return FaultNotUndone(
            fault=f"hop {event.hop}",
            round=0,
            because=because,
            remains=f"proxy {event.proxy} of {event.admin}",
            command=_removal({"admin": event.admin, "proxy": event.proxy}),
        )
    if isinstance(event, ContainerIntended):
        return FaultNotUndone(
            fault=f"container {event.container}",
            round=0,
            because=because,
            remains=f"container {event.container} of {event.name}",
            command=_removing(event.container),
        )
    return FaultNotUndone(
        fault=event.fault,
        round=event.round,
        because=because,
        remains=f"fault {event.fault} ({event.kind}) on {event.on}",
        command=COMMANDS.get(event.kind, _removal)(event.undo),
    )


def _removing(container: str) -> str:
    from harness.processes.containers import removing_command

    return removing_command(container)


def _removal(undo: Mapping[str, object]) -> str:
    """Empty where the intention speaks of no proxy."""
    if "admin" not in undo or "proxy" not in undo:
        return ""
    from harness.proxy.commands import removal_command

    toxic = str(undo["toxic"]) if "toxic" in undo else None
    return removal_command(str(undo["admin"]), str(undo["proxy"]), toxic)


def _enabling(undo: Mapping[str, object]) -> str:
    from harness.proxy.commands import enabling_command

    return enabling_command(str(undo["admin"]), str(undo["proxy"]))


COMMANDS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "toxic": _removal,
    "down": _enabling,
}
"""What a person types where the undo of a kind failed."""


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is unknown here"
    return str(error) or type(error).__name__


def _now() -> Instant:
    return Instant.of_ns(time.monotonic_ns())
