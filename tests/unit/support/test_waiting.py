"""Waiting returns what it waited for, and a failure explains itself."""

import asyncio

import pytest

from harness.model.units import Duration
from tests.support.waiting import NeverHappened, stays, until, until_sync

SOON = Duration.of_s(10)


def third_time(value):
    answers = iter([None, None, value])
    return lambda: next(answers)


def test_condition_when_it_becomes_true_then_its_value_is_returned():
    assert until_sync(third_time("ready"), within=SOON, what="it is ready") == "ready"


def test_condition_when_it_becomes_true_in_a_loop_then_its_value_is_returned():
    assert asyncio.run(until(third_time("ready"), within=SOON, what="it is ready")) == "ready"


def test_condition_when_awaitable_then_is_awaited():
    answers = third_time("ready")

    async def condition():
        return answers()

    assert asyncio.run(until(condition, within=SOON, what="it is ready")) == "ready"


def test_condition_when_never_true_then_the_failure_says_what_how_long_and_the_last_words():
    with pytest.raises(NeverHappened) as failure:
        until_sync(
            lambda: 0, within=Duration.ZERO, what="the app listens", log=lambda: "port taken"
        )
    assert str(failure.value) == (
        "the app listens: not within 0 ms; last seen: 0.\nThe last lines of the log:\nport taken"
    )


def test_condition_when_never_true_in_a_loop_then_fails_the_same():
    with pytest.raises(NeverHappened, match="the app listens: not within 10 ms; last seen: None"):
        asyncio.run(until(lambda: None, within=Duration.of_ms(10), what="the app listens"))


def test_condition_when_the_time_is_over_before_a_look_then_that_look_still_counts():
    """A slow machine may take the whole time between two looks."""
    assert until_sync(lambda: 1, within=Duration.ZERO, what="slow") == 1
    assert asyncio.run(until(lambda: 1, within=Duration.ZERO, what="slow")) == 1


def test_condition_when_it_raises_then_that_passes_through():
    def broken():
        raise ValueError("broken condition")

    with pytest.raises(ValueError, match="broken condition"):
        until_sync(broken, within=SOON, what="never")


def test_stays_when_it_changes_at_the_last_look_then_says_which():
    looks = iter([*[True] * 9, False])
    with pytest.raises(AssertionError, match="kept: no longer so at look 10 of 10"):
        stays(lambda: next(looks), what="kept", looks=10)


def test_stays_when_true_at_every_look_then_looks_so_often():
    seen = []
    stays(lambda: seen.append("looked") is None, what="kept", looks=10)
    assert len(seen) == 10
