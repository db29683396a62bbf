"""A toxic as a fault: its intention holds all that undoing needs, and its words name what remains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.toxic import HopOnProxy, ToxicFault, undo_from
from harness.model.events import FaultIntended
from harness.model.plan import FaultStep
from harness.model.units import Duration, Instant
from harness.proxy.client import ProxyServer, ToxicState, Turn

HOP = HopOnProxy(hop="db", admin="http://127.0.0.1:8474", proxy="harness-r-db", observed="here")
ms = Duration.of_ms


class Calls(list[tuple[object, ...]]):
    """What the proxy server was asked."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls()
    monkeypatch.setattr(ProxyServer, "toxics", lambda _server, _proxy: ())
    monkeypatch.setattr(
        ProxyServer, "add_toxic", lambda server, proxy, **k: made.append((server.url, proxy, k))
    )
    monkeypatch.setattr(
        ProxyServer,
        "remove_toxic",
        lambda server, proxy, name: made.append((server.url, proxy, name)) is None,
    )
    return made


def step(**changes: object) -> FaultStep:
    given: dict[str, object] = {
        "id": "latency@db",
        "kind": "latency",
        "on": "db",
        "params": {"latency": "40ms", "jitter": "10ms"},
    }
    return FaultStep(**{**given, **changes})  # type: ignore[arg-type]  # fields by name


def test_undo_from_when_only_the_intention_is_known_then_the_same_toxic_is_removed(calls: Calls):
    fault = ToxicFault(step(), HOP, round=3)
    assert undo_from(fault.intend())
    fault.undo()
    assert calls[0] == calls[1] == ("http://127.0.0.1:8474", "harness-r-db", "latency@db")


def test_apply_when_called_then_the_toxic_has_the_steps_stream_toxicity_and_whole_ms(calls: Calls):
    ToxicFault(step(stream="upstream", toxicity=0.5), HOP, round=1).apply()
    ((_, _, toxic),) = calls
    assert toxic == {
        "name": "latency@db",
        "type": "latency",
        "stream": "upstream",
        "toxicity": 0.5,
        "attributes": {"latency": 40, "jitter": 10},
    }


@given(st.integers(2, 99))
def test_intend_when_it_is_one_of_several_then_its_name_needs_no_escaping_in_a_path(number: int):
    event = ToxicFault(step(id=f"latency@db#{number}"), HOP, round=1).intend()
    assert event.undo["toxic"] == f"latency@db.{number}"
    assert isinstance(event, FaultIntended)


def test_remains_when_undoing_failed_then_the_command_removes_just_this_toxic():
    what, command = ToxicFault(step(), HOP, round=1).remains
    assert "latency@db" in what
    assert command == (
        "curl -X DELETE http://127.0.0.1:8474/proxies/harness-r-db/toxics/latency@db"
    )


def test_verify_when_a_message_outside_its_time_was_fast_then_it_is_not_missed(calls: Calls):
    fault = ToxicFault(step(), HOP, round=1)
    applied = fault.apply()
    before = Turn(
        conn=1,
        seq=1,
        arrived=applied.asked - ms(10),
        upstream=applied.asked - ms(9),
        ended=applied.asked - ms(9),
        end="answered",
        injected=(),
    )
    fault.undo()
    found = fault.verify([before])
    assert (found.messages, found.hit, found.missed) == (0, 0, 0)


def test_verify_when_never_applied_then_nothing_was_seen():
    fault = ToxicFault(step(), HOP, round=1)
    late = Instant.of_ns(10**9)
    turn = Turn(
        conn=1, seq=1, arrived=late, upstream=late, ended=late + ms(41), end="answered", injected=()
    )
    assert fault.verify([turn]).messages == 0


def test_verify_when_the_toxic_may_spare_a_message_then_none_counts_as_missed(calls: Calls):
    fault = ToxicFault(step(toxicity=0.5), HOP, round=1)
    applied = fault.apply()
    undone = fault.undo()
    assert undone.asked >= applied.confirmed
    quick = Turn(
        conn=1,
        seq=1,
        arrived=applied.confirmed,
        upstream=applied.confirmed,
        ended=applied.confirmed,
        end="answered",
        injected=(),
    )
    assert fault.verify([quick]).missed == 0


def test_undo_when_somebody_changed_the_toxic_then_it_was_not_as_applied(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
):
    def a_toxic(latency: int) -> ToxicState:
        return ToxicState(
            name="latency@db",
            type="latency",
            stream="downstream",
            toxicity=1.0,
            attributes={"latency": latency, "jitter": 10},
        )

    told = [a_toxic(40)]
    monkeypatch.setattr(ProxyServer, "toxics", lambda _server, _proxy: tuple(told))
    fault = ToxicFault(step(), HOP, round=1)
    fault.apply()
    assert fault.undo().as_applied
    fault.apply()
    told[0] = a_toxic(0)
    undone = fault.undo()
    assert (undone.found, undone.as_applied) == (True, False)
