"""Takes back what faults and hops did, from their intentions alone, each in its own way.

The ways are loaded when one is needed: most runs leave nothing for a guardian to undo.
"""

import shlex
import time
from collections.abc import Callable, Mapping

from harness.model.events import (
    AnyEvent,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
    HopClosed,
    HopIntended,
)
from harness.model.units import Instant

Undo = Callable[[FaultIntended], bool]
"""Takes a fault back; False when it was not there. Raises what it likes when it failed."""


def _toxic(event: FaultIntended) -> bool:
    from harness.faults.toxic import undo_from

    return undo_from(event)


UNDO: Mapping[str, Undo] = {"toxic": _toxic}


def undo_fault(event: FaultIntended) -> AnyEvent:
    """``FaultUndone``, or ``FaultNotUndone`` with what remains. Never raises."""
    asked = _now()
    try:
        found = UNDO[event.kind](event)
    except Exception as error:  # whatever it was: the other faults must still be undone
        return FaultNotUndone(
            fault=event.fault,
            round=event.round,
            because=_words(error),
            remains=f"fault {event.fault} ({event.kind}) on {event.on}",
            command=_command(event.undo),
        )
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

        found = ProxyServer(event.admin).delete(event.proxy)
    except Exception as error:  # whatever it was: the other hops must still be closed
        return FaultNotUndone(
            fault=f"hop {event.hop}",
            round=0,
            because=_words(error),
            remains=f"proxy {event.proxy} of {event.admin}",
            command=_command({"admin": event.admin, "proxy": event.proxy}),
        )
    return HopClosed(hop=event.hop, admin=event.admin, proxy=event.proxy, found=found)


def _command(undo: Mapping[str, object]) -> str:
    """The call that does it by hand, where the intention speaks of a proxy."""
    if "admin" not in undo or "proxy" not in undo:
        return ""
    url = f"{undo['admin']}/proxies/{undo['proxy']}"
    if "toxic" in undo:
        url += f"/toxics/{undo['toxic']}"
    return f"curl -X DELETE {shlex.quote(url)}"


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is unknown here"
    return str(error) or type(error).__name__


def _now() -> Instant:
    return Instant.of_ns(time.monotonic_ns())
