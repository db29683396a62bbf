"""Bandwidth as dialogues, alone and with others on one line; order, rate and weight as properties."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.proxy.items import CHUNK_OVERHEAD, Chunk, Close, Injected, WakeAt
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.bandwidth import Bandwidth
from harness.proxy.toxics.latency import Latency
from harness.proxy.wire import WireProblem, completed
from tests.support.playbook import Send, at, play, removed, t, updated
from tests.support.toxic_run import ToxicRun, drive, steps_of

# The least rate whose pieces overflow 64 bits, on which the original panics.
LEAST_UNLIMITED = 92233720368547759


def bandwidth(rate, **more):
    return Bandwidth({"rate": rate, **more}, Random(1), {})


def test_chunk_when_alone_then_takes_its_size_over_the_rate():
    assert (
        play(bandwidth(100))
        >> at(0, b"x" * 1000) << Injected(0) << WakeAt(t(10))
        >> at(9.999) << WakeAt(t(10))
        >> at(11) << Send(b"x" * 1000, t(0))
        >> at(20, b"y") << Injected(0) << WakeAt(t(20.01))
        >> at(21) << Send(b"y", t(20))
    )  # fmt: skip


def test_chunk_when_it_takes_more_than_100_ms_then_leaves_in_pieces_with_its_stamp_and_turn():
    whole = Chunk(b"a" * 10_000 + b"b" * 10_000 + b"c" * 5_000, t(3), 7)
    assert (
        play(bandwidth(100))
        >> at(5, whole) << Injected(7) << WakeAt(t(105))
        >> at(105) << Chunk(b"a" * 10_000, t(3), 7) << WakeAt(t(205))
        >> at(205) << Chunk(b"b" * 10_000, t(3), 7) << WakeAt(t(255))
        >> at(255) << Chunk(b"c" * 5_000, t(3), 7)
    )  # fmt: skip


def test_chunk_when_it_takes_exactly_100_ms_then_stays_whole():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 100) << Injected(0) << WakeAt(t(100))
        >> at(100) << Send(b"x" * 100)
    )  # fmt: skip


def test_chunks_when_in_a_row_then_the_second_waits_for_the_first_and_a_late_timer_costs_nothing():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 10) << Injected(0) << WakeAt(t(10))
        >> at(1, b"y" * 10) << Injected(0)
        >> at(2, b"z" * 10) << Injected(0)
        >> at(18) << Send(b"x" * 10) << WakeAt(t(20))
        >> at(39) << Send(b"y" * 10) << Send(b"z" * 10)
        >> at(40, b"w" * 10) << Injected(0) << WakeAt(t(50))
        >> at(50) << Send(b"w" * 10)
    )  # fmt: skip


def test_chunk_when_it_stood_elsewhere_first_then_its_time_here_counts_from_now():
    chunk = Chunk(b"x" * 10, t(0))
    assert (
        play(bandwidth(1))
        >> at(50, chunk) << Injected(0) << WakeAt(t(60))
        >> at(60) << Send(b"x" * 10, t(0))
    )  # fmt: skip


@pytest.mark.parametrize("rate", [LEAST_UNLIMITED - 1, LEAST_UNLIMITED, 2**63 - 1])
def test_rate_when_a_chunk_takes_less_than_a_nanosecond_then_it_passes_uninjected(rate):
    chunk = Chunk(b"x" * 1_000_000, t(0))
    assert play(bandwidth(rate)) >> at(0, chunk) << chunk >> at(0, chunk) << chunk


@pytest.mark.parametrize("how", ["eof", "end", "reset"])
def test_close_when_bytes_are_held_then_passes_with_the_last_of_them(how):
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 150) << Injected(0) << WakeAt(t(100))
        >> at(1, Close(how))
        >> at(100) << Send(b"x" * 100) << WakeAt(t(150))
        >> at(150) << Send(b"x" * 50) << Close(how)
        >> at(151)
    )  # fmt: skip


@pytest.mark.parametrize("rate", [0, 1])
def test_close_when_nothing_is_held_then_passes_at_once(rate):
    assert play(bandwidth(rate)) >> at(0, Close("eof")) << Close("eof")


def test_rate_when_zero_then_holds_everything_until_removed():
    assert (
        play(bandwidth(0))
        >> at(0, b"abc") << Injected(0)
        >> at(1, b"def") << Injected(0)
        >> at(100_000)
        >> removed(200_000) << Send(b"abc", t(0)) << Send(b"def", t(1))
    )  # fmt: skip


def test_close_when_the_rate_is_zero_then_is_told_at_once_and_held_bytes_are_dropped():
    toxic = bandwidth(0)
    assert (
        play(toxic)
        >> at(0, b"abc") << Injected(0)
        >> at(1, Close("eof")) << Close("eof")
        >> removed(2)
    )  # fmt: skip
    assert toxic.held == 0


def test_update_when_in_the_middle_of_a_chunk_then_its_rest_leaves_and_the_next_has_the_new_rate():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 150) << Injected(0) << WakeAt(t(100))
        >> at(1, b"y" * 150) << Injected(0)
        >> at(2, Close("eof"))
        >> at(100) << Send(b"x" * 100) << WakeAt(t(150))
        >> updated(120, rate=2) << Send(b"x" * 50, t(0)) << WakeAt(t(195))
        >> at(150) << WakeAt(t(195))
        >> at(195) << Send(b"y" * 150) << Close("eof")
    )  # fmt: skip


def test_update_when_the_rate_becomes_zero_then_the_rest_leaves_and_what_is_behind_it_stays():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 10) << Injected(0) << WakeAt(t(10))
        >> at(1, b"y" * 10) << Injected(0)
        >> updated(5, rate=0) << Send(b"x" * 10)
        >> at(10)
        >> updated(100, rate=1) << Send(b"y" * 10)
    )  # fmt: skip


def test_update_when_the_rate_becomes_zero_before_a_close_then_the_close_is_told():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 10) << Injected(0) << WakeAt(t(10))
        >> at(1, b"y" * 10) << Injected(0)
        >> at(2, Close("eof"))
        >> updated(5, rate=0) << Send(b"x" * 10) << Close("eof")
        >> at(10)
    )  # fmt: skip


def test_update_when_to_no_limit_then_all_leave():
    assert (
        play(bandwidth(0))
        >> at(0, b"a") << Injected(0)
        >> at(0, b"b") << Injected(0)
        >> updated(9, rate=LEAST_UNLIMITED) << Send(b"a") << Send(b"b")
    )  # fmt: skip


def test_update_when_the_rate_stays_then_the_rest_leaves_and_its_time_is_free():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 100) << Injected(0) << WakeAt(t(100))
        >> at(1, b"y" * 10) << Injected(0)
        >> updated(20, rate=1) << Send(b"x" * 100) << WakeAt(t(30))
        >> at(30) << Send(b"y" * 10)
    )  # fmt: skip


def test_update_when_nothing_is_held_then_the_next_chunk_has_the_new_rate():
    assert (
        play(bandwidth(1))
        >> updated(0, rate=10)
        >> at(0, b"x" * 100) << Injected(0) << WakeAt(t(10))
        >> at(10) << Send(b"x" * 100)
    )  # fmt: skip


def test_remove_when_in_the_middle_then_the_rest_and_the_close_leave_at_once():
    toxic = bandwidth(1)
    assert (
        play(toxic)
        >> at(0, b"x" * 150) << Injected(0) << WakeAt(t(100))
        >> at(1, b"y") << Injected(0)
        >> at(2, Close("eof"))
        >> at(100) << Send(b"x" * 100) << WakeAt(t(150))
        >> removed(120) << Send(b"x" * 50, t(0)) << Send(b"y", t(1)) << Close("eof")
        >> at(150)
    )  # fmt: skip
    assert toxic.held == 0


def test_remove_when_its_bytes_have_left_then_the_line_is_free():
    assert (
        play(bandwidth(1))
        >> at(0, b"x" * 100) << Injected(0) << WakeAt(t(100))
        >> removed(20) << Send(b"x" * 100)
        >> at(21, b"y" * 10) << Injected(0) << WakeAt(t(31))
        >> at(31) << Send(b"y" * 10)
    )  # fmt: skip


def test_held_when_pieces_leave_then_the_chunk_weighs_what_is_left_of_it():
    toxic = bandwidth(1)
    toxic.feed(Chunk(b"x" * 150, t(0)), t(0))
    assert toxic.held == 150 + CHUNK_OVERHEAD
    toxic.wake(t(100))
    assert toxic.held == 50 + CHUNK_OVERHEAD
    toxic.wake(t(150))
    assert toxic.held == 0


def test_latency_when_it_stands_behind_then_the_two_overlap():
    """Rate 10 and 200 ms for 5,000 bytes: pieces leave at 200, 200, 300, 400 and 500."""
    line = bandwidth(10)
    behind = Latency({"latency": 200, "jitter": 0}, Random(1), {})
    left = []
    line.feed(Chunk(b"x" * 5000, t(0)), t(0))
    for ms in range(0, 600, 100):
        actions = [*line.wake(t(ms)), None]
        for action in actions:
            chunk = isinstance(action, Chunk)
            out = behind.feed(action, t(ms)) if chunk else behind.wake(t(ms))
            left += [ms for each in out if isinstance(each, Chunk)]
    assert left == [200, 200, 300, 400, 500]


# One line for all connections


def on_one_line(rate, number=2):
    common = {}
    return [Bandwidth({"rate": rate, "shared": True}, Random(1), common) for _ in range(number)]


def test_shared_when_two_send_then_they_take_turns_piece_by_piece():
    one, other = on_one_line(1)
    assert (
        play(one)
        >> at(0, b"x" * 250) << Injected(0) << WakeAt(t(100))
    )  # fmt: skip
    assert (
        play(other)
        >> at(1, b"y" * 10) << Injected(0) << WakeAt(t(110))
        >> at(1, b"z" * 10) << Injected(0)
    )  # fmt: skip
    assert play(one) >> at(100) << Send(b"x" * 100) << WakeAt(t(210))
    assert play(other) >> at(110) << Send(b"y" * 10) << WakeAt(t(220))
    assert play(one) >> at(210) << Send(b"x" * 100) << WakeAt(t(270))


def test_shared_when_not_then_each_connection_has_its_own_rate():
    common = {}
    one, other = (Bandwidth({"rate": 1}, Random(1), common) for _ in range(2))
    assert play(one) >> at(0, b"x" * 10) << Injected(0) << WakeAt(t(10))
    assert play(other) >> at(0, b"y" * 10) << Injected(0) << WakeAt(t(10))


def test_shared_when_one_ends_with_much_held_then_others_wait_no_longer_than_its_piece():
    one, other = on_one_line(1)
    one.feed(Chunk(b"x" * 1_000_000, t(0)), t(0))
    one.remove(t(10))
    assert play(other) >> at(20, b"y" * 10) << Injected(0) << WakeAt(t(110))


def test_shared_when_the_rate_changes_then_all_book_anew_at_the_new_one():
    one, other = on_one_line(1)
    for toxic in (one, other):
        toxic.feed(Chunk(b"x" * 100, t(0)), t(0))
        toxic.feed(Chunk(b"y" * 100, t(0)), t(0))
    assert play(one) >> updated(50, rate=10, shared=True) << Send(b"x" * 100) << WakeAt(t(60))
    assert play(other) >> updated(50, rate=10, shared=True) << Send(b"x" * 100) << WakeAt(t(70))


# What it says of itself


@pytest.mark.parametrize(
    ("given_params", "values", "words"),
    [
        ({"rate": "100KB/s"}, {"rate": 100}, "100KB/s bandwidth"),
        ({"rate": "2MB/s", "shared": True}, {"rate": 2000, "shared": True},
         "2MB/s bandwidth, shared"),
    ],
)  # fmt: skip
def test_bandwidth_when_described_then_delays_by_what_is_sent(given_params, values, words):
    params = to_params(Bandwidth.Params, given_params)
    assert Bandwidth.attributes(params) == values
    assert Bandwidth.words(params) == words
    assert Bandwidth.trace(params).effect == "delay"
    assert Bandwidth.trace(params).longest is None


def test_attributes_when_finer_than_a_kilobyte_then_names_the_attribute():
    with pytest.raises(UserError, match=r"^rate: .*1KB/s or 2KB/s"):
        Bandwidth.attributes(to_params(Bandwidth.Params, {"rate": "1500B/s"}))
    assert TOXICS["bandwidth"] is Bandwidth


def test_wire_when_read_then_shared_shows_only_when_set_and_a_rate_below_zero_is_refused():
    assert completed(Bandwidth.wire, {}) == {"rate": 0}
    assert completed(Bandwidth.wire, {"shared": False}) == {"rate": 0, "shared": False}
    with pytest.raises(WireProblem, match=r"^rate: "):
        completed(Bandwidth.wire, {"rate": -1})


RATES = st.fixed_dictionaries(
    {"rate": st.sampled_from([0, 1, 1, 2, 3, 7, 1000, LEAST_UNLIMITED - 1, LEAST_UNLIMITED])},
    optional={"shared": st.booleans()},
)


@given(values=RATES, steps=steps_of(RATES))
def test_bytes_when_anything_happens_then_all_pass_unless_the_rate_was_zero_at_the_end(
    values, steps
):
    run = drive(lambda: Bandwidth(values, Random(1), {}), steps, keeps=True)
    run.do(("update", {"rate": 1}))
    run.finish()
    assert run.closed == run.source_closed
    rates = {values["rate"], *(step[1]["rate"] for step in steps if step[0] == "update")}
    assert run.out == run.fed or (0 in rates and run.closed is not None)


@given(
    rate=st.integers(1, 50),
    sent=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 10_000)), max_size=10),
)
def test_bytes_when_fed_at_any_time_then_never_faster_than_the_rate_nor_slower_for_long(rate, sent):
    run = ToxicRun(bandwidth(rate), keeps=True)
    busy_until = 0
    for gap, size in sent:
        run.do(("wait", gap))
        run.do(("feed", b"x" * size))
        busy_until = max(busy_until, run.now.ns) + size * 1_000_000 / rate
    run.finish()
    assert run.out == run.fed
    if sent:
        last = max(now.ns for now, action in run.log if isinstance(action, Chunk))
        assert busy_until - 1000 <= last <= busy_until


@given(
    rate=st.integers(1, 20),
    sent=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300)), min_size=1, max_size=12),
)
def test_shared_when_all_send_at_once_then_the_line_is_never_idle_nor_faster(rate, sent):
    runs = [ToxicRun(toxic, keeps=True) for toxic in on_one_line(rate, 3)]
    for index, size in sent:
        runs[index].do(("feed", b"x" * size))
    while any(run.toxic.held for run in runs):
        for run in runs:
            run.do(("wait", 1))
    took = sum(size for _, size in sent) * 1_000_000 / rate
    last = max(now.ns for run in runs for now, action in run.log if isinstance(action, Chunk))
    assert took - 1000 <= last <= took + 1_000_000
