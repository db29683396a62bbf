"""Latency as dialogues; what holds for every latency as properties."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration, Instant
from harness.proxy.items import Chunk, Close, Injected, WakeAt, weight
from harness.proxy.toxic import Trace
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.latency import Latency
from harness.proxy.wire import WireProblem, completed
from tests.support.playbook import Send, at, play, removed, t, updated
from tests.support.toxic_run import drive, steps_of


def values(ms, jitter=0, **more):
    return {"latency": ms, "jitter": jitter, **more}


def latency(ms=40, jitter=0, seed=1, **more):
    return Latency(values(ms, jitter, **more), Random(seed), {})


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

    toxic = Latency(values(40, 40), Draws(), {})
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
        >> updated(200, **values(1000)) << Send(b"a", t(200)) << Injected(0) << WakeAt(t(1100))
        >> at(1100) << Send(b"b") << Close("eof")
    )  # fmt: skip


def test_update_when_new_delay_is_over_already_then_all_leave_in_order():
    assert (
        play(latency(5000))
        >> at(0, b"a") << Injected(0) << WakeAt(t(5000))
        >> at(1, b"b") << Injected(0)
        >> at(2, b"c") << Injected(0)
        >> updated(900, **values(10))
        << Send(b"a") << Injected(0) << Send(b"b") << Injected(0) << Send(b"c")
    )  # fmt: skip


def test_update_when_nothing_is_held_then_next_chunk_has_the_new_delay():
    assert (
        play(latency(40))
        >> updated(0, **values(10))
        >> at(0, b"a") << Injected(0) << WakeAt(t(10))
        >> at(10) << Send(b"a")
    )  # fmt: skip


def test_remove_when_chunks_and_close_are_held_then_all_leave_at_once_in_order():
    assert (
        play(latency(5000))
        >> at(0, b"abc") << Injected(0) << WakeAt(t(5000))
        >> at(200, b"def") << Injected(0)
        >> at(201, Close("eof"))
        >> removed(300) << Send(b"abc", t(300)) << Send(b"def") << Close("eof")
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
    assert list(Latency.attributes(params)) == [wire.name for wire in Latency.wire[:2]]


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


@pytest.mark.parametrize(
    ("given_params", "least", "usual", "longest", "words"),
    [
        ({"latency": "40ms"}, 40, 40, 40, "40 ms latency"),
        ({"latency": "40ms", "jitter": "10ms"}, 30, 40, 50, "40 ms ± 10 ms latency"),
        ({"latency": "10ms", "jitter": "40ms"}, 0, 10, 50, "10 ms ± 40 ms latency"),
        (
            {"latency": "40ms", "jitter": "10ms", "distribution": "normal"},
            0, 40, 100, "40 ms ± 10 ms latency (normal)",
        ),
        (
            {"latency": "40ms", "jitter": "10ms", "distribution": "pareto"},
            40, 50, 1040, "40 ms + 10 ms latency (pareto)",
        ),
        ({"latency": "40ms", "distribution": "normal"}, 40, 40, 40, "40 ms latency"),
    ],
)  # fmt: skip
def test_latency_when_described_then_tells_the_bounds_of_its_draws(
    given_params, least, usual, longest, words
):
    params = to_params(Latency.Params, given_params)
    assert Latency.trace(params) == Trace(
        effect="delay",
        least=Duration.of_ms(least),
        usual=Duration.of_ms(usual),
        longest=Duration.of_ms(longest),
    )
    assert Latency.words(params) == words


def test_distribution_when_not_uniform_then_is_sent_and_shown_else_not():
    def wired(**more):
        return Latency.attributes(to_params(Latency.Params, {"latency": "40ms", **more}))

    assert wired(distribution="uniform") == {"latency": 40, "jitter": 0}
    assert wired(distribution="pareto") == {"latency": 40, "jitter": 0, "distribution": "pareto"}
    assert completed(Latency.wire, {}) == {"latency": 0, "jitter": 0}
    assert completed(Latency.wire, {"distribution": "uniform"})["distribution"] == "uniform"
    with pytest.raises(WireProblem, match=r"^distribution: .*uniform or normal or pareto"):
        completed(Latency.wire, {"distribution": "gamma"})


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


# Distributions


def drawn(number=2000, **given):
    """Delays in milliseconds of so many chunks, each alone."""
    toxic = latency(**given)
    found = []
    for _ in range(number):
        actions = toxic.feed(Chunk(b"a", t(0)), t(0))
        found += [action.at.ns / 1e6 for action in actions if isinstance(action, WakeAt)] or [0]
        toxic.remove(t(0))
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("distribution", "least", "mean", "most"),
    [("uniform", 50, 100, 150), ("normal", 0, 100, 400), ("pareto", 100, 150, 5100)],
)
def test_draws_when_many_then_keep_their_bound_and_have_their_mean(
    distribution, least, mean, most, seed
):
    delays = drawn(ms=100, jitter=50, seed=seed, distribution=distribution)
    assert least <= min(delays) <= max(delays) <= most
    assert abs(sum(delays) / len(delays) - mean) <= mean / 10
    assert delays == drawn(ms=100, jitter=50, seed=seed, distribution=distribution)


def test_draws_when_normal_then_two_of_three_lie_within_one_deviation():
    delays = drawn(ms=100, jitter=20, distribution="normal")
    inside = sum(80 <= delay <= 120 for delay in delays) / len(delays)
    assert 0.64 <= inside <= 0.72


def test_draws_when_pareto_then_one_in_a_hundred_is_ten_times_the_mean_excess():
    """It exceeds latency + x * jitter with probability (1 + x) ** -2: 1 % for x = 9."""
    delays = drawn(number=20_000, ms=100, jitter=10, distribution="pareto")
    assert 0.007 <= sum(delay > 190 for delay in delays) / len(delays) <= 0.013
    assert 0.23 <= sum(delay > 110 for delay in delays) / len(delays) <= 0.27


@pytest.mark.parametrize(
    ("distribution", "draw", "delay"),
    [("normal", 7.5, 40 + 6 * 10), ("normal", -7.5, 0), ("pareto", 1 - 2**-53, 40 + 100 * 10)],
)
def test_draw_when_far_out_then_is_cut_at_the_longest_that_is_told(distribution, draw, delay):
    class Draws(Random):
        def normalvariate(self, *_):
            return draw

        def random(self):
            return draw

    toxic = Latency(values(40, 10, distribution=distribution), Draws(), {})
    chunk = Chunk(b"a", t(0))
    expected = (Injected(0), WakeAt(t(delay))) if delay else (chunk,)
    assert toxic.feed(chunk, t(0)) == expected


@pytest.mark.parametrize("distribution", ["normal", "pareto"])
def test_draw_when_there_is_no_jitter_then_is_latency_itself(distribution):
    assert set(drawn(number=5, ms=40, jitter=-3, distribution=distribution)) == {40}


def test_jitter_when_latency_is_below_zero_then_lies_around_zero():
    delays = drawn(ms=-1000, jitter=10)
    assert min(delays) == 0
    assert 8 <= max(delays) < 10


# Anything


def test_latency_when_another_stands_behind_then_the_two_add_up():
    one, other = latency(40), latency(100)
    one.feed(Chunk(b"a", t(0)), t(0))
    (chunk,) = one.wake(t(47))
    assert (
        play(other)
        >> at(47, chunk) << Injected(0) << WakeAt(t(140))
        >> at(141) << Send(b"a", t(140))
    )  # fmt: skip


VALUES = st.builds(
    values, st.integers(-1, 200), st.integers(-1, 100),
    distribution=st.sampled_from(["uniform", "normal", "pareto"]),
)  # fmt: skip


@given(made=VALUES, steps=steps_of(VALUES), seed=st.integers())
def test_bytes_when_anything_happens_then_all_pass_in_order(made, steps, seed):
    run = drive(lambda: Latency(made, Random(seed), {}), steps, keeps=True)
    run.finish()
    assert (run.out, run.closed) == (run.fed, run.source_closed)
