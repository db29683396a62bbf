"""Calls in flight on kept connections, against servers on loopback that behave well and that do not."""

import asyncio
import select
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.units import Duration
from harness.traffic import flights as module
from harness.traffic.connection import resolve
from harness.traffic.flight import Flight
from harness.traffic.flights import Flights
from harness.traffic.response import ResponseReader
from harness.traffic.timers import exact_timers
from tests.support.waiting import until
from tests.support.web import CLOSING, OK, Asked, Web, free_address, never, web

S10, S30 = Duration.of_s(10), Duration.of_s(30)
GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


class Flying:
    """Flights to one address, and what became of them."""

    def __init__(self, flights: Flights[Flight]) -> None:
        self.flights = flights

    def begin(self, content: bytes = GET, **how: Any) -> Flight:
        known: dict[str, Any] = {"timeout": S30, **how}
        flight = Flight(content=content, reader=ResponseReader(), **known)
        self.flights.begin(flight)
        return flight

    async def end(self, *flights: Flight) -> None:
        await until(
            lambda: all(flight.how for flight in flights),
            within=S10,
            what="all of them have ended",
        )

    async def one(self, content: bytes = GET, **how: Any) -> Flight:
        flight = self.begin(content, **how)
        await self.end(flight)
        return flight


@asynccontextmanager
async def flying(address: Address) -> AsyncIterator[Flying]:
    places = await resolve(address, what="app")
    async with asyncio.TaskGroup() as tasks:
        with exact_timers() as timers:
            flights: Flights[Flight] = Flights(
                places,
                what="app",
                timers=timers,
                spawn=tasks.create_task,
                wake=lambda: None,
            )
            try:
                yield Flying(flights)
            finally:
                flights.close()


class Once:
    """A server in a thread of its own: it answers one request while our loop stands still."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._go = threading.Event()
        self.address = Address("127.0.0.1", listening.getsockname()[1])

    def serve(self) -> None:
        peer, _ = self._listening.accept()
        with peer:
            peer.recv(65536)
            self._go.wait(30)
            peer.sendall(OK)
            peer.recv(1)

    def answer(self, flight: Flight) -> None:
        """Returns when the answer is there to be read, and nobody has looked."""
        assert flight.line is not None
        self._go.set()
        assert select.select([flight.line.socket], [], [], 10)[0]


@contextmanager
def once() -> Iterator[Once]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Once(listening)
        thread = threading.Thread(target=made.serve)
        thread.start()
        yield made
        thread.join()


def against(answers: Any, script: Callable[[Flying, Web], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with web(answers) as made, flying(made.address) as ours:
            return await script(ours, made)

    return asyncio.run(main())


def test_a_call_when_answered_then_in_order_and_the_connection_is_used_again() -> None:
    async def script(ours: Flying, server: Web) -> None:
        for _ in range(3):
            flight = await ours.one()
            assert flight.how == "answered"
            assert flight.begun <= flight.sent <= flight.first <= flight.last
            assert flight.reader.body == b"ok"
        assert server.connections == 1
        assert (ours.flights.in_flight, ours.flights.idle) == (0, 1)
        assert [flight.how for flight in ours.flights.news] == ["answered"] * 6

    against(None, script)


def test_calls_when_together_then_each_on_a_connection_of_its_own() -> None:
    gate = asyncio.Event()

    async def answer(asked: Asked) -> bytes:
        await gate.wait()
        return OK

    async def script(ours: Flying, server: Web) -> None:
        together = [ours.begin() for _ in range(20)]
        await until(lambda: len(server.asked) == 20, within=S10, what="all have arrived")
        assert ours.flights.flying == tuple(together)
        gate.set()
        await ours.end(*together)
        assert server.connections == 20
        assert ours.flights.idle == 20

    against(answer, script)


def test_a_connection_when_the_answer_says_close_then_is_not_used_again() -> None:
    async def script(ours: Flying, server: Web) -> None:
        assert [(await ours.one()).how for _ in range(3)] == ["answered"] * 3
        assert server.connections == 3
        assert ours.flights.idle == 0

    against(lambda asked: CLOSING, script)


def test_a_connection_when_it_switches_to_another_protocol_then_is_not_used_again() -> None:
    async def script(ours: Flying, server: Web) -> None:
        assert [(await ours.one()).how for _ in range(2)] == ["answered"] * 2
        assert server.connections == 2

    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    against(lambda asked: switching, script)


def test_a_connection_when_closed_while_idle_then_replaced_and_no_error() -> None:
    async def script(ours: Flying, server: Web) -> None:
        for number in range(1, 4):
            assert (await ours.one()).how == "answered"
            server.open[number].close()
            await until(lambda: not ours.flights.idle, within=S10, what="its close was seen")
        assert server.connections == 3

    against(None, script)


def test_a_connection_when_its_close_was_not_looked_at_yet_then_replaced_all_the_same() -> None:
    async def script(ours: Flying, server: Web) -> None:
        await ours.one()
        (line,) = ours.flights._idle
        server.end(1)
        # Our loop looks at nothing meanwhile.
        assert select.select([line.socket], [], [], 10)[0]
        assert ours.flights.idle == 1
        assert (await ours.one()).how == "answered"
        assert server.connections == 2

    against(None, script)


def test_a_connection_when_it_idled_too_long_then_a_new_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "IDLE_LIMIT", Duration.ZERO)

    async def script(ours: Flying, server: Web) -> None:
        first, second = await ours.one(), await ours.one()
        assert (first.how, second.how) == ("answered", "answered")
        await until(lambda: len(server.open) == 1, within=S10, what="the old one is closed")
        assert server.connections == 2

    against(None, script)


def test_a_connection_when_the_server_talks_out_of_turn_then_is_given_up() -> None:
    async def script(ours: Flying, server: Web) -> None:
        await ours.one()
        server.open[1].write(OK)
        await until(lambda: not ours.flights.idle, within=S10, what="it was given up")
        assert (await ours.one()).how == "answered"
        assert server.connections == 2

    against(None, script)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        pytest.param(None, "connection closed before the answer", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConte", "connection closed within the answer", id="head"),
    ],
)
def test_a_call_when_the_server_hangs_up_then_is_an_end_and_is_not_repeated(
    answer: bytes | None, because: str
) -> None:
    async def script(ours: Flying, server: Web) -> None:
        if answer is not None:
            flight = ours.begin()
            await until(lambda: flight.first, within=S10, what="it begins to answer")
            server.open[1].close()
            await ours.end(flight)
        else:
            flight = await ours.one()
        assert (flight.how, flight.reader.broken) == ("eof", because)
        assert len(server.asked) == 1

    against(lambda asked: answer, script)


def test_a_call_when_on_a_used_connection_that_fails_then_is_not_repeated() -> None:
    async def script(ours: Flying, server: Web) -> None:
        await ours.one()
        flight = await ours.one()
        assert flight.how == "eof"
        assert [asked.connection for asked in server.asked] == [1, 1]

    count = iter([OK, None])
    against(lambda asked: next(count), script)


def test_a_call_when_reset_then_says_so() -> None:
    async def script(ours: Flying, server: Web) -> None:
        flight = ours.begin()
        await until(lambda: server.asked, within=S10, what="it has arrived")
        server.reset(1)
        await ours.end(flight)
        assert flight.how == "reset"
        assert flight.first == 0

    against(never, script)


def test_a_call_when_nobody_listens_then_is_refused_and_was_begun() -> None:
    async def main() -> None:
        async with flying(free_address()) as ours:
            flight = await ours.one()
            assert flight.how == "refused"
            assert flight.sent == flight.begun > 0
            assert flight.last >= flight.sent
            assert ours.flights.in_flight == 0
            # It stands there as sent, then as ended.
            assert list(ours.flights.news) == [flight, flight]

    asyncio.run(main())


def test_a_call_when_no_port_is_left_then_that_is_no_service_s_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def none_left(places: object) -> socket.socket:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(module, "first_to_accept", none_left)
    monkeypatch.setattr(module, "accepted_at_once", lambda place: None)

    async def main() -> None:
        async with flying(Address("127.0.0.1", 1)) as ours:
            ours.begin()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as failed:
        asyncio.run(main())
    assert failed.group_contains(TargetError, match="no further connection: Cannot assign")


def test_a_call_when_never_answered_then_given_up_at_its_deadline() -> None:
    async def script(ours: Flying, server: Web) -> None:
        flight = await ours.one(timeout=Duration.of_ms(60))
        assert (flight.how, flight.because) == ("deadline", "no answer within 60 ms")
        assert flight.last - flight.sent >= 60_000_000
        await until(lambda: not server.open, within=S10, what="our side is closed")

    against(never, script)


def test_a_call_when_it_waits_for_its_connection_then_its_deadline_counts_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def waits(places: object) -> socket.socket:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(module, "first_to_accept", waits)
    monkeypatch.setattr(module, "accepted_at_once", lambda place: None)

    async def main() -> None:
        async with flying(Address("127.0.0.1", 1)) as ours:
            flight = await ours.one(timeout=Duration.of_ms(50))
            assert flight.how == "deadline"
            assert flight.sent == flight.begun
            assert flight.last - flight.begun >= 50_000_000
            assert not ours.flights._connecting

    asyncio.run(main())


def test_a_call_when_its_caller_leaves_then_our_side_is_closed_as_planned() -> None:
    async def script(ours: Flying, server: Web) -> None:
        flight = await ours.one(leave_after=Duration.of_ms(40))
        assert flight.how == "left"
        assert flight.last - flight.sent >= 40_000_000
        await until(lambda: not server.open, within=S10, what="the server saw us go")

    against(never, script)


def test_a_call_when_answered_before_its_caller_leaves_then_is_answered() -> None:
    async def script(ours: Flying, server: Web) -> None:
        flight = await ours.one(leave_after=S30)
        assert flight.how == "answered"
        assert flight.alarms == []

    against(None, script)


def test_a_call_when_given_up_and_its_answer_is_there_already_then_is_answered() -> None:
    async def main(server: Once) -> Flight:
        async with flying(server.address) as ours:
            flight = ours.begin()
            server.answer(flight)
            ours.flights.give_up(flight, "left", "too late")
            return flight

    with once() as server:
        assert asyncio.run(main(server)).how == "answered"


def test_a_body_when_larger_than_the_socket_takes_then_arrives_whole() -> None:
    body = b"x" * 6_000_000

    async def script(ours: Flying, server: Web) -> None:
        head = b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        flight = await ours.one(head + body)
        assert flight.how == "answered"
        assert server.asked[0].body == body

    against(None, script)


def test_an_answer_when_larger_than_one_read_then_is_whole() -> None:
    body = b"y" * 3_000_000

    async def script(ours: Flying, server: Web) -> None:
        flight = await ours.one()
        assert flight.reader.body == body
        assert flight.first < flight.last

    against(
        lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, script
    )


def test_calls_when_one_was_answered_before_the_next_was_sent_then_never_seem_to_overlap() -> None:
    """The answer is there, and nobody looked at it before the next call went out."""

    async def main(server: Once) -> tuple[Flight, Flight]:
        async with flying(server.address) as ours:
            first = ours.begin()
            server.answer(first)
            return first, ours.begin()

    with once() as server:
        first, second = asyncio.run(main(server))
    assert first.how == "answered"
    assert first.first == second.sent


def test_flights_when_closed_then_all_connections_are_and_nothing_is_told_of_them() -> None:
    async def script(ours: Flying, server: Web) -> None:
        flight = ours.begin()
        await until(lambda: server.asked, within=S10, what="it has arrived")
        ours.flights.news.clear()
        ours.flights.close()
        await until(lambda: not server.open, within=S10, what="all are closed")
        assert (flight.how, list(ours.flights.news)) == ("", [])

    async def main() -> None:
        async with web(never) as made:
            places = await resolve(made.address, what="app")
            with exact_timers() as timers:
                flights: Flights[Flight] = Flights(
                    places,
                    what="app",
                    timers=timers,
                    spawn=asyncio.get_running_loop().create_task,
                    wake=lambda: None,
                )
                await script(Flying(flights), made)

    asyncio.run(main())
