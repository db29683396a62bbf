"""Metrics: which series there are, and that each says what was counted."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.proxy.metrics import Metrics
from harness.proxy.states import ToxicSpec
from tests.support.virtual_server import virtual_server

NASTY = 'a"\\\n'


@pytest.fixture
def server():
    with virtual_server() as made:
        body = {"name": NASTY, "upstream": "x:1", "listen": "127.0.0.1:0"}
        made.make("/proxies", body)
        yield made


def series(server, *, proxy_bytes=True, runtime=False):
    """(name, sorted labels) to value."""
    text = Metrics(server.server, proxy_bytes=proxy_bytes, runtime=runtime).text().decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def names(found):
    return {name for name, *_ in found}


OURS = {"toxiproxy_proxy_connections", "toxiproxy_proxy_refused_total", "toxiproxy_leases"}
BYTES = {"toxiproxy_proxy_received_bytes_total", "toxiproxy_proxy_sent_bytes_total"}


def test_series_when_asked_for_one_kind_then_ours_come_with_each(server):
    assert names(series(server)) == OURS | BYTES
    runtime = names(series(server, proxy_bytes=False, runtime=True))
    assert runtime & BYTES == set()
    assert runtime > OURS | {"process_open_fds", "process_cpu_seconds_total", "python_info"}


def test_bytes_when_counted_then_are_by_direction_taken_in_and_handed_on(server):
    proxy = server.server.proxy(NASTY)
    log = proxy.log
    log.bytes_up, log.bytes_down, log.sent_up, log.sent_down = 5, 6, 7, 8
    found = series(server)
    labels = (("listener", proxy.listen), ("proxy", NASTY), ("upstream", "x:1"))
    for direction, received, sent in (("upstream", 5, 7), ("downstream", 6, 8)):
        way = (("direction", direction), *labels)
        assert found["toxiproxy_proxy_received_bytes_total", *way] == received
        assert found["toxiproxy_proxy_sent_bytes_total", *way] == sent


def test_toxics_when_gone_or_there_then_their_injections_are_counted(server):
    proxy = server.server.proxy(NASTY)
    for name, stream in (("gone", "UPSTREAM"), ("there", "downstream")):
        server.server.add_toxic(NASTY, ToxicSpec(type="noop", name=name, stream=stream))
        proxy.shared[name].injections, proxy.shared[name].skipped = 3, 1
    proxy.remove_toxic("gone")
    found = series(server)
    for name, stream in (("gone", "upstream"), ("there", "downstream")):
        labels = (("proxy", NASTY), ("stream", stream), ("toxic", name), ("type", "noop"))
        assert found["toxiproxy_toxic_injections_total", *labels] == 3
        assert found["toxiproxy_toxic_skipped_total", *labels] == 1


def test_connections_and_leases_when_there_then_are_counted(server):
    proxy = server.server.proxy(NASTY)
    proxy.refused = 4
    proxy.connections = {object(): None, object(): None}
    kept = server.make("/leases", {"ttl": 1_000})
    ended = server.make("/leases", {"ttl": 1_000})
    server.server.leasing.leases.find(ended["id"]).ended = True
    found = series(server)
    assert found["toxiproxy_proxy_connections", ("proxy", NASTY)] == 2
    assert found["toxiproxy_proxy_refused_total", ("proxy", NASTY)] == 4
    assert found["toxiproxy_leases",] == 1, kept
    proxy.connections = {}


def test_metrics_when_asked_again_then_are_of_that_moment(server):
    metrics = Metrics(server.server, proxy_bytes=False, runtime=False)
    before = metrics.text()
    server.make("/leases", {"ttl": 1_000})
    assert b"toxiproxy_leases 0.0" in before
    assert b"toxiproxy_leases 1.0" in metrics.text()
