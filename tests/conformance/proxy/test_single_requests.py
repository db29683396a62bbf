"""Faults that hit one request alone: its head is read and logged, then the fault acts. Ours alone.

They are those that docs/reference/proxy.md has in its table, read from there.
"""

import itertools
import json
from contextlib import ExitStack

import pytest

from harness.model.units import Duration
from harness.proxy.applied import draws_of
from tests.support.markdown import ROOT, rows
from tests.support.observed_hop import BODY, OK, PATIENCE, ObservedHop, ask, exchange
from tests.support.timing import at_once, clock
from tests.support.waiting import until_sync

MOMENT = Duration.of_ms(300)


@pytest.fixture
def hop(ours, upstream):
    return ObservedHop(ours, upstream)


DELAY_MS = DELAY_MS_IN_PAGE = 400


def documented():
    """The faults and their toxics, as the page about the proxy has them."""
    page = [row for row in rows(ROOT / "docs/reference/proxy.md") if row[1].startswith("`[{")]
    return {kind: json.loads(toxics.strip("`")) for kind, toxics, _ in page}


FAULTS = documented()


def fault(kind, **which):
    """The toxics of a fault, in the order in which they are made. ``which`` requests: their keys."""
    for toxic in FAULTS[kind]:
        attributes = {
            key: DELAY_MS if value == DELAY_MS_IN_PAGE else value
            for key, value in toxic["attributes"].items()
        }
        if toxic["type"] == "http_status":
            attributes["body"] = "no"
        yield {**toxic, "per": "request", "codec": "http", "attributes": attributes, **which}


NAMES = {
    "status late": ("http_status_downstream", "latency_downstream"),
    "status": ("http_status_downstream",),
    "reset": ("cut_upstream",),
    "reset late": ("reset_peer_upstream",),
    "blackhole": ("blackhole_after_downstream",),
    "latency": ("latency_downstream",),
    "trickle": ("trickle_downstream",),
}
assert set(NAMES) == set(FAULTS)

REACHES = {"latency", "trickle"}
"""The upstream sees the request under these."""


def apply(hop, kind, **which):
    for toxic in fault(kind, **which):
        assert hop.api.post("/proxies/a/toxics", toxic).status == 200


def failed(client):
    """An answer that the proxy made up."""
    got = b""
    while not got.endswith(b"\r\n\r\nno"):
        got += client.receive(1)
    return got[:12]


def trickled(client):
    """An answer whose head came at once."""
    began, head = clock(), BODY[: BODY.index(b"abc")]
    assert client.receive(len(head)) == head
    assert at_once(clock() - began)
    return head + client.receive(300)


SEES = {
    "status": failed,
    "reset": lambda client: client.last_words(),
    "blackhole": lambda client: client.silent(MOMENT),
    "latency": lambda client: client.receive(len(BODY)),
    "trickle": trickled,
}
LAST = {"reset", "reset late", "blackhole"}
"""The connection cannot be used again behind these."""


def suffer(client, server, rid, kind):
    """What a client sees of one request under a fault, and how long that takes in ms."""
    began = clock()
    client.send(ask(rid))
    if kind in REACHES:
        assert server.receive(len(ask(rid))) == ask(rid)
        server.send(BODY)
    return SEES[kind.split()[0]](client), clock() - began


GOT = {
    "status": b"HTTP/1.1 500", "reset": (b"", "reset"), "blackhole": True, "latency": BODY, "trickle": BODY,
}  # fmt: skip
END = {
    "status": ("answered", 500), "reset": ("cut", None), "blackhole": ("open", None), "latency": ("answered", 200),
    "trickle": ("answered", 200),
}  # fmt: skip
LATE = {"status late", "reset late", "latency", "trickle"}
HOW = {
    "match": {"match": {"header": "x-request-id", "values": ["hit"]}},
    "first": {"skip": 2, "first": 1},
    "toxicity": {"toxicity": 0.5},
}


def seed_for(kind):
    """A seed that spares the first two requests of the first connection and takes the third."""

    def hit(seed, toxic, number):
        return draws_of(seed, toxic, 1, number).random() < 0.5

    wanted = [False, False, True]
    return next(
        seed
        for seed in itertools.count()
        if all(
            [hit(seed, toxic, number) for number in (1, 2, 3)] == wanted for toxic in NAMES[kind]
        )
    )


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.serial
def test_fault_when_it_is_for_one_request_then_hits_it_alone_on_its_connection(hop, kind, how):
    """Two requests pass, the third is hit; where its connection can go on, the fourth passes."""
    which = dict(HOW[how])
    if how == "toxicity":
        which["seed"] = seed_for(kind)
    apply(hop, kind, **which)
    client, server = hop.connect()
    with client, server:
        exchange(client, server, "r1")
        exchange(client, server, "r2", BODY)
        got, took = suffer(client, server, "hit", kind)
        word = kind.split()[0]
        assert got == GOT[word]
        assert took >= DELAY_MS or kind not in LATE
        goes_on = kind not in LAST and how != "toxicity"
        if goes_on:
            exchange(client, server, "r4", BODY)
        seen = hop.ends()
        assert seen.pop("hit") == (*END[word], NAMES[kind])
        spared = ["r1", "r2", "r4"] if goes_on else ["r1", "r2"]
        assert seen == dict.fromkeys(spared, ("answered", 200, ()))
        if kind not in REACHES | LAST:
            server.finish()
            client.finish()
            assert server.rest() == b"", "the request never arrived"


def test_latency_when_made_before_the_status_then_does_not_delay_it(hop):
    for toxic in reversed(list(fault("status late"))):
        assert hop.api.post("/proxies/a/toxics", toxic).status == 200
    client, server = hop.connect()
    with client, server:
        assert suffer(client, server, "r1", "status")[0] == b"HTTP/1.1 500"
        assert hop.ends() == {"r1": ("answered", 500, ("http_status_downstream",))}


def test_share_when_a_late_status_is_for_some_then_latency_is_for_all(hop):
    seed = seed_for("status")
    status, latency = fault("status late", seed=seed)
    for toxic in ({**status, "toxicity": 0.5}, latency):
        assert hop.api.post("/proxies/a/toxics", toxic).status == 200
    client, server = hop.connect()
    with client, server:
        for number in range(1, 4):
            hit = number == 3
            client.send(ask(f"r{number}"))
            if not hit:
                assert server.receive(len(ask("r1"))) == ask(f"r{number}")
                server.send(OK)
            assert (failed(client) if hit else client.receive(len(OK))) == (
                GOT["status"] if hit else OK
            )
            ended = hop.requests()[f"r{number}"]
            assert (ended.ended - ended.arrived).in_ms >= DELAY_MS
        assert {one.status for one in hop.requests().values()} == {200, 500}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.serial
def test_request_when_in_flight_as_the_fault_comes_then_is_left_alone(hop, kind):
    client, server = hop.connect()
    with client, server:
        client.send(ask("r1"))
        assert server.receive(len(ask("r1"))) == ask("r1")
        apply(hop, kind)
        server.send(BODY)
        assert client.receive(len(BODY)) == BODY
        assert suffer(client, server, "r2", kind)[0] == GOT[kind.split()[0]]
        assert hop.ends()["r1"] == ("answered", 200, ())
        assert hop.ends()["r2"][2] == NAMES[kind]


@pytest.mark.parametrize("kind", ["status", "reset", "blackhole"])
def test_fault_when_for_the_first_two_arrivals_then_hits_them_on_whatever_connection(hop, kind):
    apply(hop, kind, first=2)
    with ExitStack() as stack:
        for rid in ("r1", "r2", "r3"):
            client, server = hop.connect()
            stack.enter_context(client)
            stack.enter_context(server)
            if rid == "r3":
                exchange(client, server, rid)
            else:
                assert suffer(client, server, rid, kind)[0] == GOT[kind]
        hit = (*END[kind], NAMES[kind])
        assert hop.ends() == {"r1": hit, "r2": hit, "r3": ("answered", 200, ())}
        (toxic,) = hop.api.get("/proxies/a/toxics").json()
        assert toxic["hit"] == 2


# Healing: what becomes of requests in flight when the toxics of a fault go


def heal(hop, kind):
    for name in NAMES[kind]:
        assert hop.server.remove_toxic("a", name)


LONG = 60_000


@pytest.fixture
def long(request, monkeypatch):
    monkeypatch.setattr(request.module, "DELAY_MS", LONG)


def in_flight(hop, kind):
    """A request that the fault holds, behind one that passed."""
    client, server = hop.connect()
    exchange(client, server, "r1")
    apply(hop, kind)
    client.send(ask("hit"))
    if kind in REACHES:
        assert server.receive(len(ask("hit"))) == ask("hit")
        server.send(BODY)
    until_sync(
        lambda: hop.ends().get("hit", ("", None, ()))[2] == NAMES[kind],
        within=PATIENCE,
        what="the fault holds the request",
    )
    return client, server


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("kind", ["status late", "latency", "trickle"])
def test_request_when_delayed_and_the_fault_goes_then_its_answer_comes_and_the_next_passes(
    hop, kind
):
    client, server = in_flight(hop, kind)
    with client, server:
        heal(hop, kind)
        assert (client.receive(len(BODY)) if kind in REACHES else failed(client)) == GOT[
            kind.split()[0]
        ]
        exchange(client, server, "r3")
        assert hop.ends()["hit"] == (*END[kind.split()[0]], NAMES[kind])


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize(("kind", "ending"), [("blackhole", "eof"), ("reset late", "reset")])
def test_request_when_swallowed_and_the_fault_goes_then_is_cut_without_an_answer(hop, kind, ending):
    client, server = in_flight(hop, kind)
    with client, server:
        assert hop.ends()["hit"] == ("open", None, NAMES[kind])
        heal(hop, kind)
        assert client.last_words() == (b"", ending)
        assert hop.ends()["hit"] == ("cut", None, NAMES[kind])
    client, server = hop.connect()
    with client, server:
        exchange(client, server, "r3")


def test_request_when_swallowed_and_the_client_leaves_then_is_abandoned_and_the_server_told(hop):
    client, server = in_flight(hop, "blackhole")
    with server:
        client.close()
        seen = hop.ended("hit")
        assert (seen.end, seen.began, seen.injected) == ("abandoned", False, NAMES["blackhole"])
        assert server.last_words() == (b"", "eof")


def test_request_when_swallowed_first_of_all_then_others_pass_while_the_fault_stands(hop):
    """A hung trial: the first arrival hangs, the rest is healthy, and nobody has to be quick."""
    apply(hop, "blackhole", first=1)
    client, server = hop.connect()
    with client, server:
        client.send(ask("trial"))
        for rid in ("r2", "r3"):
            other, serving = hop.connect()
            with other, serving:
                exchange(other, serving, rid)
        assert client.silent(MOMENT)
        assert hop.ends()["trial"] == ("open", None, NAMES["blackhole"])


# Pipelined requests get their own


@pytest.mark.parametrize("kind", ["status", "status late", "latency", "trickle"])
def test_toxic_when_it_hits_one_of_four_pipelined_requests_then_that_one_is_told(hop, kind):
    match = {"header": "x-request-id", "values": ["hit"]}
    apply(hop, kind, match=match)
    client, server = hop.connect()
    with client, server:
        rids = ["r1", "r2", "hit", "r4"]
        client.send(b"".join(ask(rid) for rid in rids))
        reach = rids if kind in REACHES else ["r1", "r2", "r4"]
        asked = b"".join(ask(rid) for rid in reach)
        assert server.receive(len(asked)) == asked
        server.send(BODY * len(reach))
        hop.ended("r4")
        injected = {rid: one.injected for rid, one in hop.requests().items()}
        assert injected == {"r1": (), "r2": (), "hit": NAMES[kind], "r4": ()}


def test_toxics_when_each_takes_its_own_of_pipelined_requests_then_each_is_told_of_its_own(hop):
    """The second one never sees what the first one took, and counts otherwise."""
    for number in (1, 2, 3):
        toxic = {
            "type": "http_status", "name": f"t{number}", "attributes": {"status": 500 + number},
            "match": {"header": "x-request-id", "values": [f"r{number}"]},
        }  # fmt: skip
        assert hop.api.post("/proxies/a/toxics", toxic).status == 200
    client, server = hop.connect()
    with client, server:
        for rids in (["r1", "r2", "r0", "r3"], ["r3", "r0", "r1"], ["r2"], ["r0"]):
            client.send(b"".join(ask(rid) for rid in rids))
            passing = ask("r0") * rids.count("r0")
            assert server.receive(len(passing)) == passing
            server.send(OK * rids.count("r0"))
            until_sync(
                lambda: all(one.end == "answered" for one in hop.requests().values()),
                within=PATIENCE,
                what="all are answered",
            )
        seen = sorted(hop.server.requests("a").requests, key=lambda one: one.seq)
    assert [(one.rid, one.status, one.injected) for one in seen] == [
        ("r1", 501, ("t1",)), ("r2", 502, ("t2",)), ("r0", 200, ()), ("r3", 503, ("t3",)),
        ("r3", 503, ("t3",)), ("r0", 200, ()), ("r1", 501, ("t1",)),
        ("r2", 502, ("t2",)), ("r0", 200, ()),
    ]  # fmt: skip
