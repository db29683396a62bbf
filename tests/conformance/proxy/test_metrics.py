"""TX-182 to TX-184: the counters of bytes, and who may read them."""

import contextlib
import re
import threading

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.waiting import stays, until_sync

LINE = re.compile(r"^toxiproxy_proxy_(received|sent)_bytes_total\{(.*)\} (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
SOON = Duration.of_s(5)
ALL_FOUR = {
    (counter, direction)
    for counter in ("received", "sent")
    for direction in ("upstream", "downstream")
}


def counted(api, proxy):
    """The counters of a proxy by name and direction; its labels are compared on the way."""
    reply = api.get("/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    found = {}
    for counter, labels, value in LINE.findall(reply.body.decode()):
        named = dict(LABEL.findall(labels))
        direction = named.pop("direction")
        assert named == {
            "proxy": proxy["name"],
            "listener": proxy["listen"],
            "upstream": proxy["upstream"],
        }
        found[counter, direction] = float(value)
    return found


@case("TX-182")
def test_bytes_when_echoed_then_are_counted(daemon, echo):
    api = daemon("-proxy-metrics").api
    proxy = api.create("a", echo.address)
    every = dict.fromkeys(ALL_FOUR, 5.0)

    def all_are_counted():
        return counted(api, proxy) == every

    with api.connect("a") as client:
        client.round_trip(b"12345")
        if api.real:
            assert counted(api, proxy) == {}, "the original counts at the end of a connection"
        else:
            until_sync(all_are_counted, within=SOON, what="five bytes each, as they pass")
    until_sync(all_are_counted, within=SOON, what="five bytes each, after the close")


def pour(server):
    """Sends until nobody has taken anything for a moment."""
    server.sock.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while True:
            server.sock.send(bytes(65536))


@case("TX-183")
def test_bytes_when_a_download_is_aborted_then_those_that_passed_are_counted(daemon, upstream):
    api = daemon("-proxy-metrics").api
    proxy = api.create("a", upstream.address)
    client, server = api.connect("a"), upstream.accept()
    source = threading.Thread(target=pour, args=(server,))
    source.start()
    assert len(client.receive(500_000)) == 500_000
    source.join()  # everything is full, so the original is in the middle of a write
    client.reset()

    if api.real:
        stays(
            lambda: all(stream != "downstream" for _, stream in counted(api, proxy)),
            what="nothing is counted downstream",
        )
        assert set(counted(api, proxy).values()) <= {0.0}
    else:
        until_sync(
            lambda: all(
                counted(api, proxy).get((counter, "downstream"), 0) >= 500_000
                for counter in ("received", "sent")
            ),
            within=SOON,
            what="half a megabyte is counted",
        )


@case("TX-184")
def test_metrics_when_not_asked_for_then_are_not_found(api):
    assert api.get("/metrics").status == 404


@case("TX-184")
@pytest.mark.parametrize("flag", ["-proxy-metrics", "-runtime-metrics"])
def test_metrics_when_asked_for_then_any_method_reads_them_and_no_browser(daemon, flag):
    api = daemon(flag).api
    assert api.get("/metrics").status == 200
    assert api.post("/metrics").status == 200
    assert api.call("GET", "/metrics", headers={"User-Agent": "Mozilla/5.0"}).status == 403
