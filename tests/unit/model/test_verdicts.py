"""Exit codes stand in one place: which verdict, and which of several is the worst."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.verdicts import EXIT_CODE_ORDER, Verdict, worst_exit_code


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ("held", 0),
        ("violated", 1),
        ("inconclusive", 3),
        ("aborted", 4),
        ("error", 5),
        ("interrupted", 130),
    ],
)
def test_verdict_when_held_was_expected_then_has_its_exit_code(verdict, code):
    assert Verdict(verdict).exit_code == code


@pytest.mark.parametrize("verdict", list(Verdict), ids=lambda verdict: verdict.value)
def test_verdict_when_any_then_its_code_has_a_place_in_the_order(verdict):
    assert verdict.exit_code in EXIT_CODE_ORDER


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1], 1),
        ([1, 4], 4),
        ([4, 5], 5),
        ([5, 130], 130),
        ([130, 6], 6),
    ],
)
def test_suite_when_runs_differ_then_takes_the_worst_code(codes, worst):
    assert worst_exit_code(codes) == worst


def test_suite_when_empty_then_judged_nothing_and_is_inconclusive():
    assert worst_exit_code([]) == 3


@given(st.lists(st.sampled_from(EXIT_CODE_ORDER), min_size=1))
def test_suite_when_its_order_changes_then_its_code_does_not(codes):
    assert worst_exit_code(codes) == worst_exit_code(codes[::-1])
    assert (worst_exit_code(codes) == 0) == (set(codes) == {0})
