"""Reset peer as dialogues; that no byte ever passes as a property."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.proxy.items import Chunk, Close, Injected, WakeAt
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.reset_peer import ResetPeer
from harness.proxy.wire import completed
from tests.support.playbook import at, play, removed, started, t, updated
from tests.support.toxic_run import drive, steps_of


def reset_peer(ms):
    return ResetPeer({"timeout": ms}, Random(1), {})


def test_connection_when_silent_then_is_left_alone():
    assert play(reset_peer(300)) >> started(0) >> at(800) >> removed(900)


def test_bytes_when_they_come_then_are_taken_in_and_the_first_starts_the_timer():
    assert (
        play(reset_peer(300))
        >> started(0)
        >> at(800, Chunk(b"a", t(0), 7)) << Injected(7) << WakeAt(t(1100))
        >> at(1000, Chunk(b"b", t(1000), 8)) << Injected(8)
        >> at(1099) << WakeAt(t(1100))
        >> at(1101) << Close("reset")
        >> at(1102, b"c")
        >> at(1103, Close("eof"))
        >> at(1500)
    )  # fmt: skip


@pytest.mark.parametrize("how", ["eof", "end", "reset"])
def test_close_when_it_comes_first_then_starts_the_timer_and_does_not_pass(how):
    assert (
        play(reset_peer(200))
        >> at(10, Close(how)) << Injected(0) << WakeAt(t(210))
        >> at(210) << Close("reset")
    )  # fmt: skip


def test_close_when_the_timer_runs_then_changes_nothing():
    assert (
        play(reset_peer(200))
        >> at(0, b"a") << Injected(0) << WakeAt(t(200))
        >> at(10, Close("eof")) << Injected(0)
        >> at(200) << Close("reset")
    )  # fmt: skip


@pytest.mark.parametrize("ms", [0, -1])
@pytest.mark.parametrize("item", [b"a", Close("eof")], ids=["byte", "close"])
def test_timeout_when_zero_or_less_then_resets_at_once(ms, item):
    assert play(reset_peer(ms)) >> at(0, item) << Injected(0) << Close("reset") >> at(1, b"b")


def test_update_when_the_timer_runs_then_it_keeps_its_time():
    assert (
        play(reset_peer(200))
        >> at(0, b"a") << Injected(0) << WakeAt(t(200))
        >> updated(100, timeout=5000)
        >> at(200) << Close("reset")
    )  # fmt: skip


def test_update_when_it_does_not_run_yet_then_the_next_byte_starts_the_new_one():
    assert (
        play(reset_peer(200))
        >> updated(0, timeout=50)
        >> at(100, b"a") << Injected(0) << WakeAt(t(150))
        >> at(150) << Close("reset")
    )  # fmt: skip


def test_remove_when_the_timer_runs_then_resets_now():
    assert (
        play(reset_peer(60_000))
        >> at(0, b"a") << Injected(0) << WakeAt(t(60_000))
        >> removed(100) << Close("reset")
        >> at(60_000)
    )  # fmt: skip


def test_remove_when_it_has_reset_then_does_not_again():
    assert play(reset_peer(0)) >> at(0, b"a") << Injected(0) << Close("reset") >> removed(1)


def test_reset_peer_when_described_then_says_when():
    params = to_params(ResetPeer.Params, {"timeout": "300ms"})
    assert ResetPeer.attributes(params) == {"timeout": 300}
    assert ResetPeer.trace(params).effect == "end"
    assert ResetPeer.words(params) == "reset after 300 ms"
    assert TOXICS["reset_peer"] is ResetPeer
    assert completed(ResetPeer.wire, {}) == {"timeout": 0}


def test_attributes_when_finer_than_a_millisecond_then_names_the_attribute():
    with pytest.raises(UserError, match=r"^timeout: "):
        ResetPeer.attributes(to_params(ResetPeer.Params, {"timeout": "10us"}))


TIMEOUTS = st.fixed_dictionaries({"timeout": st.integers(-1, 500)})


@given(values=TIMEOUTS, steps=steps_of(TIMEOUTS))
def test_bytes_when_anything_happens_then_none_passes_and_the_rest_is_a_reset(values, steps):
    run = drive(lambda: ResetPeer(values, Random(1), {}), steps, keeps=False)
    assert run.out == b""
    run.finish()
    moved = bool(run.fed) or run.source_closed is not None
    assert run.closed == ("reset" if moved else None)
