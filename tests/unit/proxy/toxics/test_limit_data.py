"""Limit data as dialogues; exactness as a property."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.proxy.items import Chunk, Close, Injected
from harness.proxy.toxics import TOXICS
from harness.proxy.toxics.limit_data import LimitData
from harness.proxy.wire import completed
from tests.support.playbook import Send, at, play, removed, t, updated
from tests.support.toxic_run import ToxicRun, drive, steps_of


def limit_data(limit):
    return LimitData({"bytes": limit}, Random(1), {})


def test_bytes_when_below_the_limit_then_pass_uninjected():
    assert (
        play(limit_data(10))
        >> at(0, b"12345") << Send(b"12345", t(0))
        >> at(1, b"6789") << Send(b"6789")
    )  # fmt: skip


def test_bytes_when_they_reach_the_limit_then_pass_and_the_end_is_right_behind():
    assert (
        play(limit_data(10))
        >> at(0, b"12345") << Send(b"12345")
        >> at(1, b"67890") << Injected(0) << Send(b"67890") << Close("end")
        >> at(2, b"more")
    )  # fmt: skip


def test_bytes_when_beyond_the_limit_then_are_cut_there():
    long = Chunk(b"x" * 25, t(0), 7)
    assert (
        play(limit_data(10))
        >> at(3, long) << Injected(7) << Chunk(b"x" * 10, t(0), 7) << Close("end")
        >> at(4, b"more")
        >> at(5, Close("eof"))
    )  # fmt: skip


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_when_zero_or_less_then_ends_at_the_first_byte_not_before(limit):
    assert (
        play(limit_data(limit))
        >> updated(0, bytes=limit)
        >> at(1, b"") << Send(b"")
        >> at(2, b"a") << Injected(0) << Close("end")
    )  # fmt: skip


@pytest.mark.parametrize("how", ["eof", "end", "reset"])
def test_close_when_below_the_limit_then_passes(how):
    assert (
        play(limit_data(10))
        >> at(0, b"a") << Send(b"a")
        >> at(1, Close(how)) << Close(how)
    )  # fmt: skip


def test_update_when_raised_then_the_difference_passes():
    assert (
        play(limit_data(10))
        >> at(0, b"12345678") << Send(b"12345678")
        >> updated(1, bytes=20)
        >> at(2, b"x" * 30) << Injected(0) << Send(b"x" * 12) << Close("end")
    )  # fmt: skip


@pytest.mark.parametrize("lowered", [8, 5, 0])
def test_update_when_lowered_to_the_count_or_below_then_ends_at_the_next_byte(lowered):
    assert (
        play(limit_data(10))
        >> at(0, b"12345678") << Send(b"12345678")
        >> updated(1, bytes=lowered)
        >> at(2, b"a") << Injected(0) << Close("end")
        >> updated(3, bytes=100)
        >> at(4, b"a")
    )  # fmt: skip


def test_remove_when_bytes_are_counted_then_starts_from_nothing():
    assert (
        play(limit_data(3))
        >> at(0, b"ab") << Send(b"ab")
        >> removed(1)
        >> at(2, b"cd") << Send(b"cd")
    )  # fmt: skip


def test_limit_data_when_described_then_says_where_it_ends():
    params = to_params(LimitData.Params, {"bytes": "1KiB"})
    assert LimitData.attributes(params) == {"bytes": 1024}
    assert LimitData.trace(params).effect == "end"
    assert LimitData.words(params) == "cut after 1KiB"
    assert TOXICS["limit_data"] is LimitData
    assert completed(LimitData.wire, {}) == {"bytes": 0}


def test_attributes_when_negative_then_names_the_attribute():
    with pytest.raises(UserError, match=r"^bytes: "):
        LimitData.attributes(to_params(LimitData.Params, {"bytes": "-1B"}))


LIMITS = st.fixed_dictionaries({"bytes": st.integers(-1, 600)})


@given(limit=LIMITS, steps=steps_of(LIMITS))
def test_bytes_when_anything_happens_then_a_clean_prefix_passes(limit, steps):
    run = drive(lambda: LimitData(limit, Random(1), {}), steps, keeps=False)
    assert run.closed in {None, run.source_closed, "end"}
    if run.closed != "end":  # which may be the toxic's own, or the source's
        assert run.out == run.fed


@given(limit=st.integers(0, 50), sizes=st.lists(st.integers(1, 20), max_size=10))
def test_bytes_when_fed_in_any_pieces_then_exactly_so_many_pass(limit, sizes):
    run = ToxicRun(limit_data(limit), keeps=False)
    for size in sizes:
        run.do(("feed", b"x" * size))
    assert len(run.out) == min(limit, sum(sizes))
    reached = sum(sizes) >= limit if limit else bool(sizes)
    assert run.closed == ("end" if reached else None)
