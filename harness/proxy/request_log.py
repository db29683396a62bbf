"""The observed HTTP requests of one proxy: those that have ended, and the page a caller reads."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from harness.model.units import Duration, Instant
from harness.protocols.http_observer import Observed, RequestEnd
from harness.proxy.newest import Newest

KEPT = 100_000
MOST_IN_A_PAGE = 2_000
"""Writing a page takes the loop from the traffic: so many are a few milliseconds."""


class Request(Struct, frozen=True, kw_only=True):
    """One request. ``seq`` counts from 1 on its connection, ``conn`` from 1 on its proxy.

    ``turn`` is the number of the turn in which it came; pipelined ones share it. ``peer`` is the client's port. ``rid`` is what the carrier held, None without it; for the path it
    is the whole path. ``arrived``: its head was complete, before any toxic acted. ``ended`` of an
    answered one: just before the last byte of its answer went to the client's socket. ``began``: a
    byte of an answer did. ``injected`` names the toxics that had acted on it by the time it ended.
    """

    conn: int
    seq: int
    turn: int = 0
    peer: int | None
    method: str
    rid: str | None
    arrived: Instant
    ended: Instant | None
    end: RequestEnd
    status: int | None
    began: bool
    injected: tuple[str, ...]


class RequestPage(Struct, frozen=True, kw_only=True):
    """Requests from number ``after`` on, as asked for, then those still open (``end`` is ``open``).

    ``next`` is what to ask for next: it counts the requests that have ended, so an open one comes
    again. ``more``: there are more than a page has; the open ones stand on the last. ``connections``,
    ``unreadable`` (of them, those that were not HTTP/1), ``upgraded`` (those that became something
    else) and ``dropped`` are totals; ``open`` connections and ``held`` bytes are of the moment
    ``taken``. ``lag`` is how late the proxy's own timer fired at worst since the last page.
    """

    requests: tuple[Request, ...]
    next: int
    more: bool
    dropped: int
    connections: int
    open: int
    unreadable: int
    upgraded: int
    held: int
    lag: Duration
    taken: Instant


class RequestLog:
    """Numbers requests from 0 in the order in which they ended. Observers write into it."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._ended: Newest[Observed] = Newest(kept)
        self.append = self._ended.append
        self.unreadable = 0
        self.upgraded = 0

    def page(
        self, after: int, still_open: Iterable[Observed], *, most: int = MOST_IN_A_PAGE, **more: Any
    ) -> dict[str, Any]:
        """A ``RequestPage`` as it is sent: of bare numbers, of which a page may hold thousands.

        ``more`` are the keys that are not known here.
        """
        ended, following = self._ended.since(after, most)
        cut_off = following < self._ended.next
        return {
            "requests": ended if cut_off else [*ended, *still_open],
            "next": following,
            "more": cut_off,
            "dropped": self._ended.dropped,
            "unreadable": self.unreadable,
            "upgraded": self.upgraded,
            **more,
        }
