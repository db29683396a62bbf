"""Slicer as dialogues; sizes, order and weight as properties."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.proxy.items import CHUNK_OVERHEAD, Chunk, Close, Injected, WakeAt
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.slicer import Slicer, cuts
from harness.proxy.wire import WireProblem, completed
from tests.support.playbook import Send, at, play, removed, t, updated
from tests.support.toxic_run import ToxicRun, drive, steps_of


def values(average=4, variation=0, delay=0):
    return {"average_size": average, "size_variation": variation, "delay": delay}


def slicer(average=4, variation=0, delay=0, seed=1):
    return Slicer(values(average, variation, delay), Random(seed), {})


def pieces(size, average, variation=0, seed=1):
    ends = list(cuts(size, average, variation, Random(seed)))
    return [end - start for start, end in pairwise([0, *ends])]


def test_chunk_when_no_longer_than_a_piece_then_passes_as_it_is_uninjected():
    chunk = Chunk(b"abcd", t(0), 7)
    assert play(slicer(4)) >> at(3, chunk) << chunk
    assert play(slicer(3, 1)) >> at(3, chunk) << chunk


def test_chunk_when_longer_then_its_pieces_keep_its_stamp_and_turn_and_leave_a_pause_apart():
    assert (
        play(slicer(2, delay=20_000))
        >> at(5, Chunk(b"abcdefgh", t(3), 7))
        << Injected(7) << Chunk(b"ab", t(3), 7) << WakeAt(t(25))
        >> at(24) << WakeAt(t(25))
        >> at(28) << Chunk(b"cd", t(3), 7) << WakeAt(t(48))
        >> at(48) << Chunk(b"ef", t(3), 7) << WakeAt(t(68))
        >> at(68) << Chunk(b"gh", t(3), 7)
        >> at(100)
    )  # fmt: skip


def test_pieces_when_no_pause_is_asked_for_then_all_leave_at_once():
    assert (
        play(slicer(2))
        >> at(0, b"abcdefgh")
        << Injected(0) << Send(b"ab") << Send(b"cd") << Send(b"ef") << Send(b"gh")
        >> at(0, Close("eof")) << Close("eof")
    )  # fmt: skip


def test_pieces_when_the_pause_is_finer_than_a_timer_then_a_late_timer_does_not_add_up():
    assert (
        play(slicer(1, delay=100))
        >> at(0, b"abcdefgh") << Injected(0) << Send(b"a") << WakeAt(t(0.1))
        >> at(0.35) << Send(b"b") << Send(b"c") << Send(b"d") << WakeAt(t(0.4))
        >> at(2) << Send(b"e") << Send(b"f") << Send(b"g") << Send(b"h")
        >> at(3, b"i") << Send(b"i")
    )  # fmt: skip


def test_chunks_when_the_one_before_is_being_cut_then_wait_and_are_cut_in_their_turn():
    assert (
        play(slicer(2, delay=10_000))
        >> at(0, b"abcd") << Injected(0) << Send(b"ab") << WakeAt(t(10))
        >> at(1, Chunk(b"efgh", t(1), 7)) << Injected(7)
        >> at(2, Close("eof"))
        >> at(10) << Send(b"cd") << WakeAt(t(20))
        >> at(20) << Chunk(b"ef", t(1), 7) << WakeAt(t(30))
        >> at(30) << Chunk(b"gh", t(1), 7) << Close("eof")
    )  # fmt: skip


def test_chunk_when_it_comes_in_the_pause_behind_a_piece_then_waits_for_its_end():
    assert (
        play(slicer(2, delay=10_000))
        >> at(0, b"ab") << Send(b"ab")
        >> at(4, b"cd") << Injected(0) << WakeAt(t(10))
        >> at(10) << Send(b"cd")
        >> at(15, Close("eof")) << Close("eof")
    )  # fmt: skip


def test_update_when_in_the_middle_of_a_chunk_then_its_rest_leaves_in_one_piece():
    assert (
        play(slicer(2, delay=10_000))
        >> at(0, b"abcdefgh") << Injected(0) << Send(b"ab") << WakeAt(t(10))
        >> at(1, b"ijklmnop") << Injected(0)
        >> at(10) << Send(b"cd") << WakeAt(t(20))
        >> updated(15, **values(4, delay=5_000))
        << Send(b"efgh", t(0)) << Send(b"ijkl", t(1)) << WakeAt(t(20))
        >> at(20) << Send(b"mnop")
    )  # fmt: skip


def test_update_when_a_whole_chunk_waits_then_it_is_cut_as_the_new_values_say():
    assert (
        play(slicer(4, delay=10_000))
        >> at(0, b"abcd") << Send(b"abcd")
        >> at(1, b"efgh") << Injected(0) << WakeAt(t(10))
        >> updated(2, **values(2)) << Send(b"ef") << Send(b"gh")
    )  # fmt: skip


def test_remove_when_in_the_middle_of_a_chunk_then_the_rest_and_the_close_leave_at_once():
    toxic = slicer(2, delay=10_000)
    assert (
        play(toxic)
        >> at(0, b"abcdefgh") << Injected(0) << Send(b"ab") << WakeAt(t(10))
        >> at(1, b"ijklmnop") << Injected(0)
        >> at(2, Close("eof"))
        >> removed(5) << Send(b"cdefgh", t(0)) << Send(b"ijklmnop", t(1)) << Close("eof")
        >> at(6, b"x") << Send(b"x")
    )  # fmt: skip
    assert toxic.held == 0


def test_remove_when_a_whole_chunk_waits_then_it_leaves_whole():
    chunk = Chunk(b"efgh", t(1), 7)
    assert (
        play(slicer(2, delay=10_000))
        >> at(0, b"a") << Send(b"a")
        >> at(1, chunk) << Injected(7) << WakeAt(t(10))
        >> removed(2) << chunk
    )  # fmt: skip


def test_held_when_pieces_leave_then_the_chunk_weighs_what_is_left_of_it():
    toxic = slicer(2, delay=10_000)
    toxic.feed(Chunk(b"abcdef", t(0)), t(0))
    assert toxic.held == 5 + CHUNK_OVERHEAD
    for ms in (10, 20):
        toxic.wake(t(ms))
    assert toxic.held == 2 + CHUNK_OVERHEAD
    toxic.wake(t(30))
    assert toxic.held == 0


def test_pieces_when_very_many_then_come_in_bursts_so_that_others_get_their_turn():
    run = ToxicRun(slicer(1), keeps=True)
    run.do(("feed", b"x" * 20_000))
    assert 0 < len(run.out) < 10_000
    run.finish()
    chunks = [action for _, action in run.log if isinstance(action, Chunk)]
    assert [len(chunk.data) for chunk in chunks] == [1] * 20_000
    assert run.now == t(0), "no time passes between bursts"


# Sizes


def test_sizes_when_without_variation_then_by_halving_as_the_original():
    assert sorted(pieces(1000, 100)) == [62] * 8 + [63] * 8
    assert pieces(100, 100) == [100]
    assert sorted(pieces(101, 100)) == [50, 51]


def test_sizes_when_variation_is_as_large_as_the_average_then_no_piece_is_empty():
    for seed in range(50):
        assert min(pieces(50, 1, 1, seed)) >= 1


def test_sizes_when_they_vary_then_differ_by_chunk_and_by_seed():
    def two_chunks(seed):
        toxic = slicer(20, 10, seed=seed)
        return [
            [len(each.data) for each in toxic.feed(Chunk(b"x" * 500, t(0)), t(0))[1:]]
            for _ in range(2)
        ]

    first, second = two_chunks(1)
    assert first != second
    assert two_chunks(2) != [first, second]
    assert two_chunks(1) == [first, second]


@given(
    size=st.integers(1, 5000),
    average=st.integers(1, 300),
    seed=st.integers(),
    share=st.floats(0, 1),
)
def test_sizes_when_cut_then_add_up_and_none_is_longer_than_average_and_variation(
    size, average, seed, share
):
    variation = round(average * share)
    made = pieces(size, average, variation, seed)
    assert sum(made) == size
    assert all(1 <= piece <= average + variation for piece in made)
    assert made == pieces(size, average, variation, seed)


@given(seed=st.integers(), wait=st.integers(0, 100))
def test_cuts_when_another_time_or_change_comes_between_then_later_chunks_are_cut_the_same(
    seed, wait
):
    """What a chunk's cuts are depends on its place in the traffic alone."""

    def second(ms):
        run = ToxicRun(slicer(5, 3, 1000, seed), keeps=True)
        run.do(("feed", b"x" * 50))
        run.do(("wait", ms))
        run.do(("feed", b"y" * 50))
        run.finish()
        return [c.data for _, c in run.log if isinstance(c, Chunk) and b"y" in c.data]

    assert second(wait) == second(0)


# What it says of itself


def test_wire_when_completed_without_a_size_then_check_refuses_it_by_name():
    assert completed(Slicer.wire, {}) == values(0)
    with pytest.raises(WireProblem, match=r"^average_size: "):
        Slicer.check(values(0))
    with pytest.raises(WireProblem, match=r"^average_size: "):
        completed(Slicer.wire, {"average_size": -1})


@pytest.mark.parametrize(("average", "variation"), [(10, 11), (10, 2000), (1, 2**63 - 1)])
def test_check_when_variation_is_larger_than_the_average_then_is_refused_by_name(
    average, variation
):
    with pytest.raises(WireProblem, match=r"^size_variation: "):
        Slicer.check(values(average, variation))


@pytest.mark.parametrize(("average", "variation"), [(64, 64), (1, 1), (1, 0), (10, -1)])
def test_check_when_values_go_together_then_passes(average, variation):
    Slicer.check(values(average, variation))


@pytest.mark.parametrize(
    ("given_params", "wired", "words", "longest"),
    [
        ({"average_size": "64B"}, values(64), "slices of 64B", Duration.ZERO),
        (
            {"average_size": "64B", "delay": "10us"},
            values(64, 0, 10),
            "slices of 64B, 10 µs apart",
            None,
        ),
        (
            {"average_size": "1KiB", "size_variation": "24B", "delay": "20ms"},
            values(1024, 24, 20_000),
            "slices of 1KiB ± 24B, 20 ms apart",
            None,
        ),
    ],
)
def test_slicer_when_described_then_delays_by_what_is_sent(given_params, wired, words, longest):
    params = to_params(Slicer.Params, given_params)
    assert Slicer.attributes(params) == wired
    assert Slicer.words(params) == words
    assert Slicer.trace(params).effect == "delay"
    assert Slicer.trace(params).longest == longest
    assert TOXICS["slicer"] is Slicer


@pytest.mark.parametrize(
    ("given_params", "name"),
    [
        ({"average_size": "0B"}, "average_size"),
        ({"average_size": "10B", "size_variation": "11B"}, "size_variation"),
        ({"average_size": "10B", "delay": "10ns"}, "delay"),
    ],
)
def test_attributes_when_not_to_be_had_on_the_wire_then_names_the_attribute(given_params, name):
    with pytest.raises(UserError, match=rf"^{name}: .*\.$"):
        Slicer.attributes(to_params(Slicer.Params, given_params))


VALUES = st.integers(1, 60).flatmap(
    lambda average: st.builds(
        values,
        st.just(average),
        st.integers(-2, average),
        st.sampled_from([-1, 0, 1, 50, 900, 1000, 20_000]),
    )
)


@given(made=VALUES, steps=steps_of(VALUES), seed=st.integers())
def test_bytes_when_anything_happens_then_all_pass_in_order(made, steps, seed):
    run = drive(lambda: Slicer(made, Random(seed), {}), steps, keeps=True)
    run.finish()
    assert (run.out, run.closed) == (run.fed, run.source_closed)


@given(delay=st.integers(1000, 30_000), size=st.integers(1, 60))
def test_pieces_when_the_pause_is_a_millisecond_or_more_then_are_never_closer(delay, size):
    run = ToxicRun(slicer(5, 2, delay), keeps=True)
    run.do(("feed", b"x" * size))
    run.finish()
    left = [now.ns for now, action in run.log if isinstance(action, Chunk)]
    assert all(after - before >= delay * 1000 for before, after in pairwise(left))
