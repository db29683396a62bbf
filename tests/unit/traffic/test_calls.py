"""Calls and what the journal has of them: sent before ended, each once, and by tasks alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.journal.writer import JournalLost
from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.events import OperationReturned, OperationSent
from harness.model.outcomes import Acknowledged, Rejected, Unknown
from harness.model.plan import HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.calls import Call, Calls, Group, Returned
from harness.traffic.operation import Operation
from harness.traffic.schedule import Lateness
from tests.support.sources import sources_at
from tests.support.waiting import until
from tests.support.web import BUSY, OK, Web, never, web

S10, S30 = Duration.of_s(10), Duration.of_s(30)


def operation(**changes: Any) -> Operation:
    call = HttpCall(method="POST", path="/pay/{n}", json={"rid": "{rid}"}, has_json=True)
    known: dict[str, Any] = {"name": "pay", "on": "app", "http": call, "timeout": S30, **changes}
    return Operation.compile(OperationPlan(**known), sources=sources_at())


def compose(calls: Calls, group: Group, n: int = 1) -> Call:
    return calls.compose(group, op=n, rid=f"r{n}", request=n, values={"run": "x"}, turn=n - 1)


def calling(
    script: Callable[[Calls, Web], Awaitable[Any]],
    answers: Any = None,
    *,
    record: Callable[[Any], object] | None = None,
    what: Operation | None = None,
    **how: Any,
) -> list[Any]:
    """The events of a script."""
    events: list[Any] = []

    async def main() -> None:
        async with (
            web(answers) as server,
            Calls(
                what or operation(),
                address=server.address,
                record=record or events.append,
                **how,
            ) as calls,
        ):
            await script(calls, server)

    asyncio.run(main())
    return events


def test_a_call_of_a_round_when_answered_then_told_as_a_burst_s_are() -> None:
    async def script(calls: Calls, server: Web) -> None:
        calls.begin(compose(calls, Group(name="step", round=3)))
        await calls.drain()
        assert server.asked[0].body == b'{"rid": "r1"}'

    sent, returned = calling(script)
    assert isinstance(sent, OperationSent)
    assert isinstance(returned, OperationReturned)
    assert (sent.op, sent.round, sent.burst, sent.rid, sent.request) == (1, 3, "step", "r1", 1)
    assert (sent.due, sent.phase) == (None, "")
    assert (returned.op, returned.outcome, returned.status) == (1, Acknowledged(), 200)
    assert (returned.how, returned.phase, returned.size) == ("", "", 0)
    assert returned.first is not None
    assert sent.sent <= returned.first <= returned.last


def test_a_call_of_a_phase_when_answered_then_says_how_and_of_what_sort() -> None:
    heard: list[Returned] = []

    async def script(calls: Calls, server: Web) -> None:
        call = compose(calls, Group(name="outage", phase="outage", heard=heard.append))
        call.circuit = "a"
        calls.begin(call)
        await calls.drain()

    sent, returned = calling(script, answer_of=lambda answer: "fallback")
    assert (sent.round, sent.burst, sent.phase, sent.circuit) == (0, "outage", "outage", "a")
    assert (returned.phase, returned.how, returned.answer, returned.size) == (
        "outage",
        "answered",
        "fallback",
        2,
    )
    assert [(each.rid, each.how, each.circuit) for each in heard] == [("r1", "answered", "a")]


def test_a_call_when_it_has_no_answer_then_is_of_no_sort_and_unknown() -> None:
    async def script(calls: Calls, server: Web) -> None:
        calls.begin(compose(calls, Group(name="outage", phase="outage")))
        await calls.drain()

    _, returned = calling(script, lambda asked: None, answer_of=lambda answer: "success")
    assert (returned.how, returned.answer, returned.status) == ("eof", "none", None)
    assert returned.outcome == Unknown("connection closed before the answer")
    assert returned.first is None


def test_a_call_when_answered_by_an_error_then_sorted_by_the_operation_s_rules() -> None:
    async def script(calls: Calls, server: Web) -> None:
        calls.begin(compose(calls, Group(name="outage", phase="outage")))
        await calls.drain()

    busy = operation(rejected="status == 503")
    _, returned = calling(script, lambda asked: BUSY, what=busy)
    assert (returned.status, returned.outcome) == (503, Rejected())


def test_calls_when_many_then_each_is_told_once_as_sent_and_once_as_ended() -> None:
    async def script(calls: Calls, server: Web) -> None:
        group = Group(name="step", round=1, late=Lateness())
        for n in range(1, 51):
            calls.begin(compose(calls, group, n))
        await calls.drain()
        assert calls.flights.in_flight == 0
        assert group.unsent == 0
        assert group.late is not None
        assert group.late.sent == 50

    events = calling(script)
    seen: dict[int, list[type]] = {}
    for event in events:
        seen.setdefault(event.op, []).append(type(event))
    assert seen == {n: [OperationSent, OperationReturned] for n in range(1, 51)}


def test_calls_when_drained_with_a_limit_then_given_up_and_told() -> None:
    async def script(calls: Calls, server: Web) -> None:
        calls.begin(compose(calls, Group(name="hung", phase="hung")))
        await calls.drain(limit=Duration.of_ms(50))
        assert calls.flights.in_flight == 0
        await until(lambda: not server.open, within=S10, what="our side is closed")

    _, returned = calling(script, never)
    assert (returned.how, returned.outcome) == ("deadline", Unknown("given up after 50 ms"))


def test_calls_when_drained_then_those_begun_later_are_not_waited_for() -> None:
    async def script(calls: Calls, server: Web) -> None:
        group = Group(name="step", round=1)
        calls.begin(compose(calls, group, 1))
        async with asyncio.TaskGroup() as tasks:
            drained = tasks.create_task(calls.drain())
            await until(lambda: len(server.asked) == 1, within=S10, what="it has arrived")
            calls.begin(compose(calls, group, 2))
            gate.set()
            await drained
        assert [call.op for call in calls.flights.flying] == [2]

    gate = asyncio.Event()

    async def answer(asked: Any) -> bytes:
        await (gate.wait() if asked.line.startswith("POST /pay/1 ") else asyncio.Event().wait())
        return OK

    calling(script, answer)


def test_calls_when_cut_short_then_what_ended_is_told_and_the_others_stay_without_an_end() -> None:
    async def script(calls: Calls, server: Web) -> None:
        group = Group(name="step", round=1)
        for n in (1, 2):
            calls.begin(compose(calls, group, n))
        await until(lambda: calls.flights.in_flight == 1, within=S10, what="one has ended")
        raise ZeroDivisionError

    async def answer(asked: Any) -> bytes:
        if asked.line.startswith("POST /pay/2 "):
            await asyncio.Event().wait()
        return OK

    events: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        calling(script, answer, record=events.append)
    assert [(type(e), e.op) for e in events] == [
        (OperationSent, 1),
        (OperationSent, 2),
        (OperationReturned, 1),
    ]


def test_calls_when_cut_short_right_behind_an_end_then_that_is_told_as_well() -> None:
    async def script(calls: Calls, server: Web) -> None:
        call = compose(calls, Group(name="hung", phase="hung"))
        calls.begin(call)
        calls.flights.give_up(call, "left", "enough")
        raise ZeroDivisionError

    events: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        calling(script, never, record=events.append)
    assert [type(event) for event in events] == [OperationSent, OperationReturned]


def test_calls_when_the_journal_is_lost_then_that_ends_them() -> None:
    """What a call's end was cannot be written down: nobody may go on as if it had been."""

    def record(event: Any) -> None:
        if isinstance(event, OperationReturned):
            raise JournalLost(Path("journal"), OSError(28, "No space left on device"))

    async def script(calls: Calls, server: Web) -> None:
        calls.begin(compose(calls, Group(name="step", round=1)))
        await asyncio.Event().wait()

    with pytest.raises(JournalLost, match="No space left"):
        calling(script, record=record)


def test_a_call_when_a_placeholder_has_no_value_then_refused() -> None:
    async def script(calls: Calls, server: Web) -> None:
        compose(calls, Group(name="step", round=1))

    missing = operation(http=HttpCall(method="GET", path="/{nobody}"))
    with pytest.raises(UserError, match="nobody"):
        calling(script, what=missing)


def test_calls_when_the_host_is_not_known_then_says_whose() -> None:
    async def main() -> None:
        async with Calls(operation(), address=Address("nowhere.invalid", 80), record=list):
            pass

    with pytest.raises(TargetError, match="host of nowhere"):
        asyncio.run(main())
