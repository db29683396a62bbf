"""The open loop in virtual time: what is due is sent or dropped and counted, whatever went before."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.traffic.open_loop import OpenLoop
from harness.traffic.schedule import Schedule
from tests.support import virtual_time

MS = 1_000_000


def clock() -> int:
    return virtual_time.now().ns


class Offering:
    """One loop in virtual time; ``sent`` has the number and the moment of each."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        cap: int = 10,
        in_flight: Callable[[], int] = lambda: 0,
        clock: Callable[[], int] = clock,
    ) -> None:
        self.sent: list[tuple[int, int]] = []
        self.prepared: list[tuple[int, int]] = []
        self.clock = clock
        self.loop = OpenLoop(
            schedule,
            cap=cap,
            prepare=self.prepare,
            send=self.send,
            in_flight=in_flight,
            timers=asyncio.get_running_loop(),
            clock=clock,
        )

    def prepare(self, k: int, due: int) -> int:
        self.prepared.append((k, self.clock()))
        return k

    def send(self, k: int) -> None:
        self.sent.append((k, self.clock()))


def offered(schedule: Schedule, **how: Any) -> Offering:
    until = how.pop("until", None)

    async def main() -> Offering:
        made = Offering(schedule, **how)
        await made.loop.run(until=until)
        return made

    return virtual_time.run(main())


def test_requests_when_due_then_sent_at_their_instants() -> None:
    made = offered(Schedule(5 * MS, 100, 3))
    assert made.sent == [(0, 5 * MS), (1, 15 * MS), (2, 25 * MS)]
    assert (made.loop.dropped, made.loop.stopped) == (0, False)


def test_requests_when_none_before_has_ended_then_go_out_all_the_same() -> None:
    flying: list[int] = []
    made = offered(Schedule(0, 100, 5), in_flight=lambda: len(flying))
    assert len(made.sent) == 5


def test_a_request_when_there_is_time_then_is_prepared_before_it_is_due() -> None:
    made = offered(Schedule(10 * MS, 100, 2))
    assert made.prepared == [(0, 0), (1, 10 * MS)]


def test_requests_when_so_many_are_in_flight_then_are_dropped_and_counted() -> None:
    flying = [0]

    async def main() -> tuple[OpenLoop[int], list[int]]:
        sent: list[int] = []

        def send(k: int) -> None:
            sent.append(k)
            flying[0] += 1

        loop = OpenLoop(
            Schedule(0, 100, 8),
            cap=3,
            prepare=lambda k, due: k,
            send=send,
            in_flight=lambda: flying[0],
            timers=asyncio.get_running_loop(),
            clock=clock,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run())
            await asyncio.sleep(0.055)  # noqa: TID251 - virtual time
            flying[0] = 2
        return loop, sent

    loop, sent = virtual_time.run(main())
    assert sent == [0, 1, 2, 6]
    assert (loop.dropped, loop.most) == (4, 3)


def test_a_condition_when_true_as_one_is_due_then_that_one_is_not_sent() -> None:
    made = offered(Schedule(0, 100, 10), until=lambda: clock() >= 25 * MS)
    assert [k for k, _ in made.sent] == [0, 1, 2]
    assert made.loop.stopped
    assert made.loop.dropped == 0


def test_requests_when_the_process_stood_still_then_all_are_sent_at_once_and_none_left_out() -> (
    None
):
    async def main() -> list[tuple[int, int]]:
        made = Offering(Schedule(0, 100, 10))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, virtual_time.VirtualTimeLoop)
        loop.call_at(0.031, lambda: loop.jump(Duration.of_ms(40)))
        await made.loop.run()
        return made.sent

    sent = virtual_time.run(main())
    assert [k for k, _ in sent] == list(range(10))
    assert [at // MS for _, at in sent[:4]] == [0, 10, 20, 30]
    # Four were due meanwhile; the next keeps to its own time again.
    late = {at // MS for _, at in sent[4:8]}
    assert len(late) == 1
    assert min(late) >= 71
    assert [at // MS for _, at in sent[8:]] == [80, 90]


def test_others_when_the_loop_is_behind_then_get_their_turn() -> None:
    at = [0]
    turns: list[int] = []

    def slow() -> int:
        at[0] += 300_000
        return at[0]

    async def other() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)  # noqa: TID251 - a turn, no pause

    async def main() -> Offering:
        made = Offering(Schedule(0, 100_000, 200), clock=slow)
        task = asyncio.get_running_loop().create_task(other())
        await made.loop.run()
        task.cancel()
        return made

    made = virtual_time.run(main())
    assert len(made.sent) == 200
    assert len(turns) > 50


@given(
    rate=st.floats(min_value=0.5, max_value=5_000),
    planned=st.integers(1, 50),
    first=st.integers(0, 10**9),
)
def test_requests_when_nothing_is_in_the_way_then_each_once_in_order_and_never_early(
    rate: float, planned: int, first: int
) -> None:
    schedule = Schedule(first, rate, planned)
    made = offered(schedule)
    assert [k for k, _ in made.sent] == list(range(planned))
    for k, at in made.sent:
        assert 0 <= at - schedule.due(k) <= 2_000


@given(cap=st.integers(1, 5), planned=st.integers(1, 40), lasts=st.integers(0, 60))
def test_requests_when_any_end_at_any_time_then_sent_and_dropped_make_up_what_was_planned(
    cap: int, planned: int, lasts: int
) -> None:
    async def main() -> tuple[int, int, int]:
        ends: list[int] = []
        flying = lambda: sum(end > clock() for end in ends)  # noqa: E731 - one line reads best
        loop = OpenLoop(
            Schedule(0, 100, planned),
            cap=cap,
            prepare=lambda k, due: k,
            send=lambda k: ends.append(clock() + lasts * MS),
            in_flight=flying,
            timers=asyncio.get_running_loop(),
            clock=clock,
        )
        await loop.run()
        return len(ends), loop.dropped, loop.most

    sent, dropped, most = virtual_time.run(main())
    assert sent + dropped == planned
    assert most <= cap
    # By Little's law no more than this many would be in flight; then none is dropped.
    if lasts // 10 + 1 <= cap:
        assert dropped == 0
