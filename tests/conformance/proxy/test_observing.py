"""The observer at work on a real proxy: what the API shows of it, requests and their ends. Ours alone."""

import pytest

from harness.model.breaker import IdCarrier
from harness.proxy.client import ProxyServer
from tests.conformance.proxy.conftest import case
from tests.support.observed_hop import OK, ObservedHop, ask, exchange
from tests.support.sockets import Peer


@pytest.fixture
def hop(ours, upstream):
    return ObservedHop(ours, upstream)


# The API


@case("E-01")
def test_client_when_it_knows_no_observer_then_sees_no_new_key(ours, echo):
    plain = ours.create("a", echo.address)
    assert list(plain) == ["name", "listen", "upstream", "enabled", "toxics"]
    before = ours.get("/proxies/a").body
    assert ours.get("/proxies/a/requests").says(404, "requests are not observed")
    shown = ours.patch("/proxies/a", {"observe": {"header": "x-request-id"}})
    assert shown.body == before[:-1] + b',"observe":{"header":"x-request-id"}}'
    with ours.connect("a") as client:
        client.round_trip(b"\x16\x03\x01 no HTTP")
        client.round_trip(ask("r1") + b"and then some")
    assert ours.patch("/proxies/a", {"observe": None}).body == before
    assert ours.get("/proxies/a").body == before
    assert ours.post("/proxies/a", {"enabled": True, "toxics": []}).body == before


@pytest.mark.parametrize(
    "observe",
    [{"header": "x-id"}, {"traceparent": True}, {"query": "rid"}, {"path": True}],
)
def test_proxy_when_made_or_listed_with_a_carrier_then_shows_it(ours, observe):
    made = ours.create("a", "127.0.0.1:1", observe=observe)
    assert made["observe"] == observe
    entry = {"name": "b", "upstream": "127.0.0.1:1", "observe": observe}
    assert ours.post("/populate", [entry]).json()["proxies"][0]["observe"] == observe
    assert ours.get("/proxies").json()["b"]["observe"] == observe


@pytest.mark.parametrize(
    ("observe", "said"),
    [
        ({}, "observe: has nothing, use one of header, traceparent, query and path"),
        (True, "observe: cannot unmarshal true or false into an object"),
        ({"header": "a", "path": True}, "observe: has header and path, use one of header, traceparent, query and path"),
        ({"cookie": "a"}, "observe: has cookie, use one of header, traceparent, query and path"),
        ({"header": True}, "observe.header: is true or false, use its name"),
        ({"query": ""}, "observe.query: is empty, use its name"),
        ({"path": "r"}, "observe.path: is text, use true"),
        ({"traceparent": False}, "observe.traceparent: is true or false, use true"),
    ],
)  # fmt: skip
def test_carrier_when_it_cannot_be_then_is_refused_and_nothing_changes(ours, observe, said):
    ours.create("a", "127.0.0.1:1", observe={"query": "q"})
    assert ours.patch("/proxies/a", {"observe": observe, "enabled": False}).says(400, said)
    shown = ours.get("/proxies/a").json()
    assert (shown["observe"], shown["enabled"]) == ({"query": "q"}, True)
    made = ours.post("/proxies", {"name": "b", "upstream": "x:1", "observe": observe})
    assert made.says(400, said)
    assert ours.get("/proxies/b").status == 404


def test_page_when_asked_for_then_has_these_keys(hop):
    client, server = hop.connect()
    with client, server:
        exchange(client, server, "r1")
        port = client.sock.getsockname()[1]
        page = hop.api.get("/proxies/a/requests?after=0").json()
    assert list(page) == [
        "requests", "next", "more", "dropped", "unreadable", "upgraded", "connections", "open",
        "held", "lag", "taken",
    ]  # fmt: skip
    (request,) = page["requests"]
    assert list(request) == [
        "conn", "seq", "turn", "peer", "method", "rid", "arrived", "ended", "end", "status", "began", "injected",
    ]  # fmt: skip
    assert request["peer"] == port
    assert hop.api.get("/proxies/a/requests?after=-1").status == 400
    assert hop.api.get("/proxies/b/requests").says(404, "proxy not found")


# What is seen of requests that no toxic touches


def test_requests_when_kept_alive_then_each_has_its_id_and_its_times(hop):
    client, server = hop.connect()
    with client, server:
        for rid in ("r1", "r2"):
            exchange(client, server, rid)
        client.send(ask("r3"))
        assert server.receive(len(ask("r3"))) == ask("r3")
        seen = hop.requests()
        assert [(one.seq, one.end, one.status) for one in seen.values()] == [
            (1, "answered", 200), (2, "answered", 200), (3, "open", None),
        ]  # fmt: skip
        times = [time for rid in ("r1", "r2") for time in (seen[rid].arrived, seen[rid].ended)]
        assert [*times, seen["r3"].arrived] == sorted([*times, seen["r3"].arrived])
        assert all(one.injected == () for one in seen.values())


def test_request_when_the_client_leaves_then_is_abandoned_though_the_server_holds_on(hop):
    client, server = hop.connect()
    with server:
        client.send(ask("r1"))
        assert server.receive(len(ask("r1"))) == ask("r1")
        client.close()
        seen = hop.ended("r1")
        assert (seen.end, seen.began) == ("abandoned", False)
        assert hop.server.requests("a").open == 1, "the connection lives until the server ends it"


def test_request_when_the_client_resets_then_is_abandoned(hop):
    client, server = hop.connect()
    with server:
        client.send(ask("r1"))
        assert server.receive(len(ask("r1"))) == ask("r1")
        server.send(OK[:-1])
        assert client.receive(len(OK) - 1) == OK[:-1]
        client.reset()
        seen = hop.ended("r1")
        assert (seen.end, seen.status, seen.began) == ("abandoned", 200, True)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("sent", [b"", OK[:-1]])
def test_request_when_the_server_ends_the_connection_then_is_cut_by_it(hop, how, sent):
    client, server = hop.connect()
    with client:
        client.send(ask("r1"))
        assert server.receive(len(ask("r1"))) == ask("r1")
        server.send(sent)
        assert client.receive(len(sent)) == sent
        getattr(server, how)()
        assert client.ending() == ("eof" if how == "close" else "reset")
        seen = hop.ended("r1")
        assert (seen.end, seen.began) == ("downstream-cut", bool(sent))


def test_request_when_nobody_listens_upstream_then_is_cut_from_there(ours):
    ours.create("a", "127.0.0.1:1", observe={"path": True})
    with ours.connect("a") as client:
        client.send(ask("r1", "/x/1"))
        assert client.ending() in {"eof", "reset"}
    server = ProxyServer(f"http://{ours.host}:{ours.port}")
    page = server.requests("a")
    # The bytes may have come too late to be read.
    assert {(one.rid, one.end) for one in page.requests} <= {("/x/1", "downstream-cut")}


def test_request_when_the_proxy_is_disabled_then_is_cut_by_us(hop):
    client, server = hop.connect()
    with client, server:
        client.send(ask("r1"))
        assert server.receive(len(ask("r1"))) == ask("r1")
        hop.server.disable("a")
        assert client.ending() == "eof"
        assert hop.ends() == {"r1": ("cut", None, ())}


def test_connection_when_it_is_no_http_then_is_counted_and_its_bytes_pass(ours, echo):
    ours.create("a", echo.address, observe={"path": True})
    with ours.connect("a") as client:
        client.round_trip(bytes(range(256)) * 100)
        client.round_trip(ask("r1"))
    with ours.connect("a") as client:
        client.send(ask("r1", "/echoed"))
        assert client.receive(10) == ask("r1", "/echoed")[:10]
        page = ours.get("/proxies/a/requests").json()
    assert (page["unreadable"], page["connections"]) == (2, 2)
    assert [one["rid"] for one in page["requests"]] == ["/echoed"]


def test_carrier_when_set_while_a_connection_is_open_then_its_next_request_is_seen(ours, upstream):
    ours.create("a", upstream.address)
    server = ProxyServer(f"http://{ours.host}:{ours.port}")
    with ours.connect("a") as client, upstream.accept() as serving:
        port = client.sock.getsockname()[1]
        exchange(client, serving, "r1")
        client.send(ask("r2"))
        assert serving.receive(len(ask("r2"))) == ask("r2")
        server.observe("a", IdCarrier())
        serving.send(OK)
        assert client.receive(len(OK)) == OK
        exchange(client, serving, "r3")
        server.observe("a", IdCarrier(where="path"))
        exchange(client, serving, "r4")
        server.observe("a", None)
        exchange(client, serving, "r5")
        seen = server.requests("a").requests
    assert [(one.rid, one.seq, one.peer) for one in seen] == [("r3", 1, port), ("/pay", 2, port)]


def test_refusal_when_the_proxy_is_disabled_then_hides_requests_and_cuts_those_that_are_open(hop):
    client, server = hop.connect()
    with client, server:
        exchange(client, server, "r1")
        client.send(ask("r2"))
        assert server.receive(len(ask("r2"))) == ask("r2")
        hop.server.disable("a")
        with pytest.raises(ConnectionRefusedError):
            Peer.connect(hop.listen)
        assert client.ending() == "eof"
    hop.server.enable("a")
    client, server = hop.connect()
    with client, server:
        exchange(client, server, "r3")
    assert hop.ends() == {
        "r1": ("answered", 200, ()), "r2": ("cut", None, ()), "r3": ("answered", 200, ())
    }  # fmt: skip
