"""E-01, E-08 to E-15, E-17 to E-20: what toxics have beyond the original. Ours alone.

Leases, lifetimes and the limit of connections are cases of ``test_leases.py``.
"""

import http.client
import selectors
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.model.units import Duration
from harness.proxy.toxics import TOXICS
from tests.conformance.proxy.conftest import case
from tests.support.proxies import free_port
from tests.support.timing import at_once, clock, within

MOMENT = Duration.of_ms(300)
ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class HttpServer:
    """Keeps connections open, answers 200 and ``ok``; ``seen`` holds the paths it was asked for."""

    def __init__(self):
        seen = self.seen = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                seen.append(self.path)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_GET  # noqa: N815 - the name http.server asks for

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web():
    with closing(HttpServer()) as server:
        yield server


def browser(api, proxy="a"):
    """A keep-alive HTTP client of the proxy."""
    host, _, port = api.get(f"/proxies/{proxy}").json()["listen"].rpartition(":")
    return closing(http.client.HTTPConnection(host, int(port), timeout=10))


def fetched(client, path="/", **request):
    """Status, headers and body of one request on the connection it has; never a new one."""
    sock = client.sock
    client.request("GET", path, **request)
    answer = client.getresponse()
    body = answer.read()
    assert sock is None or client.sock is sock, "the connection was made anew"
    return answer.status, answer.headers, body


def statuses(client, count):
    return [fetched(client)[0] for _ in range(count)]


# What old clients see


@case("E-01")
def test_client_when_it_knows_no_extension_then_sees_no_new_key(ours, echo):
    proxy_keys = ["name", "listen", "upstream", "enabled", "toxics"]
    toxic_keys = ["attributes", "name", "type", "stream", "toxicity"]
    made = ours.create("a", echo.address)
    toxic = ours.toxic("a", attributes={"latency": 1})
    ours.toxic("a", "bandwidth", attributes={"rate": 1})
    changed = ours.patch("/proxies/a/toxics/latency_downstream", {"toxicity": 0.5}).json()
    listed = ours.get("/proxies").json()["a"]
    updated = ours.post("/proxies/a", {"enabled": True, "toxics": []}).json()
    assert [list(each) for each in (made, listed, updated)] == [proxy_keys] * 3
    toxics = [toxic, changed, *listed["toxics"], *ours.get("/proxies/a/toxics").json()]
    assert [list(each) for each in toxics] == [toxic_keys] * 6
    assert list(toxic["attributes"]) == ["latency", "jitter"]
    assert list(listed["toxics"][1]["attributes"]) == ["rate"]
    assert ours.delete("/proxies/a/toxics/latency_downstream").status == 204
    assert ours.delete("/proxies/a").status == 204


def test_toxic_when_it_has_extensions_then_answers_show_them_behind_the_five_keys(ours, echo):
    ours.create("db", echo.address)
    asked = {
        "type": "http_status", "toxicity": 0.2, "seed": 7, "attributes": {"retry_after": 1}
    }  # fmt: skip
    assert ours.post("/proxies/db/toxics", asked).body == (
        b'{"attributes":{"status":503,"body":"","content_type":"text/plain","retry_after":1,'
        b'"forward":false},"name":"http_status_downstream","type":"http_status",'
        b'"stream":"downstream","toxicity":0.2,"seed":7}'
    )


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"type": "latency", "per": "byte"}, "per"),
        ({"type": "latency", "codec": "smtp"}, "codec"),
        ({"type": "latency", "attributes": {"distribution": "poisson"}}, "distribution"),
        ({"type": "corrupt", "attributes": {"how": "melt"}}, "how"),
        ({"type": "corrupt", "attributes": {"every": 0}}, "every"),
        ({"type": "cut", "attributes": {"bytes": 1, "how": "gently"}}, "how"),
        ({"type": "cut"}, "bytes, messages, after_ms"),
        ({"type": "cut", "attributes": {"bytes": 1, "messages": 1}}, "bytes, messages, after_ms"),
        ({"type": "http_status", "attributes": {"status": 199}}, "status"),
        ({"type": "http_status", "codec": "redis"}, "codec"),
        ({"type": "http_status", "stream": "upstream"}, "stream"),
        ({"type": "blackhole_after", "stream": "upstream"}, "stream"),
        ({"type": "trickle", "stream": "upstream"}, "stream"),
    ],
)
def test_toxic_when_it_cannot_be_then_is_refused_by_the_name_of_what_is_wrong(ours, asked, name):
    ours.create("a", "127.0.0.1:1")
    reply = ours.post("/proxies/a/toxics", asked)
    assert reply.status == 400
    assert reply.error.startswith(f"{name}: ")
    assert ours.get("/proxies/a/toxics").json() == []


# The same seed, the same injections


def repeated(ours, address, look, **toxic):
    """What ``look`` sees on a proxy made anew, with seed 7 twice and then with 8."""
    found = []
    for seed in (7, 7, 8):
        ours.create("a", address)
        ours.toxic("a", seed=seed, **toxic)
        found.append(look())
        assert ours.delete("/proxies/a").status == 204
    return found


def echoes(ours, connections, each):
    """What comes back of zeros, connection by connection."""
    found = []
    for _ in range(connections):
        with ours.connect("a") as client:
            for _ in range(each):
                client.send(bytes(8))
                found.append(client.receive(8))
    return found


@case("E-08", effect=True)
@pytest.mark.parametrize(
    ("per", "connections", "each"), [("connection", 24, 1), ("request", 3, 12)]
)
def test_seed_when_the_same_then_the_same_are_hit_and_the_same_bytes_change(
    ours, echo, per, connections, each
):
    toxic = {"type": "corrupt", "toxicity": 0.5, "per": per, "attributes": {"every": 4}}
    first, again, other = repeated(
        ours, echo.address, lambda: echoes(ours, connections, each), **toxic
    )
    assert first == again
    assert first != other
    spared = first.count(bytes(8))
    assert 0 < spared < len(first)
    assert len(set(first)) > 4, "places are drawn"


@case("E-08", effect=True)
@pytest.mark.slow
@pytest.mark.serial
def test_seed_when_the_same_then_so_is_the_jitter(ours, echo):
    def delays():
        clients = [ours.connect("a") for _ in range(12)]
        for client in clients:
            client.send(b"x")
        took = arrivals(clients, clock())
        for client in clients:
            client.close()
        return took

    first, again, other = repeated(
        ours, echo.address, delays, type="latency", attributes={"latency": 900, "jitter": 900}
    )
    assert all(abs(one - two) <= 450 for one, two in zip(first, again, strict=True))
    assert max(abs(one - two) for one, two in zip(first, other, strict=True)) > 450


def arrivals(clients, began):
    """How long after ``began`` each client had a byte to read, in ms."""
    took = {}
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        while len(took) < len(clients):
            ready = selector.select(timeout=10)
            assert ready, "some never got an answer"
            for key, _ in ready:
                took[key.data] = clock() - began
                selector.unregister(key.fileobj)
                assert key.data.receive(1) == b"x"
    return [took[client] for client in clients]


# http_status


@case("E-09", effect=True)
def test_http_status_when_the_seed_says_so_then_first_is_503_and_second_passes(ours, web):
    def pattern(seed):
        ours.create("a", web.address)
        ours.toxic("a", "http_status", toxicity=0.5, seed=seed, attributes={"retry_after": 1})
        with browser(ours) as client:
            first, second = fetched(client), fetched(client)
        assert ours.delete("/proxies/a").status == 204
        return first, second

    found = {}
    for seed in range(40):
        first, second = pattern(seed)
        found[first[0], second[0]] = seed
        if (503, 200) in found:
            break
    first, second = pattern(found[503, 200])
    assert (first[0], first[1]["Retry-After"], first[2]) == (503, "1", b"")
    assert (second[0], second[2]) == (200, b"ok")


@case("E-10", effect=True)
def test_http_status_when_it_forwards_then_the_upstream_saw_the_request(ours, web):
    ours.create("a", web.address)
    ours.toxic("a", "http_status", attributes={"forward": True, "body": "no", "status": 500})
    with browser(ours) as client:
        for path in ("/one", "/two"):
            status, _, body = fetched(client, path, body=b"abc")
            assert (status, body) == (500, b"no")
    assert web.seen == ["/one", "/two"]


@case("E-10", effect=True)
def test_http_status_when_it_does_not_forward_then_the_upstream_saw_nothing(ours, web):
    ours.create("a", web.address)
    ours.toxic("a", "http_status")
    with browser(ours) as client:
        assert [fetched(client, body=b"abc")[0] for _ in range(3)] == [503] * 3
    assert web.seen == []


def test_http_status_when_the_stream_is_not_http_then_passes_it(ours, echo):
    ours.create("a", echo.address)
    ours.toxic("a", "http_status")
    with ours.connect("a") as client:
        client.round_trip(b"\x16\x03\x01 no HTTP")
        client.round_trip(b"GET / HTTP/1.1\r\n\r\n")


@case("E-09", effect=True)
def test_http_status_when_off_and_on_while_an_answer_passes_then_the_next_request_is_answered(
    ours, upstream
):
    ours.create("a", upstream.address)
    ours.toxic("a", "http_status", name="t", skip=1)
    with ours.connect("a") as client, upstream.accept() as server:
        client.send(ASK)
        assert server.receive(len(ASK)) == ASK
        assert ours.patch("/proxies/a/toxics/t", {"toxicity": 0}).status == 200
        server.send(ANSWER)
        assert client.receive(len(ANSWER)) == ANSWER
        assert ours.patch("/proxies/a/toxics/t", {"toxicity": 1}).status == 200
        client.send(ASK)
        assert client.receive(12) == b"HTTP/1.1 503"


@case("E-17", effect=True)
@pytest.mark.parametrize("connections", [[6], [1, 1, 2, 1, 1]])
def test_http_status_when_it_skips_three_and_takes_two_then_exactly_those(ours, web, connections):
    ours.create("a", web.address)
    ours.toxic("a", "http_status", skip=3, first=2)
    found = []
    for requests in connections:
        with browser(ours) as client:
            found += statuses(client, requests)
    assert found == [200, 200, 200, 503, 503, 200]
    shown = ours.get("/proxies/a/toxics/http_status_downstream").json()
    assert (shown["skip"], shown["first"], shown["hit"]) == (3, 2, 2)


@case("E-19", effect=True)
def test_match_when_two_values_are_given_then_those_requests_are_hit_and_no_other(ours, web):
    ours.create("a", web.address)
    ours.toxic(
        "a", "http_status", match={"header": "X-Request-Id", "values": ["r2", "r4"]}
    )  # fmt: skip
    with browser(ours) as client:
        found = [fetched(client, headers={"x-request-id": f"r{n}"})[0] for n in range(1, 6)]
    assert found == [200, 503, 200, 503, 200]
    assert len(web.seen) == 3


@case("E-19", effect=True)
def test_match_when_two_toxics_have_each_their_own_then_pipelined_answers_keep_their_order(
    ours, web
):
    ours.create("a", web.address)
    for name, status in (("first", 500), ("second", 429)):
        ours.toxic(
            "a", "http_status", name=name, attributes={"status": status},
            match={"header": "x", "values": [name]},
        )  # fmt: skip
    asked = ["second", "first", "none", "first", "second", "none", "second", "first"]
    with ours.connect("a") as client:
        client.send(
            b"".join(b"GET / HTTP/1.1\r\nHost: a\r\nx: %s\r\n\r\n" % x.encode() for x in asked)
        )
        reader = client.sock.makefile("rb")
        found = []
        for _ in asked:
            found.append(int(reader.readline().split()[1]))
            head = iter(reader.readline, b"\r\n")
            length = sum(
                int(h.split(b":")[1]) for h in head if h.lower().startswith(b"content-length")
            )
            reader.read(length)
    assert found == [{"first": 500, "second": 429, "none": 200}[x] for x in asked]


@case("E-17", effect=True)
@pytest.mark.parametrize("order", [["http_status", "latency"], ["latency", "http_status"]])
def test_toxics_when_both_read_messages_then_each_hits_its_own_whatever_their_order(
    ours, web, order
):
    ours.create("a", web.address)
    attributes = {"http_status": {}, "latency": {"latency": 400}}
    for kind in order:
        match = {"header": "x", "values": [kind]}
        ours.toxic("a", kind, attributes=attributes[kind], match=match)
    with browser(ours) as client:
        for asked in ("latency", "none", "http_status", "latency", "none", "latency"):
            began = clock()
            status = fetched(client, headers={"x": asked})[0]
            assert status == (503 if asked == "http_status" else 200)
            assert (clock() - began >= 400) == (asked == "latency"), asked


# blackhole_after, cut


@case("E-11", effect=True)
def test_cut_when_no_answer_may_pass_then_the_upstream_did_it_and_the_client_sees_a_reset(
    ours, upstream
):
    ours.create("a", upstream.address)
    ours.toxic("a", "cut", attributes={"messages": 0})
    with ours.connect("a") as client, upstream.accept() as server:
        client.send(b"do it")
        assert server.receive(5) == b"do it"
        server.send(b"done")
        assert client.last_words() == (b"", "reset")
        assert server.ending() == "reset"


@case("E-11", effect=True)
def test_cut_when_no_request_may_pass_then_it_never_arrives(ours, upstream):
    ours.create("a", upstream.address)
    ours.toxic("a", "cut", stream="upstream", attributes={"messages": 0, "how": "close"})
    with ours.connect("a") as client, upstream.accept() as server:
        client.send(b"do it")
        assert server.last_words() == (b"", "eof")
        assert client.last_words() == (b"", "eof")


@case("E-11", effect=True)
def test_cut_when_one_answer_of_http_may_pass_then_the_connection_ends_right_behind_it(ours, web):
    ours.create("a", web.address)
    ours.toxic("a", "cut", codec="http", attributes={"messages": 1, "how": "close"})
    with ours.connect("a") as client:
        client.send(ASK)
        got, end = client.last_words()
    assert got.endswith(b"\r\n\r\nok")
    assert end == "eof"


@case("E-12", effect=True)
@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("count", [1, 10, 100_000])
def test_cut_when_it_counts_bytes_then_exactly_so_many_pass(ours, upstream, count, how):
    ours.create("a", upstream.address)
    ours.toxic("a", "cut", attributes={"bytes": count, "how": how})
    data = bytes(range(256)) * 1000
    with ours.connect("a") as client, upstream.accept() as server:
        sender = threading.Thread(target=pushed, args=(server, data))
        sender.start()
        assert client.receive(count) == data[:count]
        assert client.last_words() == (b"", "eof" if how == "close" else "reset")
        sender.join()


def pushed(peer, data):
    """Sends what the other end takes before it goes."""
    with suppress(OSError):
        peer.send(data)


@case("E-12", effect=True)
@pytest.mark.serial
def test_cut_when_its_time_is_over_then_ends_without_traffic(ours, echo):
    ours.create("a", echo.address)
    with ours.connect("a") as client:
        client.round_trip()
        began = clock()
        ours.toxic("a", "cut", attributes={"after_ms": 400})
        client.round_trip()
        assert client.last_words() == (b"", "reset")
        assert within(clock() - began, 400)


@case("E-13", effect=True)
@pytest.mark.serial
@pytest.mark.parametrize("codec", ["turn", "http"])
def test_blackhole_when_one_is_answered_then_the_second_never_and_disable_closes_it(
    ours, upstream, codec
):
    ask, answer = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"
    ours.create("a", upstream.address)
    ours.toxic("a", "blackhole_after", codec=codec, attributes={"requests": 1})
    with ours.connect("a") as client, upstream.accept() as server:
        for number in range(3):
            client.send(ask)
            assert server.receive(len(ask)) == ask
            server.send(answer)
            if not number:
                assert client.receive(len(answer)) == answer
        assert client.silent(MOMENT)
        server.close()
        assert client.silent(MOMENT)
        began = clock()
        assert ours.patch("/proxies/a", {"enabled": False}).status == 200
        assert client.last_words() == (b"", "eof")
        assert at_once(clock() - began)


@case("E-13", effect=True)
@pytest.mark.serial
def test_blackhole_when_its_time_is_over_then_closes(ours, upstream):
    ours.create("a", upstream.address)
    ours.toxic("a", "blackhole_after", attributes={"timeout": 500})
    with ours.connect("a") as client, upstream.accept() as server:
        began = clock()
        client.send(b"ask")
        assert client.last_words() == (b"", "eof")
        assert within(clock() - began, 500)
        assert server.last_words() == (b"ask", "eof")


@case("E-13", effect=True)
def test_blackhole_when_nothing_is_forwarded_then_no_upstream_is_dialled(ours):
    ours.create("a", f"127.0.0.1:{free_port()}")
    ours.toxic("a", "blackhole_after", attributes={"forward": False})
    with ours.connect("a") as client:
        client.send(b"anybody?")
        assert client.silent(MOMENT)
        client.finish()
        assert client.last_words() == (b"", "eof")


@case("E-13", effect=True)
def test_blackhole_when_it_takes_some_requests_alone_then_the_others_reach_the_upstream(ours, web):
    ours.create("a", web.address)
    match = {"header": "x-request-id", "values": ["lost"]}
    ours.toxic("a", "blackhole_after", codec="http", match=match, attributes={"forward": False})
    with browser(ours) as client:
        assert [fetched(client, headers={"x-request-id": "r"})[0] for _ in range(2)] == [200, 200]
    with ours.connect("a") as client:
        client.send(ASK.replace(b"Host: a", b"X-Request-Id: lost"))
        assert client.silent(MOMENT)
    assert len(web.seen) == 2


# corrupt, latency, trickle


@case("E-14", effect=True)
@pytest.mark.parametrize("how", ["flip", "random", "zero"])
@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_corrupt_when_every_hundredth_of_ten_thousand_then_exactly_a_hundred_differ(
    ours, echo, how, stream
):
    ours.create("a", echo.address)
    ours.toxic("a", "corrupt", stream=stream, attributes={"every": 100, "how": how})
    data = b"\xa5" * 10_000
    with ours.connect("a") as client:
        client.send(data)
        got = client.receive(len(data))
    changed = [place // 100 for place, byte in enumerate(got) if byte != data[place]]
    assert changed == list(range(100))


@case("E-15", effect=True)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("distribution", "bound", "mean"), [("normal", 0, 100), ("pareto", 80, 100)]
)
def test_latency_when_drawn_from_a_distribution_then_never_below_its_bound(
    ours, echo, distribution, bound, mean
):
    """Over the wire a mean has no upper bound; the draws themselves are held in ``test_latency``."""
    ours.create("a", echo.address)
    attributes = {"latency": 80, "jitter": 20}
    if distribution == "normal":
        attributes = {"latency": 100, "jitter": 40}
    ours.toxic("a", seed=1, attributes={**attributes, "distribution": distribution})
    clients, took = [ours.connect("a") for _ in range(100)], []
    for _ in range(5):
        began = clock()
        for client in clients:
            client.send(b"x")
        took += arrivals(clients, began)
    for client in clients:
        client.close()
    assert min(took) >= bound
    assert sum(took) / len(took) >= 0.9 * mean
    assert max(took) - min(took) > 80, "delays are drawn"


@case("E-20", effect=True)
@pytest.mark.serial
def test_trickle_when_an_answer_has_a_body_then_headers_come_at_once_and_it_later(ours, upstream):
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", b"abc" * 100
    ours.create("a", upstream.address)
    ours.toxic("a", "trickle", attributes={"delay": 700, "rate": 1000})
    with ours.connect("a") as client, upstream.accept() as server:
        for _ in range(2):
            client.send(ASK)
            assert server.receive(len(ASK)) == ASK
            began = clock()
            server.send(head + body)
            assert client.receive(len(head)) == head
            assert at_once(clock() - began)
            assert client.receive(1) == body[:1]
            assert clock() - began >= 700
            assert client.receive(299) == body[1:]
            assert within(clock() - began, 700 + 300)


# Toxicity 0

HARSH = {
    "bandwidth": {"rate": 0},
    "blackhole_after": {"forward": False},
    "corrupt": {"every": 1},
    "cut": {"bytes": 0},
    "http_status": {},
    "latency": {"latency": 60000},
    "limit_data": {"bytes": 0},
    "noop": {},
    "reset_peer": {},
    "slicer": {"average_size": 1, "delay": 1_000_000},
    "slow_close": {"delay": 60000},
    "timeout": {"timeout": 1},
    "trickle": {"delay": 60000},
}
ASK, ANSWER = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
)


def client_finishes(client, server):
    client.finish()
    yield server.last_words()
    server.send(ANSWER)
    server.close()
    yield client.last_words()


def server_finishes(client, server):
    server.send(ANSWER)
    server.finish()
    yield client.last_words()
    client.send(b"one more")
    yield server.receive(8)
    client.close()
    yield server.last_words()


def client_resets(client, server):
    client.send(b"and")
    yield server.receive(3)
    client.reset()
    yield server.last_words()


def server_resets(client, server):
    server.send(b"and")
    yield client.receive(3)
    server.reset()
    yield client.last_words()


ENDS = (client_finishes, server_finishes, client_resets, server_resets)


def conversation(api, upstream, end):
    """All that both sides of a fresh connection see of one conversation."""
    with api.connect("a") as client, upstream.accept() as server:
        seen = []
        for ask, answer in ((ASK, ANSWER), (b"\x00\x01 no HTTP", b"\xff neither"), (ASK, ANSWER)):
            client.send(ask)
            seen.append(server.receive(len(ask)))
            server.send(answer)
            seen.append(client.receive(len(answer)))
        return seen + list(end(client, server))


@case("E-18")
@pytest.mark.parametrize("kind", sorted(TOXICS))
@pytest.mark.parametrize("per", ["connection", "request"])
def test_toxicity_when_zero_then_all_is_as_without_a_toxic(ours, upstream, kind, per):
    ours.create("a", upstream.address)
    plain = [conversation(ours, upstream, end) for end in ENDS]
    for stream in TOXICS[kind].streams:
        ours.toxic(
            "a", kind, stream=stream, toxicity=0, per=per, attributes=HARSH[kind]
        )  # fmt: skip
    assert len(ours.get("/proxies/a/toxics").json()) == len(TOXICS[kind].streams)
    assert [conversation(ours, upstream, end) for end in ENDS] == plain
    assert plain[0][-2:] == [(b"", "eof"), (ANSWER, "eof")]
