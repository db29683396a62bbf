"""The client of any Toxiproxy: what it sends, what it refuses to send, what it reads."""

import json
import subprocess
import sys
import threading

import pytest

from harness.model.breaker import IdCarrier
from harness.model.errors import UserError
from harness.model.units import Duration, Instant
from harness.proxy.client import (
    Counts,
    ProxyCallFailed,
    ProxyServer,
    ProxyState,
    ProxyUnreachable,
    Request,
    Turn,
    TurnPage,
    checked_attributes,
)
from harness.proxy.states import Extensions, Match, ToxicState
from tests.support.canned import Canned
from tests.support.waiting import until_sync

PROXY = (
    b'{"name":"a","listen":"127.0.0.1:5","upstream":"x:1","enabled":true,"Logger":{},"toxics":[]}'
)
NOT_FOUND = (404, b'{"error":"toxic not found","status":404}\n')


def add(server, **more):
    server.add_toxic(
        "a",
        **{
            "name": "t",
            "type": "latency",
            "stream": "upstream",
            "toxicity": 0.5,
            "attributes": {"latency": 40},
            **more,
        },
    )


def test_create_when_done_then_returns_the_real_address():
    with Canned({"GET /proxies": (200, b"{}"), "POST /proxies": (201, PROXY)}) as canned:
        state = ProxyServer(canned.url).create("a", upstream="x:1")
    assert state == ProxyState(name="a", listen="127.0.0.1:5", upstream="x:1", enabled=True)
    assert json.loads(canned.asked[-1][2]) == {
        "name": "a",
        "upstream": "x:1",
        "listen": "127.0.0.1:0",
    }


def test_toxic_when_added_then_all_of_it_is_sent():
    with Canned({"POST /proxies/a/toxics": (200, b"{}")}) as canned:
        add(ProxyServer(canned.url))
    assert json.loads(canned.asked[-1][2]) == {
        "name": "t",
        "type": "latency",
        "stream": "upstream",
        "toxicity": 0.5,
        "attributes": {"latency": 40, "jitter": 0},
    }


def test_toxic_when_added_with_more_than_toxiproxy_knows_then_that_is_sent_beside_it():
    extensions = {"first": 2, "match": {"header": "h", "values": ["a"]}, "lease": "l-1"}
    with Canned({"POST /proxies/a/toxics": (200, b"{}")}) as canned:
        add(ProxyServer(canned.url), extensions=extensions)
    sent = json.loads(canned.asked[-1][2])
    assert sent == {
        "name": "t",
        "type": "latency",
        "stream": "upstream",
        "toxicity": 0.5,
        "attributes": {"latency": 40, "jitter": 0},
        **extensions,
    }


def test_toxic_when_removed_then_says_whether_it_was_there():
    with Canned({"DELETE /proxies/a/toxics/t": (204, b"")}) as canned:
        assert ProxyServer(canned.url).remove_toxic("a", "t") is True
    with Canned({"DELETE /proxies/a/toxics/t": NOT_FOUND}) as canned:
        assert ProxyServer(canned.url).remove_toxic("a", "t") is False
    with (
        Canned({"DELETE /proxies/a/toxics/t": (503, b"<html>")}) as canned,
        pytest.raises(ProxyCallFailed),
    ):
        ProxyServer(canned.url).remove_toxic("a", "t")


def test_toxics_when_listed_then_are_states():
    toxic = b'[{"attributes":{"latency":1},"name":"t","type":"latency","stream":"upstream","toxicity":1}]'
    with Canned({"GET /proxies/a/toxics": (200, toxic)}) as canned:
        (state,) = ProxyServer(canned.url).toxics("a")
    assert state == ToxicState(
        name="t", type="latency", stream="upstream", toxicity=1.0, attributes={"latency": 1}
    )


def test_toxics_when_they_have_more_than_toxiproxy_knows_then_that_is_read_too():
    toxic = {
        "attributes": {"latency": 1},
        "name": "t",
        "type": "latency",
        "stream": "upstream",
        "toxicity": 1,
        "skip": 3,
        "hit": 2,
        "match": {"header": "h", "values": ["a"]},
        "lease": "l-1",
    }
    with Canned({"GET /proxies/a/toxics": (200, json.dumps([toxic]).encode())}) as canned:
        (state,) = ProxyServer(canned.url).toxics("a")
    # ``hit`` counts on; two readings of a toxic nobody changed are equal.
    assert state.extensions == Extensions(
        skip=3, match=Match(header="h", values=("a",)), lease="l-1"
    )


@pytest.mark.parametrize("body", [b"[1]", b"{}1", b'[{"name":"t"}]', b"7", b'[{"match":1}]'])
def test_toxics_when_they_cannot_be_read_then_it_is_a_failure(body):
    with Canned({"GET /proxies/a/toxics": (200, body)}) as canned, pytest.raises(ProxyCallFailed):
        ProxyServer(canned.url).toxics("a")


def test_proxy_when_shown_then_is_its_state_or_not_there():
    with Canned({"GET /proxies/a": (200, PROXY)}) as canned:
        server = ProxyServer(canned.url)
        assert server.proxy("a") == ProxyState(
            name="a", listen="127.0.0.1:5", upstream="x:1", enabled=True
        )
        assert server.proxy("b") is None
    with Canned({"GET /proxies/a": (200, b"[]")}) as canned, pytest.raises(ProxyCallFailed):
        ProxyServer(canned.url).proxy("a")


def test_proxy_when_switched_then_nothing_else_is_said_of_it():
    with Canned({"POST /proxies/a": (200, PROXY)}) as canned:
        server = ProxyServer(canned.url)
        server.disable("a")
        server.disable("a", lease="l-1")
        server.enable("a")
    assert [json.loads(body) for _, _, body in canned.asked] == [
        {"enabled": False},
        {"enabled": False, "lease": "l-1"},
        {"enabled": True},
    ]


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        (b"", Counts(connections=3)),
        (b',"open":1,"acted":{"t":5}', Counts(connections=3, open=1, acted={"t": 5})),
    ],
    ids=["before", "now"],
)
def test_counts_when_the_server_tells_more_or_less_then_what_it_tells(more, counts):
    body = b'{"turns":[],"next":7,"dropped":0,"connections":3,"bytes_up":4,"bytes_down":5%b}' % more
    with Canned({"GET /proxies/a/turns?after=100000000000000000": (200, body)}) as canned:
        assert ProxyServer(canned.url).counts("a") == counts


@pytest.mark.parametrize(
    "name", ["a/b", "q#x", "q?x", "q%41", "", ".", "..", "ü", "x" * 201, "a\n"]
)
def test_name_when_it_could_reach_another_then_is_not_sent(name):
    with Canned({}) as canned:
        server = ProxyServer(canned.url)
        for call in (
            lambda: server.create(name, upstream="x:1"),
            lambda: server.delete(name),
            lambda: server.toxics(name),
            lambda: server.remove_toxic("a", name),
            lambda: server.proxy(name),
            lambda: server.disable(name),
            lambda: server.enable(name),
            lambda: server.counts(name),
            lambda: add(server, name=name),
            lambda: server.turns(name),
            lambda: server.observe(name, None),
            lambda: server.requests(name),
        ):
            with pytest.raises(UserError, match="cannot name"):
                call()
    assert canned.asked == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributes": {"latency": 9223372036855}}, "latency.latency: 9223372036855"),
        ({"attributes": {"jitter": 2**62}}, "latency.jitter: "),
        ({"attributes": {"lag": 1}}, "latency has no attribute 'lag'; it has latency, jitter"),
        ({"type": "nope"}, "'nope' is no toxic; there are bandwidth"),
        (
            {"type": "slicer", "attributes": {"average_size": 1, "size_variation": 2}},
            "slicer.size_variation: 2 is more than average_size",
        ),
    ],
)
def test_toxic_when_it_would_harm_the_server_then_is_not_sent(change, message):
    with Canned({}) as canned, pytest.raises(UserError) as refused:
        add(ProxyServer(canned.url), **change)
    assert message in str(refused.value)
    assert canned.asked == []


def test_attributes_when_partly_given_then_are_completed():
    assert checked_attributes("latency", {"jitter": 3}) == {"latency": 0, "jitter": 3}


def test_turns_when_read_then_are_instants():
    body = (
        b'{"turns":[{"conn":1,"seq":2,"arrived":5,"upstream":null,"ended":9,"end":"cut",'
        b'"injected":["lag"]}],"next":7,"dropped":0,"connections":3,"bytes_up":4,"bytes_down":5}'
    )
    with Canned({"GET /proxies/a/turns?after=6": (200, body)}) as canned:
        page = ProxyServer(canned.url).turns("a", 6)
    turn = Turn(
        conn=1,
        seq=2,
        arrived=Instant.of_ns(5),
        upstream=None,
        ended=Instant.of_ns(9),
        end="cut",
        injected=("lag",),
    )
    assert page == TurnPage(
        turns=(turn,), next=7, dropped=0, connections=3, bytes_up=4, bytes_down=5
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>"])
def test_answer_when_it_cannot_be_understood_then_is_a_failure(body):
    with Canned(
        {"GET /proxies/a/turns?after=0": (200, body), "GET /version": (200, body)}
    ) as canned:
        server = ProxyServer(canned.url)
        for call in (lambda: server.turns("a"), server.version):
            with pytest.raises(ProxyCallFailed):
                call()


@pytest.mark.parametrize("said", ["git", "2.12.0"])
def test_version_when_asked_then_is_what_the_server_says(said):
    with Canned({"GET /version": (200, f'{{"version": "{said}"}}\n'.encode())}) as canned:
        assert ProxyServer(canned.url).version() == said


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8474", "https://h:1", "http://", "http://h:x", "http://h:1/path", "http://h:99999"],
)
def test_url_when_no_api_then_says_how_to_write_it(url):
    with pytest.raises(UserError, match="http://host:port"):
        ProxyServer(url)


def test_url_when_written_with_a_slash_or_no_port_then_is_taken():
    assert ProxyServer("http://127.0.0.1:8474/").url == "http://127.0.0.1:8474"
    assert ProxyServer("http://127.0.0.1").url == "http://127.0.0.1:80"


def test_import_when_done_then_is_light():
    code = (
        "import sys, harness.proxy.client, harness.proxy.daemon, harness.proxy.toxics.latency;"
        "print(*{'requests', 'toxiproxy', 'aiohttp', 'pydantic'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_error_when_unreachable_then_is_no_failed_call():
    assert not issubclass(ProxyUnreachable, ProxyCallFailed)


def test_undoing_when_another_server_is_stuck_then_does_not_wait_for_it():
    """Calls through the package share a lock; a guardian must undo all the same."""
    with (
        Canned({"GET /proxies": None}) as stuck,
        Canned(
            {"DELETE /proxies/a": (204, b""), "DELETE /proxies/a/toxics/t": (204, b"")}
        ) as other,
    ):
        waiting = threading.Thread(target=unanswered, args=(stuck.url,))
        waiting.start()
        until_sync(lambda: stuck.asked, within=Duration.of_s(5), what="the stuck one was asked")
        server = ProxyServer(other.url, timeout=Duration.of_s(2))
        assert server.remove_toxic("a", "t")
        assert server.delete("a")
        assert waiting.is_alive()
    waiting.join()


def unanswered(url):
    with pytest.raises(ProxyUnreachable):
        ProxyServer(url).proxies()


OBSERVED = PROXY[:-1] + b',"observe":{"header":"x-id"}}'


def test_observer_when_set_then_the_server_must_show_it():
    with Canned({"POST /proxies/a": (200, OBSERVED)}) as canned:
        server = ProxyServer(canned.url)
        server.observe("a", IdCarrier(name="x-id"))
        with pytest.raises(ProxyCallFailed, match="where None was asked for"):
            server.observe("a", None)
    assert json.loads(canned.asked[0][2]) == {"observe": {"header": "x-id"}}
    assert json.loads(canned.asked[1][2]) == {"observe": None}


@pytest.mark.parametrize("body", [PROXY, b"[]", b"null", b"<html>"])
def test_observer_when_the_server_knows_none_then_it_is_a_failure(body):
    with Canned({"POST /proxies/a": (200, body)}) as canned, pytest.raises(ProxyCallFailed):
        ProxyServer(canned.url).observe("a", IdCarrier(where="path"))


def request_page(*seqs, next, more, lag):
    requests = [
        {"conn": 1, "seq": seq, "turn": 1, "peer": None, "method": "GET", "rid": None, "arrived": 5, "ended": 9,
         "end": "downstream-cut", "status": None, "began": False, "injected": []}
        for seq in seqs
    ]  # fmt: skip
    return json.dumps(
        {"requests": requests, "next": next, "more": more, "dropped": 1, "unreadable": 2, "upgraded": 3,
         "connections": 4, "open": 5, "held": 6, "lag": lag, "taken": 99}
    ).encode()  # fmt: skip


def test_requests_when_they_fill_several_pages_then_are_one():
    pages = {
        "GET /proxies/a/requests?after=7": (200, request_page(1, 2, next=9, more=True, lag=50)),
        "GET /proxies/a/requests?after=9": (200, request_page(3, next=10, more=False, lag=20)),
    }
    with Canned(pages) as canned:
        page = ProxyServer(canned.url).requests("a", 7)
    assert ([one.seq for one in page.requests], page.next, page.more) == ([1, 2, 3], 10, False)
    assert (page.lag, page.taken) == (Duration.of_ns(50), Instant.of_ns(99))
    assert page.requests[0] == Request(
        conn=1, seq=1, turn=1, peer=None, method="GET", rid=None, arrived=Instant.of_ns(5),
        ended=Instant.of_ns(9), end="downstream-cut", status=None, began=False, injected=(),
    )  # fmt: skip


def test_requests_when_not_observed_or_not_understood_then_it_is_a_failure():
    with Canned({"GET /proxies/b/requests?after=0": (200, b"{}")}) as canned:
        for name in ("a", "b"):
            with pytest.raises(ProxyCallFailed):
                ProxyServer(canned.url).requests(name)
