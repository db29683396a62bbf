"""Taking back faults and hops from their intentions, whatever the other side does."""

from collections.abc import Callable

import pytest

from harness.faults.guardian import undo
from harness.model.events import (
    ContainerIntended,
    ContainerRemoved,
    FaultIntended,
    FaultNotUndone,
    FaultUndone,
    HopClosed,
    HopIntended,
)
from harness.proxy.client import ProxyServer, ProxyUnreachable
from tests.support.canned import Canned
from tests.support.containers import EngineInMemory

TOXIC = {"admin": "http://127.0.0.1:1", "proxy": "harness-r-db", "toxic": "latency-1"}


def fault(kind: str = "toxic") -> FaultIntended:
    return FaultIntended(fault="latency-1", kind=kind, on="db", round=3, params={}, undo=TOXIC)


def answering(answer: Callable[[FaultIntended], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "UNDO", {"toxic": answer})


@pytest.mark.parametrize("found", [True, False])
def test_undo_fault_when_it_works_then_the_guardian_tells(
    found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(lambda _event: found, monkeypatch)
    event = undo.undo_fault(fault())
    assert isinstance(event, FaultUndone)
    assert (event.fault, event.round, event.found, event.by) == ("latency-1", 3, found, "guardian")
    assert event.asked <= event.confirmed


def test_undo_fault_when_it_fails_then_what_remains_and_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_event: FaultIntended) -> bool:
        raise ProxyUnreachable("no answer")

    answering(fails, monkeypatch)
    event = undo.undo_fault(fault())
    assert isinstance(event, FaultNotUndone)
    assert event.because == "no answer"
    assert event.command == (
        "curl -X DELETE http://127.0.0.1:1/proxies/harness-r-db/toxics/latency-1"
    )


def test_undo_fault_when_a_proxy_stays_down_then_the_command_lets_it_listen_again() -> None:
    down = {"admin": "http://127.0.0.1:1", "proxy": "harness-r-db"}
    event = undo.undo_fault(
        FaultIntended(fault="down@db", kind="down", on="db", round=3, params={}, undo=down)
    )
    assert isinstance(event, FaultNotUndone)
    assert event.command == (
        "curl -d '{\"enabled\": true}' http://127.0.0.1:1/proxies/harness-r-db"
    )


def test_undo_fault_when_a_proxy_is_down_then_it_is_enabled_from_the_intention_alone() -> None:
    shown = b'{"name":"db","listen":"127.0.0.1:5","upstream":"x:1","enabled":false,"toxics":[]}'
    answers = {"GET /proxies/db": (200, shown), "POST /proxies/db": (200, shown)}
    with Canned(answers) as canned:
        where = {"admin": canned.url, "proxy": "db"}
        event = undo.undo_fault(
            FaultIntended(fault="down@db", kind="down", on="db", round=3, params={}, undo=where)
        )
    assert isinstance(event, FaultUndone) and event.found
    assert canned.asked[-1] == ("POST", "/proxies/db", b'{"enabled": true}')


@pytest.mark.parametrize("kind", sorted(undo.UNDO))
def test_kind_when_it_can_be_undone_then_a_person_can_do_it_too(kind: str) -> None:
    assert undo.COMMANDS[kind](TOXIC).startswith("curl ")


def test_undo_fault_when_nobody_knows_the_kind_then_it_is_said_and_not_raised() -> None:
    event = undo.undo_fault(fault("teleport"))
    assert isinstance(event, FaultNotUndone)
    assert event.because == "'teleport' is unknown here"


def test_undo_fault_when_the_toxic_s_server_is_gone_then_not_undone() -> None:
    assert isinstance(undo.undo_fault(fault()), FaultNotUndone)


def test_close_hop_when_the_proxy_is_there_then_it_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(ProxyServer, "delete", lambda _self, name: asked.append(name) or True)
    event = undo.close_hop(HopIntended(hop="db", admin="http://127.0.0.1:1", proxy="harness-r-db"))
    assert event == HopClosed(
        hop="db", admin="http://127.0.0.1:1", proxy="harness-r-db", found=True
    )
    assert asked == ["harness-r-db"]


def test_close_hop_when_nobody_answers_then_the_command_that_removes_it() -> None:
    event = undo.close_hop(HopIntended(hop="db", admin="http://127.0.0.1:1", proxy="harness-r-db"))
    assert isinstance(event, FaultNotUndone)
    assert event.command == "curl -X DELETE http://127.0.0.1:1/proxies/harness-r-db"


CONTAINER = ContainerIntended(name="app", container="harness-app-1a2b3c4d", image="app:1")


def test_remove_container_when_it_is_the_run_s_then_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = EngineInMemory().install(monkeypatch)
    engine.create(CONTAINER.container, {"Labels": {"harness.mark": "run-1"}})
    event = undo.remove_container(CONTAINER, "run-1")
    assert event == ContainerRemoved(name="app", container=CONTAINER.container, found=True)
    assert engine.containers == {}


def test_remove_container_when_the_engine_refuses_then_what_remains_and_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    EngineInMemory(fails="remove").install(monkeypatch)
    event = undo.remove_container(CONTAINER, "run-1")
    assert isinstance(event, FaultNotUndone)
    assert event.because == "no remove today"
    assert event.command == "docker rm --force --volumes harness-app-1a2b3c4d"
