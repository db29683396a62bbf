"""Faults in force: announced before they act, undone exactly once, and what fails is said."""

import asyncio
import threading

import pytest

from harness.faults.toxic import HopOnProxy
from harness.model.errors import TargetError
from harness.model.events import (
    AnyEvent,
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
)
from harness.model.plan import FaultStep
from harness.proxy.client import ProxyCallFailed, ProxyServer, ProxyUnreachable
from harness.runner.rollback import ActiveFaults

HOP = HopOnProxy(hop="db", admin="http://127.0.0.1:1", proxy="db", observed="here")
FOREIGN = HopOnProxy(hop="db", admin="http://127.0.0.1:1", proxy="db", observed="before")
STEP = FaultStep(id="latency@db", kind="latency", on="db", params={"latency": "40ms"})
SECOND = FaultStep(id="latency@db#2", kind="latency", on="db", params={"latency": "5ms"})


class AServer:
    """What ``ProxyServer`` is asked; set ``broken`` to make removals fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self.refuses = False
        monkeypatch.setattr(ProxyServer, "add_toxic", lambda _s, _p, **k: self._add(k["name"]))
        monkeypatch.setattr(ProxyServer, "remove_toxic", lambda _s, _p, name: self._remove(name))
        monkeypatch.setattr(ProxyServer, "toxics", lambda _s, _p: ())

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


def kinds(events: list[AnyEvent]) -> list[type]:
    return [type(event) for event in events]


def test_apply_when_all_is_well_then_the_intention_stands_before_the_act(server: AServer):
    events: list[AnyEvent] = []
    asyncio.run(ActiveFaults(events.append).apply(STEP, HOP, round=1))
    assert kinds(events) == [FaultIntended, FaultApplied]
    assert events[0].undo["toxic"] == "latency@db"


def test_apply_when_the_proxy_refuses_then_it_is_the_targets_failure_and_still_undone(
    server: AServer,
):
    events: list[AnyEvent] = []
    server.refuses = True

    async def scenario() -> None:
        faults = ActiveFaults(events.append)
        with pytest.raises(TargetError, match="invalid toxic type"):
            await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()

    asyncio.run(scenario())
    assert kinds(events) == [FaultIntended, FaultUndone]
    assert not events[1].found


def test_undo_all_when_called_twice_then_each_fault_is_undone_once_latest_first(server: AServer):
    events: list[AnyEvent] = []

    async def scenario() -> None:
        faults = ActiveFaults(events.append)
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
        faults.append(ActiveFaults(events.append))
        await faults[0].apply(STEP, FOREIGN, round=1)
        await faults[0].undo_all()
        await faults[0].undo_all()

    asyncio.run(scenario())
    (failed,) = [e for e in events if isinstance(e, FaultNotUndone)]
    assert failed.command == "curl -X DELETE http://127.0.0.1:1/proxies/db/toxics/latency@db"
    assert len(faults[0].not_undone) == 1
    assert failed.command in faults[0].not_undone[0]


def test_of_round_when_faults_were_in_two_rounds_then_each_round_has_its_own(server: AServer):
    async def scenario() -> list[int]:
        faults = ActiveFaults(lambda _event: None)
        await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()
        await faults.apply(STEP, HOP, round=2)
        return [len(faults.of_round(number)) for number in (1, 2, 3)]

    assert asyncio.run(scenario()) == [1, 1, 0]


def test_undo_when_our_own_proxy_is_gone_then_its_toxics_went_with_it(server: AServer):
    events: list[AnyEvent] = []
    server.broken = ProxyUnreachable("no answer")
    faults = ActiveFaults(events.append)

    async def scenario() -> None:
        await faults.apply(STEP, HOP, round=1)
        await faults.undo_all()

    asyncio.run(scenario())
    assert kinds(events) == [FaultIntended, FaultApplied, FaultUndone]
    assert not events[-1].found
    assert faults.not_undone == ()


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
    faults = ActiveFaults(events.append)

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
