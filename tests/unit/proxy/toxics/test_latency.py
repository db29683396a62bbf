"""Latency as dialogues; what holds for every latency as properties."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant
from harness.proxy.items import Chunk, Close, Injected, WakeAt, weight
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.latency import Latency
from tests.support.playbook import Send, at, play, t, then


def latency(ms=40, jitter=0, seed=1):
    return Latency({"latency": ms, "jitter": jitter}, Random(seed))


def update(ms, jitter=0):
    return lambda toxic, now: toxic.update({"latency": ms, "jitter": jitter}, now)


def remove(toxic, now):
    return toxic.remove(now)


def test_chunk_when_due_then_leaves_stamped_with_the_instant_it_was_due():
    assert (
        play(latency(40))
        >> at(0, b"a") << Injected(0) << WakeAt(t(40))
        >> at(39) << WakeAt(t(40))
        >> at(43) << Send(b"a", t(40))
    )  # fmt: skip


def test_chunks_when_many_then_each_counts_from_its_own_arrival_and_order_is_kept():
    assert (
        play(latency(40))
        >> at(0, b"a") << Injected(0) << WakeAt(t(40))
        >> at(10, b"b") << Injected(0)
        >> at(40) << Send(b"a") << WakeAt(t(50))
        >> at(60) << Send(b"b", t(50))
    )  # fmt: skip


def test_chunk_when_its_draw_is_shorter_than_its_predecessors_then_leaves_and_is_stamped_with_it():
    class Draws(Random):
        drawn = iter([30, -40])

        def randrange(self, *_):
            return next(self.drawn)

    toxic = Latency({"latency": 40, "jitter": 40}, Draws())
    assert (
        play(toxic)
        >> at(0, b"a") << Injected(0) << WakeAt(t(70))
        >> at(1, b"b") << Injected(0)
        >> at(71) << Send(b"a", t(70)) << Send(b"b", t(70))
    )  # fmt: skip


def test_chunk_when_delay_is_zero_then_passes_uninjected():
    assert play(latency(0)) >> at(0, b"a") << Send(b"a", t(0))
    assert play(latency(-1000, -100)) >> at(0, b"a") << Send(b"a", t(0))


def test_chunk_when_it_waited_elsewhere_long_enough_then_passes_stamped_as_delayed():
    assert play(latency(40)) >> at(50, Chunk(b"a", t(0))) << Injected(0) << Send(b"a", t(40))


def test_close_when_nothing_is_held_then_passes_at_once():
    assert play(latency(40)) >> at(0, Close("eof")) << Close("eof")


@pytest.mark.parametrize("how", ["eof", "end", "reset"])
def test_close_when_bytes_are_held_then_passes_behind_them(how):
    assert (
        play(latency(40))
        >> at(0, b"a") << Injected(0) << WakeAt(t(40))
        >> at(1, Close(how))
        >> at(40) << Send(b"a") << Close(how)
    )  # fmt: skip


def test_update_when_two_are_held_then_first_leaves_and_second_counts_anew_from_its_arrival():
    assert (
        play(latency(5000))
        >> at(0, b"a") << Injected(0) << WakeAt(t(5000))
        >> at(100, b"b") << Injected(0)
        >> at(101, Close("eof"))
        >> then(200, "update", update(1000)) << Send(b"a", t(200)) << Injected(0) << WakeAt(t(1100))
        >> at(1100) << Send(b"b") << Close("eof")
    )  # fmt: skip


def test_update_when_new_delay_is_over_already_then_all_leave_in_order():
    assert (
        play(latency(5000))
        >> at(0, b"a") << Injected(0) << WakeAt(t(5000))
        >> at(1, b"b") << Injected(0)
        >> at(2, b"c") << Injected(0)
        >> then(900, "update", update(10))
        << Send(b"a") << Injected(0) << Send(b"b") << Injected(0) << Send(b"c")
    )  # fmt: skip


def test_update_when_nothing_is_held_then_next_chunk_has_the_new_delay():
    assert (
        play(latency(40))
        >> then(0, "update", update(10))
        >> at(0, b"a") << Injected(0) << WakeAt(t(10))
        >> at(10) << Send(b"a")
    )  # fmt: skip


def test_remove_when_chunks_and_close_are_held_then_all_leave_at_once_in_order():
    assert (
        play(latency(5000))
        >> at(0, b"abc") << Injected(0) << WakeAt(t(5000))
        >> at(200, b"def") << Injected(0)
        >> at(201, Close("eof"))
        >> then(300, "remove", remove) << Send(b"abc", t(300)) << Send(b"def") << Close("eof")
    )  # fmt: skip


def test_held_when_chunks_come_and_go_then_counts_them_with_their_overhead():
    toxic = latency(40)
    chunk = Chunk(b"abc", t(0))
    toxic.feed(chunk, t(0))
    toxic.feed(chunk, t(0))
    assert toxic.held == 2 * weight(chunk)
    toxic.wake(t(40))
    assert toxic.held == 0
    toxic.feed(chunk, t(0))
    toxic.remove(t(0))
    assert toxic.held == 0


def test_turn_when_chunk_is_held_then_is_kept():
    toxic = latency(40)
    assert toxic.feed(Chunk(b"a", t(0), 7), t(0))[0] == Injected(7)
    assert toxic.wake(t(40)) == [Chunk(b"a", t(40), 7)]


def test_attributes_when_whole_milliseconds_then_are_numbers_for_the_wire():
    params = to_params(Latency.Params, {"latency": "40ms", "jitter": "1s"})
    assert Latency.attributes(params) == {"latency": 40, "jitter": 1000}
    assert list(Latency.attributes(params)) == [attribute.name for attribute in Latency.wire]


@pytest.mark.parametrize(
    ("given_params", "name"),
    [
        ({"latency": "1.5ms"}, "latency"),
        ({"latency": "40ms", "jitter": "250us"}, "jitter"),
        ({"latency": "-1ms"}, "latency"),
        ({"latency": "9223372036855ms"}, "latency"),
    ],
)
def test_attributes_when_not_to_be_had_on_the_wire_then_names_the_attribute(given_params, name):
    with pytest.raises(UserError, match=rf"^{name}: "):
        Latency.attributes(to_params(Latency.Params, given_params))


def test_expectation_when_jitter_then_is_the_least_a_draw_can_give():
    def params(**given_params):
        return to_params(Latency.Params, given_params)

    assert Latency.expectation(params(latency="40ms", jitter="10ms")) == Duration.of_ms(30)
    assert Latency.expectation(params(latency="10ms", jitter="40ms")) == Duration.ZERO
    assert Latency.usual(params(latency="40ms", jitter="10ms")) == Duration.of_ms(40)
    assert Latency.longest(params(latency="40ms", jitter="10ms")) == Duration.of_ms(50)
    assert Latency.words(params(latency="40ms")) == "40 ms latency"
    assert Latency.words(params(latency="40ms", jitter="10ms")) == "40 ms ± 10 ms latency"


def test_latency_when_asked_for_by_its_word_then_is_found():
    assert TOXICS["latency"] is Latency


@given(
    ms=st.integers(0, 100),
    jitter=st.integers(0, 100),
    seed=st.integers(),
    gaps=st.lists(st.integers(0, 60), min_size=1, max_size=20),
)
def test_delay_when_drawn_then_is_in_its_range_and_repeatable(ms, jitter, seed, gaps):
    """Each chunk alone: never before its least delay, never after its longest."""

    def delays():
        toxic = latency(ms, jitter, seed)
        found = []
        for _ in gaps:
            due = [a.at for a in toxic.feed(Chunk(b"a", t(0)), t(0)) if isinstance(a, WakeAt)]
            found.append(due[0] if due else Instant.of_ns(0))
            toxic.remove(t(0))
        return found

    once = delays()
    assert all(t(max(0, ms - jitter)) <= due <= t(ms + jitter) for due in once)
    assert once == delays()


@given(
    ms=st.integers(0, 80),
    jitter=st.integers(0, 80),
    gaps=st.lists(st.integers(0, 40), max_size=20),
    seed=st.integers(),
)
def test_chunks_when_jittered_then_leave_in_order_never_early_and_complete(ms, jitter, gaps, seed):
    toxic = latency(ms, jitter, seed)
    sent, got, now = [], [], 0

    def take(actions):
        got.extend((a.data, now) for a in actions if isinstance(a, Chunk))

    for number, gap in enumerate(gaps):
        for _ in range(gap):
            now += 1
            take(toxic.wake(t(now)))
        sent.append((bytes([number]), now))
        take(toxic.feed(Chunk(bytes([number]), t(now)), t(now)))
    for _ in range(ms + jitter + 1):
        now += 1
        take(toxic.wake(t(now)))
    assert [data for data, _ in got] == [data for data, _ in sent]
    for (_, left), (_, came) in zip(got, sent, strict=True):
        assert left - came >= max(0, ms - jitter)
    assert toxic.held == 0


@pytest.mark.parametrize(
    ("latency", "advice"), [("250us", "Write 1ms."), ("1500us", "Write 1ms or 2ms.")]
)
def test_attributes_when_finer_than_a_millisecond_then_the_nearest_that_can_be(latency, advice):
    given = Latency.Params(latency=Duration.parse(latency))
    with pytest.raises(UserError, match="is no whole number of milliseconds") as refused:
        Latency.attributes(given)
    assert str(refused.value).endswith(advice)
