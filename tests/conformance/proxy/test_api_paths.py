"""TX-058 to TX-075: populate, other paths, guards, HTTP itself."""

import socket
import time

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.sockets import Peer

JSON = "application/json"


def entry(name, upstream="127.0.0.1:1", **more):
    return {"name": name, "listen": "127.0.0.1:0", "upstream": upstream, **more}


@case("TX-058")
def test_populate_when_new_then_answers_in_order_of_the_list(api):
    toxics = [{"type": "latency", "attributes": {"latency": 3}}]
    reply = api.post("/populate", [entry("b"), entry("a", enabled=False, toxics=toxics)])
    assert reply.status == 201
    proxies = reply.json()["proxies"]
    assert [(p["name"], p["enabled"]) for p in proxies] == [("b", True), ("a", False)]
    assert len(proxies[1]["toxics"]) == (0 if api.real else 1)


@case("TX-059")
@pytest.mark.parametrize("body", [b"{}", b'{"proxies":[]}', b""])
def test_populate_when_no_list_then_is_refused_as_json(api, body):
    reply = api.post("/populate", body)
    assert reply.status == 400
    assert reply.error.startswith("bad request body: ")
    assert reply.headers["content-type"] == JSON
    assert not reply.json()["proxies"]


@case("TX-060")
@pytest.mark.parametrize("body", [b"[]", b"null"])
def test_populate_when_list_is_empty_then(api, body):
    reply = api.post("/populate", body)
    assert (reply.status, reply.body) == (
        201, b'{"proxies":null}' if api.real else b'{"proxies":[]}')  # fmt: skip


@case("TX-061")
@pytest.mark.parametrize(
    ("second", "missing"), [({"upstream": "x:1"}, "name"), ({"name": "b"}, "upstream")]
)
def test_populate_when_second_lacks_a_field_then_nothing_is_created(api, second, missing):
    reply = api.post("/populate", [entry("a"), second])
    assert reply.says(400, f"missing required field: {missing} at proxy 2")
    assert api.get("/proxies").json() == {}


@case("TX-062")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_populate_when_it_is_there_already_then_connections_and_toxics_live_on(api, echo, host):
    made = api.create("a", echo.address)
    api.toxic("a", name="t")
    listen = made["listen"].replace("127.0.0.1", host)
    with api.connect("a") as client:
        client.round_trip()
        reply = api.post("/populate", [entry("a", echo.address, listen=listen)])
        assert reply.status == 201
        client.round_trip()
    assert len(api.get("/proxies/a/toxics").json()) == 1


@case("TX-063")
def test_populate_when_only_the_switch_differs_then_it_is_left(api, echo):
    listen = api.create("a", echo.address)["listen"]
    reply = api.post("/populate", [entry("a", echo.address, listen=listen, enabled=False)])
    assert reply.json()["proxies"][0]["enabled"] is True


@case("TX-064")
@pytest.mark.parametrize("listen", ["127.0.0.1:0", None])
def test_populate_when_on_any_port_then_all_is_new(api, echo, listen):
    before = api.create("a", echo.address)["listen"]
    api.toxic("a")
    with api.connect("a") as client:
        client.round_trip()
        reply = api.post("/populate", [entry("a", echo.address, listen=listen)])
        assert reply.status == 201
        assert client.ending() == "eof"
    after = api.get("/proxies/a").json()
    assert after["listen"] != before
    assert after["toxics"] == []


@case("TX-065")
def test_populate_when_upstream_differs_then_is_replaced(api, echo):
    listen = api.create("a", "127.0.0.1:1")["listen"]
    api.toxic("a")
    assert api.post("/populate", [entry("a", echo.address, listen=listen)]).status == 201
    after = api.get("/proxies/a").json()
    assert (after["listen"], after["upstream"], after["toxics"]) == (listen, echo.address, [])
    with api.connect("a") as client:
        client.round_trip()


@case("TX-066")
def test_populate_when_a_name_is_twice_in_it_then(api):
    reply = api.post("/populate", [entry("a"), entry("a", "127.0.0.1:2")])
    if api.real:
        assert reply.status == 201
        assert [proxy["enabled"] for proxy in reply.json()["proxies"]] == [False, True]
        assert api.get("/proxies/a").json()["upstream"] == "127.0.0.1:2"
    else:
        assert reply.status == 400
        assert api.get("/proxies").json() == {}


@case("TX-067")
def test_populate_when_second_of_three_cannot_listen_then_those_that_stay_are(api):
    with socket.create_server(("127.0.0.1", 0)) as blocker:
        taken = f"127.0.0.1:{blocker.getsockname()[1]}"
        reply = api.post("/populate", [entry("a"), entry("b", listen=taken), entry("c")])
        assert reply.status == 500
        assert [p["name"] for p in reply.json()["proxies"]] == (["a"] if api.real else [])
        there = set(api.get("/proxies").json())
        assert ("a" in there, "c" in there) == (api.real, False)
        assert api.real or not there


@case("TX-068")
def test_populate_when_an_old_one_cannot_move_then(api, echo):
    before = api.create("a", echo.address)
    taken = api.create("b", echo.address)["listen"]
    with api.connect("a") as client:
        client.round_trip()
        assert api.post("/populate", [entry("a", echo.address, listen=taken)]).status == 500
        after = api.get("/proxies/a").json()
        if api.real:
            assert client.ending() == "eof"
            assert (after["listen"], after["enabled"]) == (before["listen"], False)
        else:
            client.round_trip()
            assert after == before


@case("TX-069")
@pytest.mark.parametrize("path", ["/", "/nope", "/proxies/", "/proxies/a/b"])
def test_path_when_unknown_then_is_not_found_in_plain_text(api, path):
    reply = api.get(path)
    assert (reply.status, reply.body) == (404, b"404 page not found\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


@case("TX-070")
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/proxies"), ("HEAD", "/proxies"), ("OPTIONS", "/proxies"), ("GET", "/reset"),
     ("PUT", "/proxies/a"), ("DELETE", "/proxies/a/toxics")],
)  # fmt: skip
def test_method_when_not_of_this_path_then_is_refused_without_a_body(api, method, path):
    reply = api.call(method, path)
    assert (reply.status, reply.body) == (405, b"")
    assert api.real or reply.headers["allow"]


@case("TX-070")
def test_path_when_not_clean_then_is_redirected(api):
    reply = api.get("//proxies")
    assert (reply.status, reply.headers["location"]) == (301, "/proxies")


@case("TX-071")
@pytest.mark.parametrize(
    ("agent", "path", "status"),
    [("Mozilla/5.0", "/proxies", 403), ("mozilla/5.0", "/proxies", 200), ("Mozilla/5.0", "/x", 404)],
)  # fmt: skip
def test_browser_when_it_calls_then_is_refused_on_known_paths(api, agent, path, status):
    reply = api.call("GET", path, headers={"User-Agent": agent})
    assert reply.status == status
    if status == 403:
        assert reply.body == b"User agent not allowed\n"


@case("TX-072")
def test_page_when_it_calls_from_elsewhere_then_is_refused(api):
    for headers in ({"Origin": "http://evil"}, {"Host": "evil.example"}):
        reply = api.call("GET", "/proxies", headers=headers)
        assert reply.status == (200 if api.real else 403)
        assert api.real or reply.error
    preflight = api.call(
        "OPTIONS",
        "/proxies",
        headers={"Origin": "http://evil", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status == 405
    assert not any(name.startswith("access-control") for name in preflight.headers)


@case("TX-072")
@pytest.mark.parametrize(
    "host", ["127.0.0.1:8474", "localhost", "LOCALHOST:1", "[::1]:8474", "127.1.2.3"]
)
def test_caller_when_it_names_loopback_then_is_served(ours, host):
    assert ours.call("GET", "/proxies", headers={"Host": host}).status == 200


def raw(api, *pieces, until=b"\r\n\r\n"):
    """Sends bytes as they are; returns all that comes up to ``until`` or the end."""
    with Peer.connect(f"{api.host}:{api.port}") as caller:
        for piece in pieces:
            caller.send(piece)
        got = b""
        while until not in got:
            more = caller.sock.recv(1 << 16)
            if not more:
                break
            got += more
        return got


@case("TX-073")
def test_connection_when_kept_then_serves_three_calls(api):
    ask = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Peer.connect(f"{api.host}:{api.port}") as caller:
        for _ in range(3):
            caller.send(ask)
            got = b""
            while not got.endswith(b'"}\n'):
                got += caller.sock.recv(1 << 16)
            assert got.startswith(b"HTTP/1.1 200")


@case("TX-073")
def test_body_when_chunked_then_is_read(api):
    head = b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'7\r\n{"name"\r\n15\r\n:"a","upstream":"x:1"\r\n1\r\n}\r\n0\r\n\r\n'
    assert raw(api, head, body).startswith(b"HTTP/1.1 201")


@case("TX-073")
def test_http_1_0_when_answered_then_is_closed(api):
    got = raw(api, b"GET /version HTTP/1.0\r\n\r\n", until=b"never")
    assert b" 200 OK" in got.splitlines()[0]
    assert got.endswith(b'"}\n')


@case("TX-073")
def test_body_when_expected_then_100_comes_first(api):
    body = b'{"name":"a","upstream":"x:1"}'
    head = (
        b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    with Peer.connect(f"{api.host}:{api.port}") as caller:
        caller.send(head)
        assert caller.receive(len(b"HTTP/1.1 100")) == b"HTTP/1.1 100"
        caller.send(body)
        got = b""
        while b"201" not in got:
            got += caller.sock.recv(1 << 16)


@case("TX-074")
@pytest.mark.parametrize("request_bytes", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_request_when_it_is_none_then_is_refused_and_closed(api, request_bytes):
    got = raw(api, request_bytes, until=b"never")
    assert got.startswith(b"HTTP/1.1 400")


@case("TX-075")
@pytest.mark.slow
def test_request_when_never_complete_then_is_refused_while_others_go_on(api):
    head = b"POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"
    began = time.monotonic()
    with Peer.connect(f"{api.host}:{api.port}") as caller:
        caller.sock.settimeout(20)
        caller.send(head)
        assert api.get("/version").status == 200
        got = caller.receive(len(b"HTTP/1.1 503"))
    assert got == (b"HTTP/1.1 503" if api.real else b"HTTP/1.1 408")
    assert time.monotonic() - began < (17 if api.real else 15)
