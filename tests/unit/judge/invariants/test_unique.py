from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.values import equal
from harness.judge.invariants.unique import Unique, one_of
from tests.support.strategies import plain_values
from tests.unit.judge.rounds import LACK, MOVING, TAINTED, an_invariant, at_the_end, evidence, holds


def judged(value, expression="it", **changes):
    plan = an_invariant("unique", expression)
    return Unique(plan).judge(evidence(at_the_end(value), **changes))


def test_round_when_no_value_stands_twice_then_counts_as_holding():
    judgement = judged(["A1", "A2", "B1"])
    assert holds(judgement)
    assert judgement.readings == 1


def test_round_when_a_value_stands_twice_then_is_broken_and_names_it():
    judgement = judged(["A1", "A2", "A1", "B1", "A1"])
    assert judgement.broken.counterexample.summary == "round 1: it lists 'A1' 3 times"
    assert judgement.broken.counterexample.values["repeated"] == [{"value": "'A1'", "times": 3}]


def test_round_when_many_stand_twice_then_the_first_few_are_named():
    told = judged([*range(7), *range(7)]).broken.counterexample.summary
    assert told == (
        "round 1: it lists 0 2 times, 1 2 times, 2 2 times, 3 2 times, 4 2 times and 2 more"
    )


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        pytest.param([1, 1.0], True, id="one number written twice"),
        pytest.param([1, "1"], False, id="a number and a text"),
        pytest.param([True, 1], False, id="a truth and a number"),
        pytest.param([[1, 2], [1, 2.0]], True, id="lists"),
        pytest.param([{"a": 1, "b": 2}, {"b": 2, "a": 1}], True, id="maps"),
        pytest.param([{"a": 1}, {"a": 2}], False, id="maps that differ"),
        pytest.param([None, None, 1, 2], False, id="nulls"),
    ],
)
def test_values_when_compared_then_are_equal_as_expressions_have_it(values, broken):
    assert (judged(values).broken is not None) is broken


@given(st.lists(plain_values, max_size=6))
def test_values_when_compared_with_every_pair_then_agree(values):
    known = [value for value in values if value is not None]
    pairs = [(i, j) for i in range(len(known)) for j in range(i)]
    naive = any(equal(known[i], known[j]) for i, j in pairs)
    assert (judged(values).broken is not None) is naive


@given(plain_values, plain_values)
def test_one_of_when_two_values_are_equal_then_and_only_then_is_the_same(left, right):
    assert (one_of(left) == one_of(right)) is equal(left, right)


def test_one_of_when_a_decimal_then_is_what_it_is_worth():
    assert one_of(Decimal("1.50")) == one_of(1.5) != one_of("1.50")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param([], "no value", id="empty"),
        pytest.param(["A1", None], "one value", id="one"),
    ],
)
def test_list_when_under_two_values_then_shows_nothing(values, said):
    assert judged(values).lack.detail == f"it lists {said}, and two are needed to be alike"


def test_expression_when_no_reading_changes_it_then_shows_nothing():
    assert judged(3, "[1, 2] if it > 0 else [1, 2]").lack.short == "nothing could have broken it"


def test_value_when_no_list_then_is_an_error():
    assert "and a list is needed" in judged(7).error


def test_value_when_null_then_is_a_list_without_values():
    assert judged(None).lack.detail == "it lists no value, and two are needed to be alike"


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        pytest.param(["s1", "s2"], ["s2", "s1"], False, id="as-it-was"),
        pytest.param(["s1", "s2", "s3"], ["s1", "s2"], False, id="less"),
        pytest.param(["s1", "s2"], ["s1", "s2", "n"], True, id="more"),
        pytest.param(["s1", None], ["s1", "n"], True, id="null-filled"),
        pytest.param({}, ["s1", "s2"], True, id="no-list-before"),
    ],
)
def test_round_when_nothing_was_added_to_the_list_then_shows_nothing(before, after, counts):
    judgement = Unique(an_invariant("unique", "it")).judge(
        evidence(at_the_end(after, before=before))
    )
    assert (judgement.broken, judgement.counts) == (None, counts)
    if not counts:
        assert judgement.lack.detail == (
            "it lists no value that was not listed before the first request"
        )


def test_list_when_never_read_before_the_first_request_then_only_a_value_twice_is_told():
    kind = Unique(an_invariant("unique", "it"))
    lack = kind.judge(evidence(at_the_end([1, 2])[1:])).lack
    assert (lack.short, lack.withheld) == ("not read before", True)
    assert kind.judge(evidence(at_the_end([1, 1])[1:])).broken is not None


def test_list_when_it_stands_within_a_map_then_the_expression_finds_it():
    assert judged({"seats": [1, 1]}, "it.seats").broken is not None


def test_round_when_it_lacks_something_then_a_value_twice_still_stands():
    judgement = judged([1, 1], lacks=(LACK,))
    assert (judgement.broken is not None, judgement.lack) == (True, LACK)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tainted": TAINTED}, id="tainted"),
        pytest.param({"finished": False}, id="broken off"),
        pytest.param({"settled": None, "never_settled": MOVING}, id="never settled"),
        pytest.param({"settled": None}, id="nothing known of settling"),
    ],
)
def test_round_when_its_end_is_not_known_then_is_never_broken(changes):
    judgement = judged([1, 1], **changes)
    assert judgement.broken is None
    assert not judgement.counts


@pytest.mark.parametrize(
    ("expression", "short"),
    [
        pytest.param("[1, 1]", "no probe", id="no probe"),
        pytest.param("[it, acknowledged(pay)]", "counts outcomes", id="counts"),
    ],
)
def test_expression_when_it_is_no_list_of_the_state_then_is_never_judged(expression, short):
    judgement = judged([1, 1], expression)
    assert (judgement.broken, judgement.lack.short) == (None, short)
    assert judgement.lack.withheld


def test_finding_when_all_rounds_are_broken_then_tells_their_share():
    kind = Unique(an_invariant("unique", "it"))
    judgements = [kind.judge(evidence(at_the_end([1, 1]))) for _ in range(5)]
    assert kind.finding(judgements).summary == "violated in 5 of 5 rounds (95 % CI 0.47–1.00)"
    assert kind.finding(judgements, enough=5).summary == (
        "violated in 5 of 5 rounds, then stopped (95 % CI 0.47–1.00)"
    )
