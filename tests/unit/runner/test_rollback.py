"""Faults in force: announced before they act, undone exactly once, and what fails is said."""

import asyncio
import threading
from collections.abc import Callable
from typing import Literal

import pytest

from harness.faults.fault import HopOnProxy, Terms
from harness.faults.lease import HeldLeases
from harness.faults.toxic import ToxicFault
from harness.model.errors import TargetError
from harness.model.events import (
    AnyEvent,
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
)
from harness.model.plan import FaultStep
from harness.model.units import Instant
from harness.proxy.client import Counts, ProxyCallFailed, ProxyServer, ProxyUnreachable
from harness.runner.rollback import ActiveFaults


def a_hop(
    observed: Literal["here", "before"] = "here", *, proxy: str = "db", port: int = 1
) -> HopOnProxy:
    admin = f"http://127.0.0.1:{port}"
    return HopOnProxy(
        admin=admin,
        proxy=proxy,
        observed=observed,
        watch_admin=admin,
        watch_proxy=proxy,
    )


HOP, FOREIGN = a_hop(), a_hop("before")
STEP = FaultStep(id="latency@db", kind="latency", on="db", params={"latency": "40ms"})
SECOND = FaultStep(id="latency@db#2", kind="latency", on="db", params={"latency": "5ms"})
SLOW_CLOSE = FaultStep(id="slow_close@db", kind="slow_close", on="db", params={"delay": "1s"})


def at(milliseconds: int) -> Instant:
    return Instant.of_ns(milliseconds * 1_000_000)


class AServer:
    """What ``ProxyServer`` is asked; set ``broken`` to make removals fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self.refuses = False
        monkeypatch.setattr(ProxyServer, "add_toxic", lambda _s, _p, **k: self._add(k["name"]))
        monkeypatch.setattr(ProxyServer, "remove_toxic", lambda _s, _p, name: self._remove(name))
        monkeypatch.setattr(ProxyServer, "toxics", lambda _s, _p: ())
        monkeypatch.setattr(HeldLeases, "terms", self._terms)
        self.terms = Terms(seed=1)

    async def _terms(self, _admin: str) -> Terms:
        return self.terms

    def _add(self, name: str) -> None:
        if self.refuses:
            raise ProxyCallFailed(400, "invalid toxic type")
        self.calls.append(("add", name))

    def _remove(self, name: str) -> bool:
        self.calls.append(("remove", name))
        if self.broken is not None:
            raise self.broken
        return ("add", name) in self.calls


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> AServer:
    return AServer(monkeypatch)


def active(record: Callable[[AnyEvent], object]) -> ActiveFaults:
    return ActiveFaults(record, owner="run", seed=1)


def kinds(events: list[AnyEvent]) -> list[type]:
    return [type(event) for event in events]


def test_apply_when_all_is_well_then_the_intention_stands_before_the_act(server: AServer):
    events: list[AnyEvent] = []
    asyncio.run(active(events.append).apply(STEP, HOP, round=1))
    assert kinds(events) == [FaultIntended, FaultApplied]
    assert events[0].undo["toxic"] == "latency@db"


def test_apply_when_the_proxy_refuses_then_it_is_the_targets_failure_and_still_undone(
    server: AServer,
):
    events: list[AnyEvent] = []
    server.refuses = True

    async def scenario() -> None:
        faults = active(events.append)
        with pytest.raises(TargetError, match="invalid toxic type"):
            await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()

    asyncio.run(scenario())
    assert kinds(events) == [FaultIntended, FaultUndone]
    assert not events[1].found


def test_undo_all_when_called_twice_then_each_fault_is_undone_once_latest_first(server: AServer):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        faults = active(events.append)
        await faults.apply(STEP, HOP, round=1)
        await faults.apply(SECOND, HOP, round=1)
        await asyncio.gather(faults.undo_all(), faults.undo_all())
        await faults.undo_all()

    asyncio.run(scenario())
    assert [e.fault for e in events if isinstance(e, FaultUndone)] == ["latency@db#2", "latency@db"]


@pytest.mark.parametrize(
    "broken", [ProxyCallFailed(500, "boom"), ProxyUnreachable("no answer")], ids=["500", "gone"]
)
def test_undo_when_it_fails_then_what_remains_and_the_command_are_said_once(
    server: AServer, broken: Exception
):
    events: list[AnyEvent] = []
    server.broken = broken
    faults: list[ActiveFaults] = []

    async def scenario() -> None:
        faults.append(active(events.append))
        await faults[0].apply(STEP, FOREIGN, round=1)
        await faults[0].undo_all()
        await faults[0].undo_all()

    asyncio.run(scenario())
    (failed,) = [e for e in events if isinstance(e, FaultNotUndone)]
    assert failed.command == "curl -X DELETE http://127.0.0.1:1/proxies/db/toxics/latency@db"
    # Word for word what the journal is read as, so that it does not stand there twice.
    told = f"{failed.remains} ({failed.because}); remove it with: {failed.command}"
    assert faults[0].not_undone == (told,)


def test_of_round_when_faults_were_in_two_rounds_then_each_round_has_its_own(server: AServer):
    async def scenario() -> list[int]:
        faults = active(lambda _event: None)
        await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()
        await faults.apply(STEP, HOP, round=2)
        return [len(faults.of_round(number)) for number in (1, 2, 3)]

    assert asyncio.run(scenario()) == [1, 1, 0]


def test_undo_when_our_own_proxy_is_gone_then_its_toxics_went_with_it(server: AServer):
    events: list[AnyEvent] = []
    server.broken = ProxyUnreachable("no answer")
    faults = active(events.append)

    async def scenario() -> None:
        await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()

    asyncio.run(scenario())
    assert kinds(events) == [FaultIntended, FaultApplied, FaultUndone]
    assert not events[-1].found
    assert events[-1].why == ""
    assert faults.not_undone == ()
    faults.require_undone()


@pytest.mark.parametrize("at_once", [True, False], ids=["in-its-time", "with-all"])
def test_undo_when_our_own_proxy_answers_that_it_cannot_then_no_round_follows(
    server: AServer, at_once: bool
):
    """The port of a hop that was down may be taken by another program."""
    events: list[AnyEvent] = []
    server.broken = ProxyCallFailed(500, "port 23999 is taken")
    faults = active(events.append)

    async def scenario() -> None:
        fault = await faults.apply(STEP, HOP, round=1)
        faults.require_undone()
        await (faults.undo(fault) if at_once else faults.undo_all())

    asyncio.run(scenario())
    assert kinds(events) == [FaultIntended, FaultApplied, FaultUndone]
    assert not events[-1].found
    assert events[-1].why.startswith("could not be undone: ")
    assert "port 23999 is taken" in events[-1].why
    with pytest.raises(TargetError, match=r"could not be undone: .*port 23999 is taken"):
        faults.require_undone()


@pytest.mark.parametrize("fails", [False, True], ids=["undone", "not-undone"])
def test_undo_when_cancelled_in_the_middle_then_its_outcome_is_still_told(
    server: AServer, monkeypatch: pytest.MonkeyPatch, fails: bool
):
    events: list[AnyEvent] = []
    entered, go_on = threading.Event(), threading.Event()

    def slow(_server: ProxyServer, _proxy: str, _name: str) -> bool:
        entered.set()
        go_on.wait(10)
        if fails:
            raise ProxyUnreachable("no answer")
        return True

    monkeypatch.setattr(ProxyServer, "remove_toxic", slow)
    faults = active(events.append)

    async def scenario() -> None:
        await faults.apply(STEP, FOREIGN, round=1)
        async with asyncio.TaskGroup() as group:
            undoing = group.create_task(faults.undo_all())
            await asyncio.to_thread(entered.wait, 10)
            undoing.cancel()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await undoing
        await faults.undo_all()

    asyncio.run(scenario())
    assert kinds(events)[2:] == [FaultNotUndone if fails else FaultUndone]


def test_undo_all_when_a_proxy_hangs_then_the_faults_of_others_are_undone_meanwhile(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    """Each keeps its own order; the one that hangs is undone last, whatever came first."""
    others_done, undone = threading.Event(), []
    go_on = threading.Event()

    def remove(asked: ProxyServer, proxy: str, name: str) -> bool:
        if asked.address.port == 1:
            go_on.wait(10)
        undone.append(f"{proxy}/{name}")
        if len(undone) == 2:
            others_done.set()
        return True

    monkeypatch.setattr(ProxyServer, "remove_toxic", remove)

    async def scenario() -> None:
        faults = active(lambda _event: None)
        await faults.apply(STEP, a_hop("before", proxy="here", port=2), round=1)
        await faults.apply(SECOND, a_hop("before", proxy="here", port=2), round=1)
        await faults.apply(STEP, a_hop("before", proxy="hangs", port=1), round=1)
        async with asyncio.TaskGroup() as group:
            group.create_task(faults.undo_all())
            assert await asyncio.to_thread(others_done.wait, 10)
            go_on.set()

    asyncio.run(scenario())
    assert undone == ["here/latency@db.2", "here/latency@db", "hangs/latency@db"]


def test_undo_all_when_one_of_them_is_being_undone_already_then_it_is_waited_for(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    events: list[AnyEvent] = []
    entered, go_on = threading.Event(), threading.Event()

    def slow(_server: ProxyServer, _proxy: str, _name: str) -> bool:
        entered.set()
        return go_on.wait(10)

    monkeypatch.setattr(ProxyServer, "remove_toxic", slow)

    async def scenario() -> None:
        faults = active(events.append)
        fault = await faults.apply(STEP, HOP, round=1)
        async with asyncio.TaskGroup() as group:
            group.create_task(faults.undo(fault))
            await asyncio.to_thread(entered.wait, 10)
            all_of_them = group.create_task(faults.undo_all())
            done, _ = await asyncio.wait([all_of_them], timeout=0.05)
            assert not done
            go_on.set()
            await all_of_them
            assert kinds(events)[-1] is FaultUndone

    asyncio.run(scenario())


def test_apply_when_the_server_grants_a_lease_then_the_fault_is_put_under_it(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    added: list[dict[str, object]] = []
    monkeypatch.setattr(ProxyServer, "add_toxic", lambda _s, _p, **k: added.append(k["extensions"]))
    server.terms = Terms(seed=1, lease="l-1")
    asyncio.run(active(lambda _event: None).apply(STEP, HOP, round=1))
    # The seed as well: a proxy among containers was not started with the run's.
    assert added == [{"seed": 1, "lease": "l-1"}]


def test_apply_when_no_lease_can_be_had_then_nothing_is_announced(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    async def unreachable(_leases: HeldLeases, _admin: str) -> Terms:
        raise ProxyUnreachable("no answer")

    monkeypatch.setattr(HeldLeases, "terms", unreachable)
    events: list[AnyEvent] = []
    with pytest.raises(TargetError, match="no answer"):
        asyncio.run(active(events.append).apply(STEP, HOP, round=1))
    assert events == []


def test_before_release_when_faults_are_in_force_then_those_that_count_are_asked(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def counts(_server: ProxyServer, proxy: str) -> Counts:
        asked.append(proxy)
        return Counts(connections=0, open=0, acted={})

    monkeypatch.setattr(ProxyServer, "counts", counts)

    async def scenario() -> None:
        faults = active(lambda _event: None)
        await faults.apply(STEP, a_hop(proxy="a"), round=1)
        await faults.apply(SLOW_CLOSE, a_hop(proxy="b"), round=1)
        over = await faults.apply(SLOW_CLOSE, a_hop(proxy="c"), round=1)
        await faults.undo(over)
        asked.clear()
        await faults.before_release()

    asyncio.run(scenario())
    assert asked == ["b"]


def test_released_when_a_burst_follows_another_then_each_fault_has_that_behind_its_own_step(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    told: list[tuple[str, object]] = []
    asked: list[str] = []

    def verify(fault: ToxicFault, _turns: object, _others: object, *, released: object) -> str:
        told.append((fault.step.id, released))
        return fault.step.id

    monkeypatch.setattr(ToxicFault, "verify", verify)
    monkeypatch.setattr(ToxicFault, "asks_before_release", True)
    monkeypatch.setattr(ToxicFault, "before_release", lambda fault: asked.append(fault.step.id))
    third = FaultStep(id="latency@db#3", kind="latency", on="db", params={"latency": "1ms"})

    async def scenario() -> None:
        faults = active(lambda _event: None)
        await faults.apply(STEP, HOP, round=1)
        await faults.before_release()
        faults.released(at(10), round=1)
        await faults.apply(SECOND, HOP, round=1)
        await faults.before_release()
        faults.released(at(20), round=1)
        await faults.apply(third, HOP, round=1)
        await faults.undo_all()
        assert len(faults.seen_in(1, lambda _hop: [])) == 3

    asyncio.run(scenario())
    assert asked == ["latency@db", "latency@db#2"]
    assert told == [("latency@db", at(10)), ("latency@db#2", at(20)), ("latency@db#3", None)]


class Counting:
    """``ProxyServer.counts``: notes whom it was asked about; the first question waits for ``go_on``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.slow = False
        monkeypatch.setattr(ProxyServer, "counts", lambda _s, proxy: self._count(proxy))

    def _count(self, proxy: str) -> Counts:
        self.calls.append(proxy)
        if self.slow:
            self.slow = False
            self.entered.set()
            assert self.go_on.wait(10)
            self.calls.append(f"{proxy} answered")
        return Counts(connections=0, open=0, acted={})


def test_before_release_when_a_fault_is_undone_meanwhile_then_it_is_not_asked_any_more(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    counting = Counting(monkeypatch)

    async def scenario() -> None:
        faults = active(lambda _event: None)
        await faults.apply(SLOW_CLOSE, a_hop(proxy="a"), round=1)
        short = await faults.apply(SLOW_CLOSE, a_hop(proxy="b"), round=1)
        counting.slow = True
        async with asyncio.TaskGroup() as group:
            group.create_task(faults.before_release())
            assert await asyncio.to_thread(counting.entered.wait, 10)
            await faults.undo(short)
            counting.calls.clear()
            counting.go_on.set()

    asyncio.run(scenario())
    assert counting.calls == ["a answered"]


def test_undo_when_the_fault_is_being_asked_before_the_release_then_waits_for_it(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    counting = Counting(monkeypatch)
    monkeypatch.setattr(
        ProxyServer, "remove_toxic", lambda _s, _p, _n: counting.calls.append("undone") or True
    )

    async def scenario() -> None:
        faults = active(lambda _event: None)
        fault = await faults.apply(SLOW_CLOSE, a_hop(proxy="a"), round=1)
        counting.calls.clear()
        counting.slow = True
        async with asyncio.TaskGroup() as group:
            group.create_task(faults.before_release())
            assert await asyncio.to_thread(counting.entered.wait, 10)
            undoing = group.create_task(faults.undo(fault))
            done, _ = await asyncio.wait([undoing], timeout=0.05)
            assert not done
            counting.go_on.set()

    asyncio.run(scenario())
    assert counting.calls == ["a", "a answered", "undone", "a"]


def test_seen_in_when_asked_then_each_fault_knows_the_others_of_its_hop(
    server: AServer, monkeypatch: pytest.MonkeyPatch
):
    told: list[tuple[str, list[str]]] = []

    def verify(
        fault: ToxicFault, _turns: object, others: list[ToxicFault], *, released: object
    ) -> str:
        told.append((fault.step.id, [other.step.id for other in others]))
        return fault.step.id

    monkeypatch.setattr(ToxicFault, "verify", verify)
    elsewhere = FaultStep(id="latency@web", kind="latency", on="web", params={"latency": "1ms"})

    async def scenario() -> None:
        faults = active(lambda _event: None)
        for step in (STEP, SECOND, elsewhere):
            await faults.apply(step, HOP, round=1)
        await faults.undo_all()
        await faults.apply(STEP, HOP, round=2)
        assert len(faults.seen_in(1, lambda _hop: [])) == 3

    asyncio.run(scenario())
    assert told == [
        ("latency@db", ["latency@db#2"]),
        ("latency@db#2", ["latency@db"]),
        ("latency@web", []),
    ]
