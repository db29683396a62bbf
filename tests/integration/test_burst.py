"""Bursts over real sockets on loopback, against servers that behave well and servers that do not."""

import asyncio
import gc
import itertools
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.events import BurstReleased, BurstWritten, OperationReturned, OperationSent
from harness.model.outcomes import Acknowledged, Rejected, Unknown
from harness.model.plan import BurstPart, BurstStep, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic import burst as burst_module
from harness.traffic import warming
from harness.traffic.burst import run_burst
from harness.traffic.operation import Operation
from tests.support.sources import sources_at
from tests.support.waiting import until

S30 = Duration.of_s(30)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    """Request line and body; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head.split(b"\r\n")[0].decode(), await reader.readexactly(length)


def answering(answer: Callable[[str, bytes], bytes | None]) -> Serve:
    """A server that answers each request by ``answer``, and hangs up where that gives None."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            answered = answer(*request)
            if answered is None:
                break
            writer.write(answered)
            await writer.drain()

    return serve


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[Address]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512)
    try:
        yield Address("127.0.0.1", listening.sockets[0].getsockname()[1])
    finally:
        listening.close()


def operation(name: str = "withdraw", **changes: Any) -> Operation:
    given: dict[str, Any] = {
        "name": name,
        "on": "app",
        "http": HttpCall(
            method="POST", path=f"/{name}/{{n}}", json={"rid": "{rid}"}, has_json=True
        ),
        "timeout": S30,
    }
    return Operation.compile(OperationPlan(**{**given, **changes}), sources=sources_at())


def step(concurrency: int = 8, *parts: BurstPart) -> BurstStep:
    return BurstStep(
        id="burst",
        parts=parts or (BurstPart(operation="withdraw", concurrency=concurrency),),
        hold=Duration.of_ms(30),
    )


async def burst(
    address: Address,
    what: BurstStep,
    *operations: Operation,
    warm: HttpCall | None = None,
) -> list[Any]:
    events: list[Any] = []
    known = operations or (operation(),)
    await run_burst(
        what,
        round=3,
        operations={o.name: o for o in known},
        address_of=lambda service: address,
        values={"run": "r1", "variant": "naive"},
        record=events.append,
        numbers=itertools.count(1),
        warm={"app": warm},
    )
    return events


def returned(events: list[Any]) -> list[OperationReturned]:
    return [e for e in events if isinstance(e, OperationReturned)]


def sent(events: list[Any]) -> list[OperationSent]:
    return [e for e in events if isinstance(e, OperationSent)]


def run_against(serve: Serve, *arguments: Any, **named: Any) -> list[Any]:
    async def main() -> list[Any]:
        async with server(serve) as address:
            return await burst(address, *arguments, **named)

    return asyncio.run(main())


def test_no_request_is_complete_when_still_held_then_all_arrive() -> None:
    complete: list[float] = []
    events = run_against(
        answering(lambda line, body: complete.append(time.monotonic_ns()) or OK), step(20)
    )
    released = next(e for e in events if isinstance(e, BurstReleased))
    assert len(complete) == 20
    assert min(complete) >= released.first.ns
    assert released.requests == 20
    assert [e.outcome for e in returned(events)] == [Acknowledged()] * 20


def test_events_when_a_burst_ran_then_in_order_and_complete() -> None:
    events = run_against(answering(lambda line, body: OK), step(5))
    assert isinstance(events[0], BurstWritten)
    assert isinstance(events[1], BurstReleased)
    assert [type(e) for e in events[2:]] == [OperationSent] * 5 + [OperationReturned] * 5
    released = events[1]
    assert [e.op for e in sent(events)] == [1, 2, 3, 4, 5]
    assert [e.request for e in sent(events)] == [1, 2, 3, 4, 5]
    assert len({e.rid for e in sent(events)}) == 5
    assert released.first == min(e.sent for e in sent(events))
    assert released.last == max(e.sent for e in sent(events))
    for out, back in zip(sent(events), returned(events), strict=True):
        assert back.op == out.op
        assert back.first is not None
        assert out.sent <= back.first <= back.last


def test_warming_when_the_service_has_a_ready_check_then_each_connection_had_one_request() -> None:
    lines: list[str] = []
    events = run_against(
        answering(lambda line, body: lines.append(line) or OK),
        step(6),
        warm=HttpCall(method="GET", path="/healthz"),
    )
    assert next(e for e in events if isinstance(e, BurstWritten)).warmed == 6
    assert lines[:6] == ["GET /healthz HTTP/1.1"] * 6
    assert len(lines) == 12


def test_warming_when_the_call_holds_a_brace_then_it_is_sent_as_filled() -> None:
    lines: list[str] = []
    filled = HttpCall(
        method="POST",
        path="/healthz/a%2Fb",
        headers={"X-Mark": "{not a name}"},
        json={"text": "{", "n": 7},
        has_json=True,
    )
    bodies: list[bytes] = []

    def answer(line: str, body: bytes) -> bytes:
        lines.append(line)
        bodies.append(body)
        return OK

    events = run_against(answering(answer), step(2), warm=filled)
    assert next(e for e in events if isinstance(e, BurstWritten)).warmed == 2
    assert lines[:2] == ["POST /healthz/a%2Fb HTTP/1.1"] * 2
    assert bodies[:2] == [b'{"text": "{", "n": 7}'] * 2


def test_warming_when_the_server_closes_after_each_answer_then_opens_anew() -> None:
    close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    events = run_against(
        answering(lambda line, body: close), step(4), warm=HttpCall(method="GET", path="/healthz")
    )
    assert next(e for e in events if isinstance(e, BurstWritten)).warmed == 0
    assert [e.outcome for e in returned(events)] == [Acknowledged()] * 4


def test_warming_when_no_worker_is_left_then_goes_on_cold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warming, "WARM_LIMIT", Duration.of_ms(50))

    connections: list[list[str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods: list[str] = []
        connections.append(methods)
        while (request := await read_request(reader)) is not None:
            methods.append(request[0].partition(" ")[0])
            if methods[-1] == "POST":
                writer.write(OK)

    events = run_against(serve, step(40), warm=HttpCall(method="GET", path="/healthz"))
    assert next(e for e in events if isinstance(e, BurstWritten)).warmed == 0
    assert len(returned(events)) == 40
    # The first 32 were tried and given up for new ones, the others not tried at all.
    assert connections.count(["GET"]) == 32
    assert connections.count(["POST"]) == 40


def test_two_operations_when_in_one_burst_then_sent_in_turn_with_their_own_variables() -> None:
    bodies: dict[str, list[bytes]] = {"put": [], "get": []}

    def answer(line: str, body: bytes) -> bytes:
        bodies[line.split("/")[1]].append(body)
        return OK

    events = run_against(
        answering(answer),
        step(
            0,
            BurstPart(operation="put", concurrency=4, vars={"amount": [1, 2]}),
            BurstPart(operation="get", concurrency=2, vars={"amount": 7}),
        ),
        operation("put", http=_amount("put")),
        operation("get", http=_amount("get")),
    )
    assert [e.operation for e in sent(events)] == ["put", "get", "put", "put", "get", "put"]
    assert sorted(bodies["put"]) == [b'{"a": 1}', b'{"a": 1}', b'{"a": 2}', b'{"a": 2}']
    assert bodies["get"] == [b'{"a": 7}'] * 2


def _amount(name: str) -> HttpCall:
    return HttpCall(method="POST", path=f"/{name}/x", json={"a": "{amount}"}, has_json=True)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", Rejected(), id="409"),
        pytest.param(
            b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Unknown("answered 503"), id="503"
        ),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", Unknown("answer is not HTTP"), id="not-http"),
        pytest.param(OK + OK, Unknown("more than one answer"), id="two-answers"),
        pytest.param(None, Unknown("connection closed before the answer"), id="hung-up"),
    ],
)
def test_answers_when_not_a_success_then_sorted(answer: bytes | None, outcome: Any) -> None:
    events = run_against(answering(lambda line, body: answer), step(3))
    assert [e.outcome for e in returned(events)] == [outcome] * 3


def test_a_cut_when_within_the_answer_then_unknown() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK[:-1])

    events = run_against(serve, step(2))
    assert {e.outcome.because for e in returned(events)} == {  # type: ignore[union-attr]
        "connection closed within the answer"
    }


def test_a_reset_when_instead_of_an_answer_then_unknown() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        linger = b"\1\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    events = run_against(serve, step(2))
    assert [e.outcome for e in returned(events)] == [Unknown("connection reset")] * 2


def test_no_answer_when_the_time_out_is_over_then_unknown_and_the_others_are_not() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request is not None and request[0].startswith("POST /impatient/"):
            await reader.read()
        writer.write(OK)

    events = run_against(
        serve,
        step(
            0,
            BurstPart(operation="patient", concurrency=2),
            BurstPart(operation="impatient", concurrency=1),
        ),
        operation("patient"),
        operation("impatient", timeout=Duration.of_ms(200)),
    )
    first, second, third = returned(events)
    assert (first.outcome, third.outcome) == (Acknowledged(), Acknowledged())
    assert second.outcome == Unknown("no answer within 200 ms")
    assert second.first is None
    assert (second.last - sent(events)[1].sent) >= Duration.of_ms(200)


def hold_begins_when(monkeypatch: pytest.MonkeyPatch, condition: Callable[[], object]) -> None:
    """So that what a server does in the hold is done in it, however busy the machine is."""

    async def hold(seconds: float) -> None:
        await until(condition, within=S30, what="the server has done its part")
        await asyncio.sleep(seconds)  # noqa: TID251 - the hold itself

    monkeypatch.setattr(burst_module, "asyncio", SimpleNamespace(sleep=hold))


def test_an_answer_when_before_the_request_is_complete_then_unknown_and_never_before_its_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST /withdraw/2 "):
            writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
            answered.append(head)
            await reader.read()
            return
        await reader.readexactly(17)
        writer.write(OK)

    hold_begins_when(monkeypatch, lambda: answered)
    events = run_against(serve, step(3))
    assert next(e for e in events if isinstance(e, BurstReleased)).requests == 2
    early = returned(events)[1]
    assert early.outcome == Unknown("answered before the request was complete")
    assert early.first is None
    assert early.last >= sent(events)[1].sent


def test_a_connection_when_closed_during_the_hold_then_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        closed.append(head)

    hold_begins_when(monkeypatch, lambda: len(closed) == 2)
    events = run_against(serve, step(2))
    assert next(e for e in events if isinstance(e, BurstReleased)).requests == 0
    assert [e.outcome for e in returned(events)] == [
        Unknown("connection closed before the request was complete")
    ] * 2


def test_a_body_when_larger_than_the_socket_takes_then_arrives_whole() -> None:
    sizes: list[int] = []
    large = HttpCall(method="PUT", path="/", body="x" * 6_000_000)
    run_against(
        answering(lambda line, body: sizes.append(len(body)) or OK), step(2), operation(http=large)
    )
    assert sizes == [6_000_000] * 2


def test_a_burst_when_nobody_listens_then_the_address_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(TargetError, match=f"could not connect to 127.0.0.1:{port}: Connection"):
            asyncio.run(burst(Address("127.0.0.1", port), step(4)))


def test_a_burst_when_cancelled_then_what_ended_is_recorded_and_all_is_closed() -> None:
    events: list[Any] = []
    closed: list[bytes] = []

    async def main() -> None:
        read_by_us = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await read_request(reader)
            if request is not None and request[0].startswith("POST /withdraw/1 "):
                writer.write(OK)
                # Our side says that it has the answer by ending its own.
                await reader.read()
                read_by_us.set()
            closed.append(await reader.read())

        async with server(serve) as address:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(
                    run_burst(
                        step(3),
                        round=1,
                        operations={"withdraw": operation()},
                        address_of=lambda service: address,
                        values={},
                        record=events.append,
                        numbers=itertools.count(1),
                        warm={},
                    )
                )
                async with asyncio.timeout(S30.in_s):
                    await read_by_us.wait()
                running.cancel()
            await until(lambda: len(closed) == 3, within=S30, what="all are closed")

    asyncio.run(main())
    assert len(sent(events)) == 3
    assert [e.op for e in returned(events)] == [1]


@pytest.mark.serial
def test_a_burst_when_the_soft_limit_is_low_then_it_is_raised() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        events = run_against(answering(lambda line, body: OK), step(100))
        assert len(returned(events)) == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_burst_when_the_hard_limit_is_lower_then_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 512))
    with pytest.raises(UserError, match="ulimit -n"):
        run_against(answering(lambda line, body: OK), step(1000))


def test_the_collector_when_a_burst_was_released_then_runs_again() -> None:
    run_against(answering(lambda line, body: OK), step(3))
    assert gc.isenabled()
