"""Warms connections: one request without effect on each, so that the server has accepted it.

What comes back does not matter, only that it comes and that the connection stays open.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.address import Address
from harness.model.plan import HttpCall
from harness.model.units import Duration
from harness.traffic.connection import Connection, send_what_goes
from harness.traffic.receiver import RESET, Awaited, Receiver
from harness.traffic.request import json_bytes, request_bytes
from harness.traffic.response import ResponseReader

# A server with few workers answers no more connections than it has workers; do not wait long for it.
WARM_LIMIT = Duration.of_s(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmCall:
    """A request without effect, and its method."""

    method: str
    content: bytes

    @classmethod
    def of(cls, call: HttpCall, address: Address) -> "WarmCall":
        """``call`` has its placeholders filled; a brace in it is a brace."""
        content = json_bytes(call.json) if call.has_json else (call.body or "").encode() or None
        return cls(
            method=call.method,
            content=request_bytes(
                call.method,
                call.path,
                call.headers,
                content,
                address=address,
                content_type="application/json" if call.has_json else None,
            ),
        )


async def warm(going: Sequence[tuple[Connection, WarmCall]]) -> tuple[list[Connection], bool]:
    """The connections that did not stay good, to be opened again, and whether any had no answer."""
    awaited = [
        Awaited(connection.opened, ResponseReader(method=call.method), WARM_LIMIT)
        for connection, call in going
    ]
    receiver = Receiver(awaited, ends_ours=False)
    try:
        for one, (_, call) in zip(awaited, going, strict=True):
            one.sent = time.monotonic_ns()
            if not _sent(one, call.content):
                receiver.give_up(one, RESET, one.sent)
        receiver.attach()
        await receiver.wait()
    finally:
        receiver.close()
    spoilt = [
        connection
        for (connection, _), one in zip(going, awaited, strict=True)
        if not one.reader.complete or one.reader.broken or not one.reader.keep_alive
    ]
    return spoilt, any(one.late for one in awaited)


def _sent(one: Awaited, content: bytes) -> bool:
    """True if the whole request went out; a few hundred bytes fit into any new connection."""
    try:
        return send_what_goes(one.socket, content) == len(content)
    except OSError:
        return False
