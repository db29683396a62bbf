import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.invariants.bounded import Bounded, bound_of
from harness.model.units import Duration
from tests.unit.judge.rounds import LACK, RETURNED, an_invariant, evidence, holds, in_turn, read


def judged(readings, expression="it", *, least=None, most=None, **changes):
    plan = an_invariant("bounded", expression, least=least, most=most)
    return Bounded(plan).judge(evidence(readings, **changes))


def test_round_when_every_reading_is_within_then_counts_as_holding():
    judgement = judged(in_turn([0, 7, 200]), least=0, most=200)
    assert holds(judgement)
    assert judgement.readings == 3


def test_round_when_one_reading_is_above_then_is_broken_by_it():
    judgement = judged(in_turn([0, 213, 201]), least=0, most=200)
    assert judgement.readings_broken == 2
    assert judgement.broken.counterexample.summary == "round 1: it is 213, not <= 200"
    assert judgement.broken.counterexample.values["readings"][0]["value"] == 213


def test_round_when_one_reading_is_below_then_is_broken_by_it():
    told = judged(in_turn([0, -1]), least=0).broken.counterexample.summary
    assert told == "round 1: it is -1, not >= 0"


@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=9),
    st.none() | st.integers(-9, 0),
    st.none() | st.integers(0, 9),
)
def test_readings_when_compared_one_by_one_then_agree(values, least, most):
    if least is None and most is None:
        return
    low = -99 if least is None else least
    high = 99 if most is None else most
    outside = [value for value in values if not low <= value <= high]
    assert judged(in_turn(values), least=least, most=most).readings_broken == len(outside)


@pytest.mark.parametrize(
    ("value", "most", "broken"),
    [
        pytest.param(200 * 2**20, "200MiB", False, id="size"),
        pytest.param(200 * 2**20 + 1, "200MiB", True, id="one byte more"),
        pytest.param(0.3, 0.3, False, id="fraction"),
        pytest.param(0.30000001, 0.3, True, id="fraction above"),
    ],
)
def test_bound_when_it_has_a_unit_or_decimals_then_is_exact(value, most, broken):
    assert (judged(in_turn([value]), most=most).broken is not None) is broken


def test_bound_when_a_duration_then_durations_are_compared_with_it():
    readings = (read("51ms", 110, 111, exact=True),)
    assert judged(readings, most="50ms").broken.distance == Duration.of_ms(1).ns
    assert judged(readings, most="51ms").broken is None


def test_value_when_no_bound_can_be_compared_with_it_then_is_an_error_and_hides_no_broken_one():
    judgement = judged(in_turn([None, 300]), most=200)
    assert "'<=' does not apply to null and the number 200" in judgement.error
    assert judgement.broken is not None


def test_expression_when_no_reading_changes_it_then_shows_nothing():
    judgement = judged(in_turn([1, 2]), "0 * it", most=200)
    assert judgement.lack.detail == "no other reading would have made another value of it"


def test_expression_when_its_bounds_are_far_away_then_still_counts():
    assert holds(judged(in_turn([1, 2]), most="100GiB"))


def test_round_when_no_reading_fell_in_flight_then_does_not_count():
    judgement = judged((read(1, RETURNED + 1, RETURNED + 2),), most=200)
    assert judgement.lack.short == "no reading in flight"


def test_round_when_never_read_then_puts_the_run_in_doubt():
    assert judged((), most=200).lack.withheld


def test_round_when_it_lacks_something_then_a_reading_outside_still_stands():
    judgement = judged(in_turn([201]), most=200, lacks=(LACK,))
    assert (judgement.broken is not None, judgement.lack) == (True, LACK)


def test_expression_when_it_counts_then_is_never_judged():
    assert judged(in_turn([1]), "it - acknowledged(pay)", most=0).lack.short == "counts outcomes"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        pytest.param({}, "has no bound; say least:, most: or both", id="none"),
        pytest.param({"least": 2, "most": 1}, "least: 2 is above most: 1", id="nothing between"),
        pytest.param(
            {"least": 1, "most": "1s"}, "least: does not compare with most: ", id="two sorts"
        ),
        pytest.param({"most": "200 apples"}, "most: ", id="no value"),
        pytest.param({"most": "files"}, "most: 'files' has no value here", id="a name"),
        pytest.param({"least": float("inf")}, "least: inf is not a finite number", id="infinite"),
    ],
)
def test_bounds_when_they_make_no_sense_then_are_refused_with_their_names(bounds, words):
    with pytest.raises(ValueError, match=r"least|most") as refused:
        Bounded.Params(expression="it", **bounds)
    assert words in str(refused.value)


def test_bound_when_left_out_then_is_none():
    assert bound_of("least", None) is None
