"""Which circuits are drawn, and how high a plot is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.outputs.breaker_rows import MOST_ROWS, state_rows, tallest
from tests.support.breaker_lives import a_state


def test_rows_when_a_breaker_keeps_one_circuit_then_bear_no_key():
    ((label, spans),), left_out = state_rows([a_state("closed", 0, 3), a_state("open", 3, 4)])
    assert (label, len(spans), left_out) == ("state", 2, 0)


def test_rows_when_two_processes_keep_one_key_each_then_are_two():
    spans = [
        a_state("open", 0, 3, key="shop", instance="11"),
        a_state("closed", 0, 3, key="shop", instance="12"),
        a_state("closed", 3, 4, key="shop", instance="11"),
    ]
    rows, _ = state_rows(spans)
    assert [(label, len(spans)) for label, spans in rows] == [
        ("state shop @11", 2),
        ("state shop @12", 1),
    ]


def test_rows_when_there_are_many_then_those_that_opened_come_first_and_the_rest_is_counted():
    spans = [a_state("closed", 0, 9, key=f"k{n}") for n in range(30)]
    spans += [a_state("open", 0, 9, key="late")]
    rows, left_out = state_rows(spans)
    assert rows[0][0] == "state late"
    assert [label for label, _ in rows[1:3]] == ["state k0", "state k1"]
    assert (len(rows), left_out) == (MOST_ROWS, 31 - MOST_ROWS)


def test_rows_when_nothing_is_known_then_are_none():
    assert state_rows([]) == ([], 0)


@pytest.mark.parametrize(
    ("counts", "full"),
    [
        ([], 0),
        ([0, 0], 0),
        ([3, 4, 5], 5),
        ([4] * 39 + [100], 6),
        ([4] * 39 + [12], 12),
        ([4, 4, 100], 6),
        ([4] * 8 + [100] * 8, 100),
        ([0] * 50 + [7], 7),
    ],
    ids=["none", "zeros", "even", "tower", "thrice", "short", "half-are-high", "single"],
)
def test_plot_when_a_few_tower_over_the_others_then_is_as_high_as_the_others(counts, full):
    assert tallest(counts) == full


@given(st.lists(st.integers(0, 10**6)))
def test_plot_when_of_any_counts_then_shows_nine_tenths_of_them_whole(counts):
    full = tallest(counts)
    shown = [count for count in counts if count]
    assert (full > 0) == bool(shown)
    assert full <= max(counts, default=0)
    assert sum(count > full for count in shown) <= max(1, 0.1 * len(shown) + 1)
