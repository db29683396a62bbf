"""What ``/metrics`` says: counts of a server in the format of Prometheus.

Everything is counted always, and read off when somebody asks; nothing is kept here. The package
that writes the format is imported only when metrics are asked for.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.proxy.server import Server

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_TOXIC = ("proxy", "toxic", "type", "stream")
_BYTES = ("direction", "listener", "proxy", "upstream")


class Metrics:
    """``proxy_bytes`` adds bytes by proxy and direction, ``runtime`` those of this process."""

    def __init__(self, server: Server, *, proxy_bytes: bool, runtime: bool) -> None:
        import prometheus_client as prometheus

        self._write = prometheus.generate_latest
        # A registry of our own: the package's common one belongs to whoever imports it.
        self._registry = prometheus.CollectorRegistry()
        self._registry.register(_Counts(server, proxy_bytes=proxy_bytes))
        if runtime:
            prometheus.ProcessCollector(registry=self._registry)
            prometheus.PlatformCollector(registry=self._registry)
            prometheus.GCCollector(registry=self._registry)

    def text(self) -> bytes:
        """All series as they are at this moment."""
        return self._write(self._registry)


class _Counts:
    """A collector: asked for its series with each answer."""

    def __init__(self, server: Server, *, proxy_bytes: bool) -> None:
        from prometheus_client import core

        self._server = server
        self._proxy_bytes = proxy_bytes
        self._core = core

    def describe(self) -> list[Any]:
        """None beforehand: which there are depends on the proxies."""
        return []

    def collect(self) -> Iterator["Metric"]:
        yield from self._toxics()
        yield from self._connections()
        leases = self._core.GaugeMetricFamily("toxiproxy_leases", "Leases that have not ended.")
        running = [lease for lease in self._server.leasing.leases.all() if not lease.ended]
        leases.add_metric([], len(running))
        yield leases
        if self._proxy_bytes:
            yield from self._bytes()

    def _toxics(self) -> Iterator["Metric"]:
        injections = self._core.CounterMetricFamily(
            "toxiproxy_toxic_injections", "Turns or closes that a toxic acted on.", labels=_TOXIC
        )
        skipped = self._core.CounterMetricFamily(
            "toxiproxy_toxic_skipped",
            "Connections that a toxic left alone because it could not read them.",
            labels=_TOXIC,
        )
        for proxy in self._server.proxies():
            for tally in proxy.tallies():
                labels = [proxy.name, tally.toxic, tally.type, tally.stream]
                injections.add_metric(labels, tally.injections)
                skipped.add_metric(labels, tally.skipped)
        yield injections
        yield skipped

    def _connections(self) -> Iterator["Metric"]:
        is_open = self._core.GaugeMetricFamily(
            "toxiproxy_proxy_connections", "Open connections of clients.", labels=["proxy"]
        )
        refused = self._core.CounterMetricFamily(
            "toxiproxy_proxy_refused",
            "Clients closed at once because there were too many.",
            labels=["proxy"],
        )
        for proxy in self._server.proxies():
            is_open.add_metric([proxy.name], len(proxy.connections))
            refused.add_metric([proxy.name], proxy.refused)
        yield is_open
        yield refused

    def _bytes(self) -> Iterator["Metric"]:
        received = self._core.CounterMetricFamily(
            "toxiproxy_proxy_received_bytes", "Bytes taken in from the sender.", labels=_BYTES
        )
        sent = self._core.CounterMetricFamily(
            "toxiproxy_proxy_sent_bytes", "Bytes handed to the receiver's socket.", labels=_BYTES
        )
        for proxy in self._server.proxies():
            log, rest = proxy.log, [proxy.listen, proxy.name, proxy.upstream]
            received.add_metric(["upstream", *rest], log.bytes_up)
            received.add_metric(["downstream", *rest], log.bytes_down)
            sent.add_metric(["upstream", *rest], log.sent_up)
            sent.add_metric(["downstream", *rest], log.sent_down)
        yield received
        yield sent
