"""A toxic as a fault: its intention holds all that undoing needs, and its words name what remains."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.fault import LAPSED, HopOnProxy, Terms
from harness.faults.toxic import ToxicFault, undo_from
from harness.model.events import FaultIntended
from harness.model.plan import FaultStep, HeaderMatch
from harness.model.units import Duration, Instant
from harness.proxy.client import (
    Counts,
    ProxyCallFailed,
    ProxyServer,
    ProxyUnreachable,
    Turn,
)
from harness.proxy.states import ToxicState

HERE = HopOnProxy(
    admin="http://127.0.0.1:8474",
    proxy="harness-r-db",
    observed="here",
    watch_admin="http://127.0.0.1:8474",
    watch_proxy="harness-r-db",
)
BEFORE = HopOnProxy(
    admin="http://127.0.0.1:8474",
    proxy="harness-r-db",
    observed="before",
    watch_admin="http://127.0.0.1:9000",
    watch_proxy="db",
)
TERMS = Terms(seed=28474)
ms = Duration.of_ms


class Server:
    """What the proxy server was asked, and what it says: ``acted`` is its count, None for none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.added: list[dict[str, Any]] = []
        self.removed: list[tuple[str, ...]] = []
        self.toxics: tuple[ToxicState, ...] = ()
        self.acted: Mapping[str, int] | None = {}
        self.there = True
        self.fails: Exception | None = None

        def counts(_server: ProxyServer, _proxy: str) -> Counts:
            acted = None if self.acted is None else dict(self.acted)
            return Counts(connections=0, open=0, acted=acted)

        def toxics(_server: ProxyServer, _proxy: str) -> tuple[ToxicState, ...]:
            if self.fails is not None:
                raise self.fails
            return self.toxics

        monkeypatch.setattr(ProxyServer, "toxics", toxics)
        monkeypatch.setattr(ProxyServer, "counts", counts)
        monkeypatch.setattr(ProxyServer, "add_toxic", lambda _s, _p, **k: self.added.append(k))
        monkeypatch.setattr(
            ProxyServer, "remove_toxic", lambda s, proxy, toxic: self._remove(s.url, proxy, toxic)
        )

    def _remove(self, *asked: str) -> bool:
        self.removed.append(asked)
        return self.there


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def step(**changes: object) -> FaultStep:
    given: dict[str, object] = {
        "id": "latency@db",
        "kind": "latency",
        "on": "db",
        "params": {"latency": "40ms", "jitter": "10ms"},
    }
    return FaultStep(**{**given, **changes})  # type: ignore[arg-type]  # fields by name


SLOW_CLOSE = step(id="slow_close@db", kind="slow_close", params={"delay": "2s"})


def a_turn(arrived: Instant, took: Duration, *injected: str, end: str = "answered") -> Turn:
    return Turn(
        conn=1,
        seq=1,
        arrived=arrived,
        upstream=arrived,
        ended=arrived + took,
        end=end,  # type: ignore[arg-type]  # one of the words
        injected=injected,
    )


def test_undo_from_when_only_the_intention_is_known_then_the_same_toxic_is_removed(server: Server):
    fault = ToxicFault(step(), HERE, round=3)
    assert undo_from(fault.intend())
    fault.undo()
    assert server.removed == [("http://127.0.0.1:8474", "harness-r-db", "latency@db")] * 2


def test_apply_when_any_toxiproxy_can_do_it_then_nothing_else_is_sent(server: Server):
    ToxicFault(step(stream="upstream", toxicity=0.5), BEFORE, round=1).apply(TERMS)
    (toxic,) = server.added
    assert toxic == {
        "name": "latency@db",
        "type": "latency",
        "stream": "upstream",
        "toxicity": 0.5,
        "attributes": {"latency": 40, "jitter": 10},
        "extensions": {},
    }


def test_apply_when_the_step_says_whom_to_hit_then_the_proxy_is_told(server: Server):
    whom = step(
        per="request",
        codec="http",
        skip=3,
        first=2,
        match=HeaderMatch(header="x-request-id", values=("a", "b")),
        seed=7,
    )
    ToxicFault(whom, HERE, round=1).apply(Terms(seed=28474, lease="l-1"))
    (toxic,) = server.added
    assert toxic["extensions"] == {
        "seed": 7,
        "per": "request",
        "codec": "http",
        "skip": 3,
        "first": 2,
        "match": {"header": "x-request-id", "values": ["a", "b"]},
        "lease": "l-1",
    }


@pytest.mark.parametrize(
    ("hop", "lease", "seed"),
    [
        pytest.param(HERE, "l-1", 28474, id="ours-may-be-older-than-the-run"),
        pytest.param(BEFORE, "l-1", 28474, id="another-of-ours-is-told"),
        pytest.param(BEFORE, None, None, id="a-toxiproxy-would-not-listen"),
    ],
)
def test_apply_when_the_step_has_no_seed_then_draws_still_come_from_the_runs(
    server: Server, hop: HopOnProxy, lease: str | None, seed: int | None
):
    ToxicFault(step(), hop, round=1).apply(Terms(seed=28474, lease=lease))
    assert server.added[0]["extensions"].get("seed") == seed


@given(st.integers(2, 99))
def test_intend_when_it_is_one_of_several_then_its_name_needs_no_escaping_in_a_path(number: int):
    event = ToxicFault(step(id=f"latency@db#{number}"), HERE, round=1).intend()
    assert event.undo["toxic"] == f"latency@db.{number}"
    assert isinstance(event, FaultIntended)


def test_remains_when_undoing_failed_then_the_command_removes_just_this_toxic():
    what, command = ToxicFault(step(), HERE, round=1).remains
    assert "latency@db" in what
    assert command == (
        "curl -X DELETE http://127.0.0.1:8474/proxies/harness-r-db/toxics/latency@db"
    )


def test_verify_when_a_message_outside_its_time_was_fast_then_it_is_not_missed(server: Server):
    fault = ToxicFault(step(), HERE, round=1)
    applied = fault.apply(TERMS)
    fault.undo()
    found = fault.verify([a_turn(applied.asked - ms(10), ms(1))], [])
    assert (found.messages, found.hit, found.missed) == (0, 0, 0)


def test_verify_when_never_applied_then_nothing_was_seen():
    fault = ToxicFault(step(), HERE, round=1)
    assert fault.verify([a_turn(Instant.of_ns(10**9), ms(41))], []).messages == 0


@pytest.mark.parametrize(
    ("whom", "missed"),
    [
        pytest.param({}, 1, id="all"),
        pytest.param({"toxicity": 0.5}, 0, id="a-share"),
        pytest.param({"per": "request"}, 0, id="what-can-be-read"),
        pytest.param({"codec": "http"}, 0, id="http"),
        pytest.param({"skip": 1}, 0, id="not-the-first"),
        pytest.param({"first": 1}, 0, id="the-first"),
        pytest.param({"match": HeaderMatch(header="a", values=("b",))}, 0, id="a-header"),
        pytest.param({"seed": 7}, 1, id="a-seed-spares-none"),
        pytest.param({"params": {"latency": "40ms", "jitter": "40ms"}}, 0, id="may-draw-nothing"),
    ],
)
def test_verify_when_the_toxic_may_spare_a_message_then_none_counts_as_missed(
    server: Server, whom: dict[str, Any], missed: int
):
    fault = ToxicFault(step(**whom), HERE, round=1)
    applied = fault.apply(TERMS)
    undone = fault.undo()
    assert undone.asked >= applied.confirmed
    assert fault.verify([a_turn(applied.confirmed, Duration.ZERO)], []).missed == missed


def test_verify_when_another_fault_delays_the_same_hop_then_both_delays_are_asked(server: Server):
    first, second = (
        ToxicFault(step(), BEFORE, round=1),
        ToxicFault(step(id="latency@db#2", params={"latency": "5ms"}), BEFORE, round=1),
    )
    first.apply(TERMS)
    applied = second.apply(TERMS)
    turns = [a_turn(applied.confirmed, ms(31)), a_turn(applied.confirmed, ms(36))]
    second.undo()
    first.undo()
    second._until = first._until = applied.confirmed + ms(1000)
    assert second.verify(turns, [first]).hit == 1
    # The second began later: nobody knows that it delayed all that the first did.
    assert first.verify(turns, [second]).hit == 2


def test_verify_when_no_turn_shows_it_then_what_the_proxy_counted_since_the_release_does(
    server: Server,
):
    fault = ToxicFault(SLOW_CLOSE, HERE, round=2)
    server.acted = {"slow_close@db": 5}
    fault.apply(TERMS)
    server.acted = {"slow_close@db": 7}
    assert fault.asks_before_release
    fault.before_release()
    server.acted = {"slow_close@db": 10}
    fault.undo()
    found = fault.verify([], [])
    assert (found.hit, found.of) == (3, "connection")


def test_verify_when_undone_before_the_release_then_what_warmed_up_is_no_evidence(server: Server):
    fault = ToxicFault(SLOW_CLOSE, HERE, round=1)
    applied = fault.apply(TERMS)
    server.acted = {"slow_close@db": 20}
    undone = fault.undo()
    warming = a_turn(applied.confirmed, ms(1), "slow_close@db")
    found = fault.verify([warming], [], released=undone.confirmed)
    assert (found.hit, found.messages) == (0, 0)
    assert "over before the first request was released" in found.unseen


def test_verify_when_nobody_looked_before_the_release_then_the_count_is_no_evidence(
    server: Server,
):
    fault = ToxicFault(SLOW_CLOSE, HERE, round=1)
    applied = fault.apply(TERMS)
    server.acted = {"slow_close@db": 20}
    fault.undo()
    fault._until = applied.confirmed + ms(1000)
    assert fault.verify([], [], released=applied.confirmed + ms(1)).hit == 0


@pytest.mark.parametrize(
    ("kind", "params", "whom", "hit"),
    [
        pytest.param("latency", {"latency": "40ms"}, {}, 1, id="delay-all"),
        pytest.param("latency", {"latency": "40ms"}, {"toxicity": 1e-6}, 0, id="delay-a-share"),
        pytest.param("latency", {"latency": "40ms"}, {"first": 1}, 0, id="delay-the-first"),
        pytest.param("cut", {"messages": 0}, {"toxicity": 1e-6}, 0, id="end-a-share"),
        pytest.param("cut", {"messages": 0}, {"skip": 500}, 0, id="end-not-these"),
        pytest.param("cut", {"messages": 0}, {"codec": "redis"}, 0, id="end-if-read"),
        pytest.param("cut", {"messages": 0}, {"first": 1}, 1, id="end-the-first"),
        pytest.param("blackhole_after", {}, {"toxicity": 0.5}, 0, id="silence-a-share"),
        pytest.param("blackhole_after", {}, {"first": 1}, 1, id="silence-the-first"),
    ],
)
def test_verify_from_outside_when_messages_may_be_spared_then_a_slow_service_is_no_evidence(
    server: Server, kind: str, params: dict[str, Any], whom: dict[str, Any], hit: int
):
    fault = ToxicFault(step(id=f"{kind}@db", kind=kind, params=params, **whom), BEFORE, round=1)
    applied = fault.apply(TERMS)
    fault.undo()
    fault._until = applied.confirmed + ms(1000)
    end = {"latency": "answered", "cut": "cut"}.get(kind, "abandoned")
    found = fault.verify([a_turn(applied.confirmed, ms(200), end=end)], [])
    assert found.hit == hit
    assert bool(found.unseen) == (not hit)


@pytest.mark.parametrize("acted", [None, {}], ids=["tells-no-counts", "never-acted"])
def test_verify_when_the_proxy_counted_nothing_then_nothing_was_seen(
    server: Server, acted: Mapping[str, int] | None
):
    server.acted = acted
    fault = ToxicFault(SLOW_CLOSE, HERE, round=1)
    fault.apply(TERMS)
    fault.undo()
    assert fault.verify([], []).hit == 0


@pytest.mark.parametrize(
    ("one", "hop"),
    [
        pytest.param(step(), HERE, id="turns-show-it"),
        pytest.param(SLOW_CLOSE, BEFORE, id="foreign"),
    ],
)
def test_count_when_it_would_be_no_evidence_then_nobody_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch, one: FaultStep, hop: HopOnProxy
):
    monkeypatch.setattr(ProxyServer, "counts", lambda *_: pytest.fail("asked"))
    fault = ToxicFault(one, hop, round=1)
    assert not fault.asks_before_release
    fault.apply(TERMS)
    fault.undo()


def a_toxic(latency: int) -> ToxicState:
    return ToxicState(
        name="latency@db",
        type="latency",
        stream="downstream",
        toxicity=1.0,
        attributes={"latency": latency, "jitter": 10},
    )


def test_undo_when_somebody_changed_the_toxic_then_it_was_not_as_applied(server: Server):
    server.toxics = (a_toxic(40),)
    fault = ToxicFault(step(), HERE, round=1)
    fault.apply(TERMS)
    assert fault.undo().as_applied
    fault.apply(TERMS)
    server.toxics = (a_toxic(0),)
    undone = fault.undo()
    assert (undone.found, undone.as_applied) == (True, False)


def test_undo_when_nobody_can_tell_what_it_is_like_then_it_is_removed_all_the_same(server: Server):
    fault = ToxicFault(step(), HERE, round=1)
    fault.apply(TERMS)
    server.fails = ProxyCallFailed(500, "boom")
    undone = fault.undo()
    assert (undone.found, undone.as_applied) == (True, False)


def test_undo_when_the_server_is_lost_then_it_is_not_asked_twice(server: Server):
    fault = ToxicFault(step(), HERE, round=1)
    fault.apply(TERMS)
    server.fails = ProxyUnreachable("no answer")
    with pytest.raises(ProxyUnreachable):
        fault.undo()
    assert server.removed == []


@pytest.mark.parametrize(("lapsed", "why"), [(0, ""), (1, LAPSED)], ids=["held", "lapsed"])
def test_undo_when_it_was_gone_then_a_lease_that_ended_meanwhile_is_named(
    server: Server, lapsed: int, why: str
):
    lapses = [0]
    fault = ToxicFault(step(), HERE, round=1)
    fault.apply(Terms(seed=1, lease="l-1", lapses=lambda: lapses[0]))
    lapses[0] += lapsed
    server.there = False
    undone = fault.undo()
    assert (undone.found, undone.why) == (False, why)
