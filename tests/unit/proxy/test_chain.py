"""Chains: composition of toxics, changes between chunks, and that no byte is lost or moved."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.chain import Chain
from harness.proxy.items import Chunk, Close, Injection
from harness.proxy.seat import PlainSeat
from harness.proxy.toxic import Toxic
from harness.proxy.toxics.latency import Latency
from harness.proxy.toxics.timeout import Timeout
from tests.support.playbook import Send, at, play, t, then


def latency(ms, jitter=0, seed=1):
    return Latency({"latency": ms, "jitter": jitter}, Random(seed), {})


def seat(name, ms, jitter=0, seed=1, *, acting=True):
    return PlainSeat(name, latency(ms, jitter, seed), acting=acting)


def set_acting(made, which, now, *, acting):
    if which.acting == acting:
        return []
    which.acting = acting
    return made.look_again(which.name, now)


def chain(**delays):
    made = Chain()
    for name, ms in delays.items():
        made.add(seat(name, ms), t(0))
    return made


def remove(name):
    return lambda subject, now: subject.remove(name, now)


def test_chain_when_empty_then_is_transparent():
    empty = Chain()
    assert empty.transparent
    assert empty.due is None
    assert play(empty) >> at(0, b"a") << Send(b"a") >> at(1, Close("eof")) << Close("eof")


def test_two_latencies_when_in_a_row_then_add_up_however_late_the_timer():
    both = chain(one=40, two=100)
    assert (
        play(both)
        >> at(0, b"a") << Injection(0, "one")
        >> at(47) << Injection(0, "two")
        >> at(139)
        >> at(141) << Send(b"a", t(140))
    )  # fmt: skip
    assert both.due is None


def test_two_latencies_when_woken_far_too_late_then_both_let_go_at_once():
    assert (
        play(chain(one=40, two=100))
        >> at(0, b"a") << Injection(0, "one")
        >> at(1, b"b") << Injection(0, "one")
        >> at(500) << Injection(0, "two") << Injection(0, "two") << Send(b"a") << Send(b"b")
    )  # fmt: skip


def test_due_when_several_hold_then_is_the_earliest():
    both = chain(one=40, two=100)
    both.feed(Chunk(b"a", t(0)), t(0))
    both.wake(t(40))
    both.feed(Chunk(b"b", t(90)), t(90))
    assert both.due == t(130)
    both.wake(t(130))
    assert both.due == t(140)


def test_close_when_taken_in_then_nothing_behind_it_is():
    closed = chain(one=40)
    assert (
        play(closed)
        >> at(0, b"a") << Injection(0, "one")
        >> at(1, Close("eof"))
        >> at(2, b"late")
        >> at(3, Close("reset"))
        >> at(40) << Send(b"a") << Close("eof")
    )  # fmt: skip
    assert closed.closed
    assert closed.ended


def test_exit_when_a_close_has_left_then_lets_nothing_out():
    """A toxic in the middle may end the stream while those before it still hold bytes."""

    class EndsAtOnce(Toxic):
        def feed(self, item, now):
            return [item, Close("end"), item]

    ending = chain(one=0)
    ending.add(PlainSeat("end", EndsAtOnce({}, Random(1), {}), acting=True), t(0))
    assert (
        play(ending)
        >> at(0, b"a") << Send(b"a") << Close("end")
        >> at(1, b"b")
    )  # fmt: skip


def test_end_of_both_when_this_direction_has_ended_already_then_still_leaves_once():
    """The other direction may be open: a toxic that swallowed its bytes must be able to end it."""

    class EndsWhenRemoved(Toxic):
        def remove(self, now):
            return (Close("end"),)

    for acting in (True, False):
        made = Chain()
        ends = PlainSeat("end", EndsWhenRemoved({}, Random(1), {}), acting=acting)
        made.add(ends, t(0))
        ends.acting = acting
        script = play(made) >> at(0, Close("eof")) << Close("eof")
        ends.acting = True
        assert script >> then(1, "remove", remove("end")) << Close("end")
        assert made.feed(Chunk(b"late", t(2)), t(2)) == []


def test_toxic_when_added_with_bytes_on_the_way_then_acts_on_later_ones_in_order():
    growing = chain(one=40)
    assert (
        play(growing)
        >> at(0, b"a") << Injection(0, "one")
        >> then(10, "add", lambda c, now: c.add(seat("two", 100), now))
        >> at(40) << Injection(0, "two")
        >> at(140) << Send(b"a")
    )  # fmt: skip


def test_toxic_when_removed_then_what_it_held_goes_on_to_the_next():
    assert (
        play(chain(one=5000, two=100))
        >> at(0, b"a") << Injection(0, "one")
        >> then(50, "remove one", remove("one")) << Injection(0, "two")
        >> then(60, "remove two", remove("two")) << Send(b"a")
        >> at(61, b"b") << Send(b"b")
    )  # fmt: skip


def test_toxic_when_removed_then_chain_is_transparent_again():
    made = chain(one=40)
    assert not made.transparent
    made.remove("one", t(0))
    assert made.transparent
    assert made.due is None
    with pytest.raises(KeyError):
        made.remove("one", t(0))


def test_toxic_when_not_acting_then_lets_everything_pass():
    idle = Chain()
    idle.add(seat("one", 40, acting=False), t(0))
    assert idle.transparent
    assert play(idle) >> at(0, b"a") << Send(b"a", t(0))


def test_toxic_when_not_acting_then_new_values_do_nothing():
    idle = Chain()
    idle.add(PlainSeat("end", Timeout({"timeout": 0}, Random(1), {}), acting=False), t(0))
    assert idle.update("end", {"timeout": 5}, t(0)) == []
    assert idle.due is None
    assert idle.wake(t(10)) == []


def test_toxic_when_it_stops_acting_then_gives_back_what_it_holds():
    made, one = Chain(), seat("one", 40)
    made.add(one, t(0))
    assert (
        play(made)
        >> at(0, b"a") << Injection(0, "one")
        >> then(1, "stop", lambda c, now: set_acting(c, one, now, acting=False)) << Send(b"a")
        >> at(2, b"b") << Send(b"b")
        >> then(3, "start", lambda c, now: set_acting(c, one, now, acting=True))
        >> at(3, b"c") << Injection(0, "one")
        >> at(43) << Send(b"c")
    )  # fmt: skip


def test_held_when_several_hold_then_is_the_sum():
    both = chain(one=40, two=100)
    both.feed(Chunk(b"a", t(0)), t(0))
    alone = both.held
    both.wake(t(40))
    both.feed(Chunk(b"b", t(40)), t(40))
    assert both.held == 2 * alone


@pytest.mark.parametrize("late", [1, 2, 3, 7])
def test_many_latencies_when_timers_are_late_then_their_sum_is_waited_for_all_the_same(late):
    made = chain(**{f"l{number}": 1 for number in range(60)})
    driver = Driver(made, tick=late)
    driver.take(made.feed(Chunk(b"a", t(0)), t(0)))
    while not driver.got:
        driver.advance(late)
    assert 60 <= driver.now < 60 + late


class Driver:
    """Feeds a chain as a link would: wakes it whenever it is due, and never lets time run back."""

    def __init__(self, made, tick=1):
        self.chain = made
        self.tick = tick
        self.now = 0
        self.got = b""
        self.closed = False

    def take(self, outputs):
        for output in outputs or ():
            assert not self.closed, "nothing may follow a close"
            if isinstance(output, Chunk):
                self.got += output.data
            elif isinstance(output, Close):
                self.closed = True

    def advance(self, ms):
        for _ in range(0, ms, self.tick):
            self.now += self.tick
            self.take(self.chain.wake(t(self.now)))


NAMES = ("a", "b", "c")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("wait"), st.integers(0, 30)),
        st.tuples(
            st.just("add"),
            st.sampled_from(NAMES),
            st.integers(0, 40),
            st.integers(0, 40),
            st.booleans(),
        ),
        st.tuples(
            st.just("update"), st.sampled_from(NAMES), st.integers(0, 40), st.integers(0, 40)
        ),
        st.tuples(st.just("acting"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("remove"), st.sampled_from(NAMES)),
    ),
    max_size=40,
)


def apply(driver, there, step):
    now, made = t(driver.now), driver.chain
    match step:
        case ("feed", data):
            driver.take(made.feed(Chunk(data, now), now))
        case ("wait", ms):
            driver.advance(ms)
        case ("add", name, ms, jitter, acting) if name not in there:
            there[name] = seat(name, ms, jitter, acting=acting)
            driver.take(made.add(there[name], now))
        case ("update", name, ms, jitter) if name in there:
            driver.take(made.update(name, {"latency": ms, "jitter": jitter}, now))
        case ("acting", name, acting) if name in there:
            driver.take(set_acting(made, there[name], now, acting=acting))
        case ("remove", name) if name in there:
            del there[name]
            driver.take(made.remove(name, now))


@given(STEPS)
def test_bytes_when_toxics_come_change_and_go_then_all_arrive_in_order(steps):
    driver, there = Driver(Chain()), {}
    for step in steps:
        apply(driver, there, step)
    driver.take(driver.chain.feed(Close("eof"), t(driver.now)))
    driver.advance(3 * 80 + 1)
    assert driver.got == b"".join(step[1] for step in steps if step[0] == "feed")
    assert driver.closed
    assert driver.chain.held == 0


@given(
    delays=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=4),
    data=st.binary(max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=10),
    gaps=st.lists(st.integers(0, 20), min_size=12, max_size=12),
)
def test_bytes_when_split_anyhow_then_any_chain_delivers_them_in_order(delays, data, cuts, gaps):
    driver = Driver(Chain())
    for number, (ms, jitter) in enumerate(delays):
        driver.chain.add(seat(f"l{number}", ms, jitter, number), t(0))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end, gap in zip(places, places[1:], gaps, strict=False):
        now = t(driver.now)
        driver.take(driver.chain.feed(Chunk(data[start:end], now), now))
        driver.advance(gap)
    driver.take(driver.chain.feed(Close("eof"), t(driver.now)))
    driver.advance(sum(ms + jitter for ms, jitter in delays) + 1)
    assert driver.got == data
    assert driver.closed
