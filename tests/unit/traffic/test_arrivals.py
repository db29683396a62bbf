"""The arrivals step: announced, sent when due, waited for to its end, and told in full."""

import asyncio
import itertools
from typing import Any

import pytest

from harness.model.errors import UserError
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    OperationReturned,
    OperationSent,
)
from harness.model.outcomes import Acknowledged, Unknown
from harness.model.plan import ArrivalsStep, CommandCall, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.arrivals import run_arrivals
from harness.traffic.operation import Operation
from tests.support.sources import sources_at
from tests.support.web import Web, never, web

S10 = Duration.of_s(10)


def operation(**changes: Any) -> Operation:
    call = HttpCall(method="POST", path="/pay/{who}", json={"rid": "{rid}"}, has_json=True)
    known: dict[str, Any] = {"name": "pay", "on": "app", "http": call, "timeout": S10, **changes}
    return Operation.compile(OperationPlan(**known), sources=sources_at())


def step(**changes: Any) -> ArrivalsStep:
    known: dict[str, Any] = {
        "id": "pay",
        "operation": "pay",
        "rate": 400,
        "lasts": Duration.of_ms(50),
        "cap": 100,
        "vars": {"who": ["ann", "bob"]},
        **changes,
    }
    return ArrivalsStep(**known)


def arriving(what: ArrivalsStep, answers: Any = None, **how: Any) -> tuple[list[Any], Web]:
    events: list[Any] = []

    async def main() -> Web:
        async with web(answers) as server:
            await run_arrivals(
                what,
                round=3,
                operations={"pay": how.get("operation", operation())},
                address_of=lambda service: server.address,
                values={"run": "r1"},
                record=events.append,
                numbers=itertools.count(7),
            )
            return server

    return events, asyncio.run(main())


def of(events: list[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_arrivals_when_run_then_told_from_beginning_to_end() -> None:
    events, server = arriving(step())
    sent, returned = of(events, OperationSent), of(events, OperationReturned)
    started, (finished,) = events[0], of(events, ArrivalsFinished)
    assert isinstance(started, ArrivalsStarted)
    assert (started.round, started.step, started.planned, started.rate) == (3, "pay", 20, 400)
    assert (finished.sent, finished.dropped, finished.cap) == (20, 0, 100)
    assert [event.op for event in sent] == list(range(7, 27))
    assert [event.request for event in sent] == list(range(1, 21))
    assert {event.burst for event in sent} == {"pay"}
    assert len({event.rid for event in sent}) == 20
    assert sent[0].rid == "r1-3-7"
    assert sent[0].due == started.first
    assert {event.op for event in returned} == {event.op for event in sent}
    assert {event.outcome for event in returned} == {Acknowledged()}
    assert all(event.phase == event.how == "" for event in returned)
    assert [asked.line.split()[1] for asked in server.asked[:4]] == [
        "/pay/ann",
        "/pay/bob",
        "/pay/ann",
        "/pay/bob",
    ]


def test_arrivals_when_their_service_never_answers_then_end_by_its_time_out() -> None:
    events, _ = arriving(step(), never, operation=operation(timeout=Duration.of_ms(100)))
    returned = of(events, OperationReturned)
    assert len(returned) == 20
    assert {event.outcome for event in returned} == {Unknown("no answer within 100 ms")}
    (finished,) = of(events, ArrivalsFinished)
    assert finished.most == 20


def test_arrivals_when_the_cap_is_reached_then_the_others_are_dropped_and_counted() -> None:
    events, server = arriving(step(cap=5), never, operation=operation(timeout=Duration.of_s(1)))
    (finished,) = of(events, ArrivalsFinished)
    assert (finished.sent, finished.dropped, finished.most) == (5, 15, 5)
    assert len(of(events, OperationReturned)) == len(server.asked) == 5


def test_arrivals_when_the_server_closes_after_each_answer_then_none_fails() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    events, server = arriving(step(), lambda asked: closing)
    assert {event.outcome for event in of(events, OperationReturned)} == {Acknowledged()}
    assert server.connections == 20


def test_arrivals_when_of_a_command_then_refused() -> None:
    command = OperationPlan(name="pay", command=CommandCall(command="true"), timeout=S10)
    compiled = Operation.compile(command, sources=sources_at())
    with pytest.raises(UserError, match="pay is a command, and arrivals are requests"):
        arriving(step(), operation=compiled)


def test_arrivals_when_more_may_be_in_flight_than_the_machine_allows_then_refused() -> None:
    with pytest.raises(UserError, match="An open loop with 10000000 requests in flight needs"):
        arriving(step(cap=10_000_000))
