"""Slow close as dialogues; that bytes never feel it as a property."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.proxy.items import Chunk, Close, Injected, WakeAt
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.slow_close import SlowClose
from harness.proxy.wire import completed
from tests.support.playbook import at, play, removed, t, updated
from tests.support.toxic_run import drive, steps_of


def slow_close(delay):
    return SlowClose({"delay": delay}, Random(1), {})


@pytest.mark.parametrize("how", ["eof", "end"])
def test_close_when_it_comes_then_waits_and_bytes_before_it_do_not(how):
    chunk = Chunk(b"a", t(0), 7)
    assert (
        play(slow_close(500))
        >> at(9, chunk) << chunk
        >> at(10, Close(how)) << Injected(0) << WakeAt(t(510))
        >> at(509) << WakeAt(t(510))
        >> at(512) << Close(how)
        >> at(600)
    )  # fmt: skip


def test_close_when_an_abort_then_passes_at_once():
    assert play(slow_close(500)) >> at(0, Close("reset")) << Close("reset")


@pytest.mark.parametrize("delay", [0, -1])
def test_close_when_delay_is_zero_or_less_then_passes_uninjected(delay):
    assert play(slow_close(delay)) >> at(0, Close("eof")) << Close("eof")


def test_update_when_a_close_waits_then_waits_anew():
    assert (
        play(slow_close(500))
        >> at(0, Close("eof")) << Injected(0) << WakeAt(t(500))
        >> updated(100, delay=800) << WakeAt(t(900))
        >> at(500) << WakeAt(t(900))
        >> at(900) << Close("eof")
    )  # fmt: skip


def test_update_when_delay_becomes_zero_then_the_waiting_close_passes():
    assert (
        play(slow_close(500))
        >> at(0, Close("eof")) << Injected(0) << WakeAt(t(500))
        >> updated(100, delay=0) << Close("eof")
        >> at(500)
    )  # fmt: skip


def test_update_when_nothing_waits_then_the_next_close_has_the_new_delay():
    assert (
        play(slow_close(500))
        >> updated(0, delay=20)
        >> at(1, Close("eof")) << Injected(0) << WakeAt(t(21))
        >> at(21) << Close("eof")
    )  # fmt: skip


def test_remove_when_a_close_waits_then_it_passes_at_once():
    assert (
        play(slow_close(5000))
        >> at(0, Close("end")) << Injected(0) << WakeAt(t(5000))
        >> removed(100) << Close("end")
        >> at(5000)
    )  # fmt: skip


def test_remove_when_nothing_waits_then_gives_nothing():
    assert play(slow_close(500)) >> at(0, b"a") << Chunk(b"a", t(0)) >> removed(1)


def test_slow_close_when_described_then_turns_show_nothing_but_their_end_may_be_late():
    params = to_params(SlowClose.Params, {"delay": "2s"})
    assert SlowClose.attributes(params) == {"delay": 2000}
    assert SlowClose.trace(params).effect == "unseen"
    assert SlowClose.trace(params).longest == Duration.of_s(2)
    assert SlowClose.words(params) == "closes delayed by 2 s"
    assert TOXICS["slow_close"] is SlowClose
    assert completed(SlowClose.wire, {}) == {"delay": 0}


def test_attributes_when_finer_than_a_millisecond_then_names_the_attribute():
    with pytest.raises(UserError, match=r"^delay: "):
        SlowClose.attributes(to_params(SlowClose.Params, {"delay": "1500us"}))


DELAYS = st.fixed_dictionaries({"delay": st.integers(-1, 500)})


@given(delay=DELAYS, steps=steps_of(DELAYS))
def test_bytes_when_anything_happens_then_all_pass_at_once_and_the_close_at_last(delay, steps):
    run = drive(lambda: SlowClose(delay, Random(1), {}), steps, keeps=False)
    assert run.out == run.fed
    run.finish()
    assert run.closed == run.source_closed


@given(delay=st.integers(1, 500), wait=st.integers(0, 600))
def test_close_when_it_waits_then_never_passes_early(delay, wait):
    run = drive(lambda: slow_close(delay), [("close", "eof"), ("wait", wait)], keeps=False)
    assert run.closed == ("eof" if wait >= delay else None)
