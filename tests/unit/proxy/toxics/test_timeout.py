"""Timeout as dialogues; that no byte ever passes as a property."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.proxy.items import Chunk, Close, Injected, WakeAt
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.timeout import Timeout
from harness.proxy.wire import WireProblem, completed
from tests.support.playbook import at, play, removed, started, t, updated
from tests.support.toxic_run import drive, steps_of


def timeout(ms):
    return Timeout({"timeout": ms}, Random(1), {})


def test_connection_when_it_starts_then_is_ended_after_the_timeout_without_data():
    assert (
        play(timeout(300))
        >> started(10) << WakeAt(t(310))
        >> at(309) << WakeAt(t(310))
        >> at(311) << Injected(0) << Close("end")
        >> at(312, b"late")
        >> at(320)
    )  # fmt: skip


def test_bytes_when_they_come_then_are_dropped_and_start_the_timer_again():
    assert (
        play(timeout(400))
        >> started(0) << WakeAt(t(400))
        >> at(150, Chunk(b"a", t(150), 7)) << Injected(7) << WakeAt(t(550))
        >> at(400) << WakeAt(t(550))
        >> at(500, b"b") << Injected(0) << WakeAt(t(900))
        >> at(900) << Injected(0) << Close("end")
    )  # fmt: skip


def test_bytes_when_they_stood_elsewhere_first_then_the_timer_counts_from_now():
    assert play(timeout(100)) >> at(300, Chunk(b"a", t(0))) << Injected(0) << WakeAt(t(400))


@pytest.mark.parametrize("ms", [0, -1])
def test_timeout_when_zero_or_less_then_drops_for_ever(ms):
    assert (
        play(timeout(ms))
        >> started(0)
        >> at(1, b"a") << Injected(0)
        >> at(100_000, b"b") << Injected(0)
        >> at(200_000)
    )  # fmt: skip


@pytest.mark.parametrize("how", ["eof", "end", "reset"])
@pytest.mark.parametrize("ms", [0, 300])
def test_close_when_it_comes_then_passes_at_once_and_is_the_last(ms, how):
    toxic = timeout(ms)
    toxic.start(t(0))
    assert (
        play(toxic)
        >> at(10, Close(how)) << Close(how)
        >> at(310)
        >> updated(311, timeout=5)
        >> at(320)
        >> removed(321)
    )  # fmt: skip


def test_update_when_the_timer_runs_then_starts_it_again():
    assert (
        play(timeout(400))
        >> started(0) << WakeAt(t(400))
        >> updated(200, timeout=600) << WakeAt(t(800))
        >> at(400) << WakeAt(t(800))
        >> at(800) << Injected(0) << Close("end")
    )  # fmt: skip


def test_update_when_to_zero_then_the_timer_is_off_and_back_again_it_is_on():
    assert (
        play(timeout(400))
        >> started(0) << WakeAt(t(400))
        >> updated(200, timeout=0)
        >> at(400)
        >> updated(500, timeout=100) << WakeAt(t(600))
        >> at(600) << Injected(0) << Close("end")
    )  # fmt: skip


@pytest.mark.parametrize("ms", [0, 300])
def test_remove_when_the_stream_is_open_then_ends_the_connection(ms):
    toxic = timeout(ms)
    toxic.start(t(0))
    assert play(toxic) >> removed(10) << Close("end") >> at(300)


def test_remove_when_it_has_ended_the_connection_then_does_not_again():
    assert (
        play(timeout(300))
        >> started(0) << WakeAt(t(300))
        >> at(300) << Injected(0) << Close("end")
        >> removed(301)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given_timeout", "effect", "words"),
    [("0s", "silence", "silence"), ("5s", "end", "silence (closed after 5 s without data)")],
)
def test_timeout_when_described_then_says_whether_it_ends(given_timeout, effect, words):
    params = to_params(Timeout.Params, {"timeout": given_timeout})
    assert Timeout.trace(params).effect == effect
    assert Timeout.words(params) == words


def test_attributes_when_whole_milliseconds_then_are_numbers_for_the_wire():
    assert Timeout.attributes(to_params(Timeout.Params, {"timeout": "5s"})) == {"timeout": 5000}
    with pytest.raises(UserError, match=r"^timeout: "):
        Timeout.attributes(to_params(Timeout.Params, {"timeout": "10us"}))
    assert TOXICS["timeout"] is Timeout


def test_wire_when_a_time_would_overflow_then_is_refused_by_name():
    assert completed(Timeout.wire, {}) == {"timeout": 0}
    with pytest.raises(WireProblem, match=r"^timeout: "):
        completed(Timeout.wire, {"timeout": 2**63 - 1})


TIMEOUTS = st.fixed_dictionaries({"timeout": st.integers(-1, 500)})


@given(values=TIMEOUTS, steps=steps_of(TIMEOUTS))
def test_bytes_when_anything_happens_then_none_passes_and_a_gap_is_never_bridged(values, steps):
    run = drive(lambda: Timeout(values, Random(1), {}), steps, keeps=False)
    assert run.out == b""
    run.do(("off and on",))
    assert run.closed in {run.source_closed, "end"}
    assert run.closed is not None
