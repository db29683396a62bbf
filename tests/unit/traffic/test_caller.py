"""Calls for a script: one, an open loop, callers without pause, all at once; each with an id and a phase."""

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker import IdCarrier
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    OperationReturned,
    OperationSent,
)
from harness.model.plan import HttpCall, OperationPlan
from harness.model.units import Duration, Instant
from harness.traffic import caller as caller_module
from harness.traffic.caller import Caller, Returned, To, held_of
from harness.traffic.operation import Operation
from harness.traffic.request_ids import carrying
from tests.support.sources import sources_at
from tests.support.waiting import until
from tests.support.web import BUSY, OK, Asked, Web, never, web

S10 = Duration.of_s(10)
CALL = HttpCall(method="POST", path="/fetch/{account}", json={"x": 1}, has_json=True)


def fetch(**changes: Any) -> Operation:
    known: dict[str, Any] = {
        "name": "fetch",
        "on": "app",
        "http": CALL,
        "timeout": S10,
        "vars": {"account": "any"},
        **changes,
    }
    return Operation.compile(carrying(OperationPlan(**known), IdCarrier()), sources=sources_at())


def calling(
    script: Callable[[Caller, Web], Awaitable[Any]],
    answers: Any = None,
    *,
    what: Operation | None = None,
    **how: Any,
) -> list[Any]:
    """The events of a script."""
    events: list[Any] = []

    async def main() -> None:
        async with (
            web(answers) as server,
            Caller(
                what or fetch(),
                address=server.address,
                record=events.append,
                numbers=itertools.count(1),
                run="run-1",
                values={},
                **how,
            ) as caller,
        ):
            await script(caller, server)

    asyncio.run(main())
    return events


def of(events: list[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_call_when_answered_then_returned_is_journalled_and_bears_its_id() -> None:
    returned: list[Returned] = []

    async def script(caller: Caller, server: Web) -> None:
        returned.extend([await caller.call(phase="exact-trip") for _ in range(2)])
        assert [asked.header("x-request-id") for asked in server.asked] == [
            each.rid for each in returned
        ]
        assert list(caller.returned) == returned
        assert caller.in_flight == 0

    events = calling(script)
    assert [type(event) for event in events] == [OperationSent, OperationReturned] * 2
    assert all(event.phase == "exact-trip" and event.round == 0 for event in events)
    first, second = returned
    assert re.fullmatch(r"r00001-[0-9a-f]{8}", first.rid)
    assert first.rid != second.rid
    assert (first.how, first.status, first.answer) == ("answered", 200, "none")
    assert first.sent <= first.last <= second.sent


def test_a_call_when_its_caller_leaves_then_left_and_the_server_sees_it() -> None:
    async def script(caller: Caller, server: Web) -> None:
        returned = await caller.call(phase="departing", leave_after=Duration.of_ms(50))
        assert returned.how == "left"
        assert Duration.of_ms(50) <= returned.last - returned.sent
        await until(lambda: not server.open, within=S10, what="the server sees us go")

    (_, returned) = calling(script, never)
    assert (returned.how, returned.answer, returned.status) == ("left", "none", None)


def test_a_call_when_never_answered_then_ends_at_the_operation_s_time_out() -> None:
    async def script(caller: Caller, server: Web) -> None:
        returned = await caller.call(phase="hung")
        assert returned.how == "deadline"
        assert returned.last - returned.sent >= Duration.of_ms(60)

    calling(script, never, what=fetch(timeout=Duration.of_ms(60)))


def test_a_call_when_for_a_circuit_then_has_its_values_and_its_name() -> None:
    async def script(caller: Caller, server: Web) -> None:
        await caller.call(phase="keys", circuit="a", values={"account": "a1"})
        assert server.asked[0].line == "POST /fetch/a1 HTTP/1.1"

    sent, _ = calling(script)
    assert sent.circuit == "a"


def test_an_answer_when_there_is_one_then_sorted_by_whoever_knows_how() -> None:
    async def script(caller: Caller, server: Web) -> None:
        returned = await caller.call(phase="outage")
        assert returned.answer == "rejection"

    sort = lambda answer: "rejection" if answer.status == 503 else "success"  # noqa: E731 - one line
    calling(script, lambda asked: BUSY, answer_of=sort)


def test_an_open_loop_when_run_then_all_bear_their_due_time_and_the_ends_are_told() -> None:
    heard: list[Returned] = []

    async def script(caller: Caller, server: Web) -> None:
        offered = await caller.open(phase="baseline", rate=200, calls=20, heard=heard.append)
        await caller.drain()
        assert (offered.planned, offered.sent, offered.dropped) == (20, 20, 0)
        assert offered.late_p99 <= offered.late_max
        assert not offered.stopped
        assert len(server.asked) == 20

    events = calling(script)
    started, finished = events[0], of(events, ArrivalsFinished)[0]
    assert isinstance(started, ArrivalsStarted)
    assert (started.phase, started.planned, started.rate) == ("baseline", 20, 200)
    assert (finished.phase, finished.sent, finished.dropped) == ("baseline", 20, 0)
    sent = of(events, OperationSent)
    assert [event.due.ns - started.first.ns for event in sent] == [k * 5_000_000 for k in range(20)]
    assert all(event.sent >= event.due for event in sent)
    assert {each.rid for each in heard} == {event.rid for event in sent}


def test_an_open_loop_when_nobody_answers_then_goes_on_and_leaves_its_calls_in_flight() -> None:
    async def script(caller: Caller, server: Web) -> None:
        offered = await caller.open(phase="blackhole", rate=500, calls=30)
        assert (offered.sent, offered.most, caller.in_flight) == (30, 30, 30)
        await caller.drain(Duration.of_ms(10))
        assert caller.in_flight == 0

    events = calling(script, never)
    assert [event.how for event in of(events, OperationReturned)] == ["deadline"] * 30


def test_an_open_loop_when_the_cap_is_reached_then_drops_and_says_so() -> None:
    async def script(caller: Caller, server: Web) -> None:
        offered = await caller.open(phase="blackhole", rate=500, calls=30, cap=7)
        assert (offered.sent, offered.dropped, offered.most) == (7, 23, 7)

    events = calling(script, never)
    (finished,) = of(events, ArrivalsFinished)
    assert (finished.sent, finished.dropped, finished.cap) == (7, 23, 7)
    assert len(of(events, OperationSent)) == 7


def test_an_open_loop_when_its_condition_comes_true_then_ends_early() -> None:
    async def script(caller: Caller, server: Web) -> None:
        offered = await caller.open(
            phase="trip", rate=200, lasts=S10, until=lambda: len(server.asked) >= 3
        )
        assert offered.stopped
        assert 3 <= offered.sent < 2_000

    calling(script)


@pytest.mark.parametrize(
    ("bounds", "planned"),
    [
        pytest.param({"calls": 3}, 3, id="calls"),
        pytest.param({"lasts": Duration.of_ms(20)}, 4, id="time"),
        pytest.param({"calls": 3, "lasts": S10}, 3, id="calls-first"),
        pytest.param({"calls": 300, "lasts": Duration.of_ms(20)}, 4, id="time-first"),
    ],
)
def test_an_open_loop_when_bounded_then_ends_at_the_first_bound(
    bounds: dict[str, Any], planned: int
) -> None:
    async def script(caller: Caller, server: Web) -> None:
        assert (await caller.open(phase="p", rate=200, **bounds)).planned == planned

    calling(script)


def test_an_open_loop_when_for_several_circuits_then_they_take_turns() -> None:
    async def script(caller: Caller, server: Web) -> None:
        await caller.open(
            phase="keys",
            rate=500,
            calls=5,
            to=[To("a", {"account": "1"}), To("b", {"account": "2"})],
        )
        await caller.drain()

    events = calling(script)
    assert [event.circuit for event in of(events, OperationSent)] == ["a", "b", "a", "b", "a"]


def test_two_loops_when_one_after_the_other_then_calls_of_the_first_end_within_the_second() -> None:
    gate = asyncio.Event()

    async def answer(asked: Asked) -> bytes:
        await gate.wait()
        return OK

    async def script(caller: Caller, server: Web) -> None:
        await caller.open(phase="outage", rate=500, calls=3)
        gate.set()
        await caller.open(phase="heal", rate=500, calls=3)
        await caller.drain()

    events = calling(script, answer)
    assert [event.phase for event in of(events, OperationReturned)] == ["outage"] * 3 + ["heal"] * 3


def test_callers_when_without_pause_then_so_many_at_once_and_so_many_in_all() -> None:
    most = [0]
    now = [0]

    async def answer(asked: Asked) -> bytes:
        now[0] += 1
        most[0] = max(most[0], now[0])
        await asyncio.sleep(0)  # noqa: TID251 - lets the others arrive
        now[0] -= 1
        return OK

    async def script(caller: Caller, server: Web) -> None:
        assert await caller.closed(phase="memory", callers=4, calls=41) == 41
        assert server.connections <= 4

    events = calling(script, answer)
    assert len(of(events, OperationReturned)) == 41
    assert most[0] <= 4


def test_a_burst_when_released_then_all_have_one_due_time_and_one_answer_each() -> None:
    async def script(caller: Caller, server: Web) -> None:
        spread = await caller.burst(phase="burst-good", callers=30)
        assert spread >= Duration.ZERO
        assert server.connections == len(server.asked) == 30
        assert len({asked.header("x-request-id") for asked in server.asked}) == 30

    events = calling(script)
    sent, returned = of(events, OperationSent), of(events, OperationReturned)
    assert {event.phase for event in events} == {"burst-good"}
    assert len(sent) == len(returned) == 30
    assert {event.how for event in returned} == {"answered"}
    # All are due when the first goes; how much later the last went is the spread.
    assert {event.due for event in sent} == {sent[0].sent}


def test_a_burst_when_held_then_no_server_has_a_whole_head_until_the_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some servers begin to act once they have the headers, whatever is still to come."""

    async def script(caller: Caller, server: Web) -> None:
        async def held(at: Instant) -> None:
            await until(lambda: server.begun == 3, within=S10, what="all have begun")
            seen.append(server.heads)

        monkeypatch.setattr(caller_module, "_until", held)
        await caller.burst(phase="b", callers=3)
        assert server.heads == 3

    seen: list[int] = []
    calling(script)
    assert seen == [0]


def test_a_burst_when_planned_for_a_moment_then_not_released_before() -> None:
    at = []

    async def script(caller: Caller, server: Web) -> None:
        at.append(Instant.of_ns(time.monotonic_ns()) + Duration.of_ms(150))
        await caller.burst(phase="b", callers=2, at=at[0])

    events = calling(script)
    assert min(event.sent for event in of(events, OperationSent)) >= at[0]


def test_a_burst_when_some_never_end_then_each_has_its_own_end() -> None:
    count = itertools.count(1)

    async def answer(asked: Asked) -> bytes | None:
        match next(count) % 3:
            case 0:
                return OK
            case 1:
                return None
            case _:
                return await never(asked)

    async def script(caller: Caller, server: Web) -> None:
        await caller.burst(phase="b", callers=6)

    events = calling(script, answer, what=fetch(timeout=Duration.of_ms(600)))
    how = sorted(event.how for event in of(events, OperationReturned))
    assert how == ["answered"] * 2 + ["deadline"] * 2 + ["eof"] * 2


def test_a_burst_when_the_service_has_a_ready_check_then_its_connections_are_warm() -> None:
    async def script(caller: Caller, server: Web) -> None:
        await caller.burst(phase="b", callers=5)
        assert [asked.line for asked in server.asked[:5]] == ["GET /healthz HTTP/1.1"] * 5
        assert server.connections == 5

    calling(script, warm=HttpCall(method="GET", path="/healthz"))


@given(body=st.binary(max_size=40_000), path=st.text("abc/", max_size=20))
def test_what_is_held_back_when_of_any_request_then_begins_within_its_head_if_it_can(
    body: bytes, path: str
) -> None:
    head = f"POST /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    held = held_of(head + body)
    assert 1 <= held <= 16 * 1024
    if len(body) < 16 * 1024:
        assert (head + body)[:-held] == head[:-1]
