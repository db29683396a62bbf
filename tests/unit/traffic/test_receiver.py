"""The receiver, on socket pairs: what it stamps, when it gives up, and what it still sees."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.model.units import Duration
from harness.traffic.answer import Answer, Failure
from harness.traffic.receiver import RESET, Awaited, Receiver
from harness.traffic.response import ResponseReader
from tests.support.waiting import until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def awaited(count: int, timeout: Duration) -> Iterator[tuple[list[Awaited], list[socket.socket]]]:
    """Answers awaited since now, and the servers' ends."""
    pairs = [socket.socketpair() for _ in range(count)]
    for ours, _ in pairs:
        ours.setblocking(False)
    try:
        yield (
            [
                Awaited(ours, ResponseReader(), timeout, sent=time.monotonic_ns())
                for ours, _ in pairs
            ],
            [theirs for _, theirs in pairs],
        )
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def test_an_answer_when_seen_at_a_look_then_is_stamped_with_the_look() -> None:
    with awaited(1, Duration.of_s(5)) as ([one], [server]):
        receiver = Receiver([one])
        server.sendall(OK[:5])
        before = time.monotonic_ns()
        receiver.look()
        assert one.result() is None
        server.sendall(OK[5:])
        receiver.look()
        receiver.close()
        came = one.result()
        assert isinstance(came, Answer)
        assert one.sent <= before <= came.first.ns <= came.last.ns <= time.monotonic_ns()


def test_an_answer_when_nobody_looked_before_then_has_the_earliest_first_byte() -> None:
    with awaited(2, Duration.of_s(5)) as ((early, late), (first, second)):
        receiver = Receiver([early, late])
        first.sendall(OK)
        receiver.look(first_unseen=True)
        second.sendall(OK)
        receiver.look()
        receiver.close()
        assert early.first == early.sent
        assert late.first is not None
        assert late.first > late.sent


def test_all_that_is_there_when_looked_at_then_has_one_instant() -> None:
    with awaited(3, Duration.of_s(5)) as (ones, servers):
        receiver = Receiver(ones)
        for server in servers:
            server.sendall(OK)
        receiver.look()
        receiver.close()
        assert len({one.first for one in ones}) == 1


def test_waiting_when_all_came_then_ends_at_once_and_ends_our_side() -> None:
    async def main() -> None:
        with awaited(2, Duration.of_s(60)) as (ones, servers):
            receiver = Receiver(ones)
            receiver.attach()
            for server in servers:
                server.sendall(OK)
            await receiver.wait()
            assert [server.recv(1) for server in servers] == [b"", b""]
            receiver.close()
            assert all(isinstance(one.result(), Answer) for one in ones)

    asyncio.run(main())


def test_waiting_when_one_is_late_then_it_alone_is_given_up() -> None:
    async def main() -> None:
        with awaited(3, Duration.of_ms(50)) as ((good, silent, half), (first, _, third)):
            receiver = Receiver([good, silent, half])
            receiver.attach()
            first.sendall(OK)
            third.sendall(OK[:-1])
            await receiver.wait()
            receiver.close()
            assert isinstance(good.result(), Answer)
            for one, words in ((silent, "no answer"), (half, "no whole answer")):
                came = one.result()
                assert isinstance(came, Failure)
                assert came.because == f"{words} within 50 ms"
                assert came.last.ns - one.sent >= 50_000_000

    asyncio.run(main())


def test_waiting_when_time_outs_differ_then_each_has_its_own() -> None:
    async def main() -> None:
        with awaited(2, Duration.of_ms(50)) as ((short, long), (_, second)):
            long.timeout = Duration.of_s(60)
            receiver = Receiver([short, long])
            receiver.attach()
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(receiver.wait())
                await until(
                    lambda: short.last is not None, within=Duration.of_s(30), what="one is given up"
                )
                assert not waiting.done()
                second.sendall(OK)
            receiver.close()
            assert isinstance(short.result(), Failure)
            assert isinstance(long.result(), Answer)

    asyncio.run(main())


@pytest.mark.parametrize("apart", [True, False], ids=["apart", "in-one"])
def test_a_second_answer_when_it_comes_before_the_end_then_none_counts(apart: bool) -> None:
    with awaited(1, Duration.of_s(5)) as ([one], [server]):
        receiver = Receiver([one])
        server.sendall(OK if apart else OK + OK)
        receiver.look()
        if apart:
            server.sendall(OK)
            receiver.look()
        receiver.close()
        came = one.result()
        assert isinstance(came, Failure)
        assert (came.because, came.status) == ("more than one answer", 200)


def test_the_end_when_after_the_answer_then_changes_nothing() -> None:
    with awaited(1, Duration.of_s(5)) as ([one], [server]):
        receiver = Receiver([one])
        server.sendall(OK)
        receiver.look()
        last = one.last
        server.close()
        receiver.look()
        receiver.close()
        assert isinstance(one.result(), Answer)
        assert one.last == last


def test_giving_up_when_an_answer_came_first_then_its_end_stays() -> None:
    with awaited(1, Duration.of_s(5)) as ([one], [server]):
        receiver = Receiver([one])
        receiver.give_up(one, "the last byte could not be sent", one.sent + 7)
        server.sendall(OK)
        receiver.look()
        receiver.close()
        came = one.result()
        assert isinstance(came, Failure)
        assert (came.because, came.last.ns, came.first) == (
            "the last byte could not be sent",
            one.sent + 7,
            None,
        )


def test_the_kinds_of_end_when_there_is_no_answer_then_are_told_apart() -> None:
    async def main() -> list[str]:
        with awaited(4, Duration.of_ms(50)) as (ours, theirs):
            receiver = Receiver(ours)
            receiver.attach()
            theirs[0].close()
            theirs[1].sendall(b"SSH-2.0\r\n")
            receiver.give_up(ours[2], RESET, ours[2].sent)
            await receiver.wait()
            receiver.close()
            return [came.how for one in ours if isinstance(came := one.result(), Failure)]

    assert asyncio.run(main()) == ["eof", "eof", "reset", "deadline"]
