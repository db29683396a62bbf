"""Noop: nothing happens to what passes, whatever happens to it."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.proxy.items import Chunk, Close, Injected
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.noop import Noop
from tests.support.playbook import at, play, removed, started, t, updated
from tests.support.toxic_run import drive, steps_of


def noop():
    return Noop({}, Random(1), {})


def test_items_when_fed_then_pass_as_they_are():
    chunk = Chunk(b"a", t(0), 7)
    assert (
        play(noop())
        >> started(0)
        >> at(5, chunk) << Injected(7) << chunk
        >> updated(6)
        >> at(7, Close("eof")) << Close("eof")
        >> removed(8)
    )  # fmt: skip


def test_noop_when_described_then_shows_nothing():
    params = to_params(Noop.Params, {})
    assert Noop.attributes(params) == {}
    assert Noop.trace(params).effect == "unseen"
    assert Noop.words(params) == "nothing (noop)"
    assert TOXICS["noop"] is Noop


@given(steps_of(st.just({})))
def test_bytes_when_anything_happens_then_all_have_passed(steps):
    run = drive(noop, steps, keeps=False)
    assert (run.out, run.closed) == (run.fed, run.source_closed)
