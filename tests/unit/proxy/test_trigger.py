"""Which requests are acted on: the window first, then the draw."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.trigger import Trigger


def decisions(trigger, number, toxicity=1.0, draw=lambda: 0.5):
    return [trigger.decide(draw, toxicity, inside=trigger.enter()) for _ in range(number)]


@pytest.mark.parametrize(
    ("skip", "first", "expected"),
    [
        (0, None, [1, 1, 1, 1, 1, 1]),
        (2, None, [0, 0, 1, 1, 1, 1]),
        (0, 2, [1, 1, 0, 0, 0, 0]),
        (3, 2, [0, 0, 0, 1, 1, 0]),
    ],
)
def test_window_when_given_then_is_exact(skip, first, expected):
    trigger = Trigger(skip, first)
    assert decisions(trigger, 6) == expected
    assert trigger.hit == sum(expected)
    assert trigger.seen == 6


def test_toxicity_when_out_of_its_range_then_is_never_or_always():
    assert not any(decisions(Trigger(), 5, toxicity=-1.0, draw=lambda: 0.0))
    assert not any(decisions(Trigger(), 5, toxicity=0.0, draw=lambda: 0.0))
    assert all(decisions(Trigger(), 5, toxicity=1.0, draw=lambda: 0.999999))


def test_window_when_toxicity_spares_one_then_counts_it_all_the_same():
    drawn = iter([0.9, 0.1, 0.1])
    assert decisions(Trigger(0, 2), 3, toxicity=0.5, draw=lambda: next(drawn)) == [0, 1, 0]


@given(skip=st.integers(0, 5), first=st.none() | st.integers(1, 5), number=st.integers(0, 20))
def test_draws_when_the_window_lies_anywhere_then_are_made_for_every_one(skip, first, number):
    drawn = count()
    decisions(Trigger(skip, first), number, draw=lambda: next(drawn) / 100)
    assert next(drawn) == number
