"""Whether the HTTP requests of a proxy are observed, by which id, and what was seen of them so far.

What a request is, and when it has ended, is decided in ``protocols/http_observer.py``.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from harness.model.breaker import IdCarrier
from harness.model.units import Instant
from harness.protocols.http_observer import HttpObserver
from harness.protocols.request_id import Rid, rid_of
from harness.proxy.alarms import Timers
from harness.proxy.connection import Connection
from harness.proxy.lag import Lag
from harness.proxy.request_log import RequestLog


class Observing:
    """``carrier`` is None while nobody looks. What was seen stays readable for as long as the proxy."""

    def __init__(self, timers: Timers, clock: Callable[[], Instant]) -> None:
        self.carrier: IdCarrier | None = None
        self.log: RequestLog | None = None
        self._rid: Rid | None = None
        self._clock = clock
        self._lag = Lag(timers, clock)

    def change(self, carrier: IdCarrier | None, connections: Iterable[Connection]) -> None:
        """From now on. On open connections the next turn is the first one that is looked at.

        None ends it, and what is open then is not told of any more.
        """
        if carrier == self.carrier:
            return
        self.carrier = carrier
        if carrier is None:
            self._rid = None
            self._lag.stop()
        else:
            self._rid = rid_of(carrier)
            self.log = self.log or RequestLog()
            self._lag.start()
        for connection in connections:
            self.attach(connection, connection.peer)

    def attach(self, connection: Connection, peer: int | None) -> None:
        """Looks at the connection as ``carrier`` says; ``peer`` is the client's port."""
        if self._rid is None or self.log is None:
            connection.observer = None
        elif connection.observer is not None:
            connection.observer.rid = self._rid
        else:
            connection.observer = HttpObserver(
                self.log,
                self._rid,
                conn=connection.number,
                peer=peer,
                after=connection.codec.latest,
            )

    def stop(self) -> None:
        """The proxy is gone."""
        self._lag.stop()

    def page(
        self, after: int, now_open: Collection[Connection], *, connections: int
    ) -> dict[str, Any] | None:
        """A ``RequestPage`` as it is sent; None if nothing was ever observed."""
        if self.log is None:
            return None
        observers = [each.observer for each in now_open if each.observer is not None]
        return self.log.page(
            after,
            [request for observer in observers for request in observer.open],
            connections=connections,
            open=len(now_open),
            held=sum(connection.held for connection in now_open),
            lag=self._lag.worst().ns,
            taken=self._clock().ns,
        )
