from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.plain import plain
from harness.judge.invariants.monotonic import Monotonic, steps_back
from harness.model.events import ProbeRead
from tests.unit.judge.rounds import (
    LACK,
    RETURNED,
    SENT,
    TAINTED,
    a_call,
    an_invariant,
    evidence,
    holds,
    in_turn,
    read,
)


def judged(readings, expression="it", calls=None, *, direction="up", **changes):
    plan = an_invariant("monotonic", expression, direction=direction)
    given = {} if calls is None else {"calls": calls}
    return Monotonic(plan).judge(evidence(readings, **given, **changes))


def test_round_when_the_value_only_rises_then_counts_as_holding():
    judgement = judged(in_turn([1, 1, 2, 5]))
    assert holds(judgement)
    assert (judgement.broken, judgement.error) == (None, None)
    assert (judgement.readings, judgement.readings_in_flight) == (4, 4)


def test_round_when_the_value_falls_once_then_is_broken_by_these_two():
    judgement = judged(in_turn([1, 5, 3, 6]))
    assert judgement.readings_broken == 1
    assert (
        judgement.broken.counterexample.summary == "round 1: it went down from 5 to 3 within 1 ms"
    )
    assert [each["value"] for each in judgement.broken.counterexample.values["readings"]] == [5, 3]


def test_round_when_broken_often_then_shows_the_longest_way_back():
    told = judged(in_turn([9, 8, 1, 9])).broken.counterexample.summary
    assert told == "round 1: it went down from 9 to 1 within 3 ms"


@pytest.mark.parametrize(
    ("values", "direction", "broken"),
    [
        pytest.param([3, 2, 2, 1], "down", False, id="down"),
        pytest.param([3, 2, 3], "down", True, id="up again"),
        pytest.param(["2026-01-01", "2026-01-02"], "up", False, id="texts"),
        pytest.param(["b", "a"], "up", True, id="texts that fall"),
        pytest.param([1, 1.5, 1.25], "up", True, id="fractions"),
    ],
)
def test_direction_when_given_then_the_other_one_breaks_it(values, direction, broken):
    judgement = judged(in_turn(values), direction=direction)
    assert (judgement.broken is not None) is broken
    assert judgement.error is None


def test_readings_when_they_overlapped_then_have_no_order():
    overlapping = (read(5, 110, 130), read(3, 120, 140), read(6, 150, 151))
    assert judged(overlapping).broken is None


def test_reading_when_asked_at_the_very_moment_of_an_answer_then_is_no_later_one():
    assert judged((read(5, 110, 120), read(3, 120, 130))).broken is None
    assert judged((read(5, 110, 119.9), read(3, 120, 130))).broken is not None


def test_reading_when_late_in_the_journal_then_its_moments_decide():
    assert judged((read(3, 150, 151), read(5, 110, 111))).broken is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=12
    ),
    st.sampled_from(["up", "down"]),
)
def test_steps_when_compared_with_every_pair_then_agree(moments, direction):
    pairs = [(read(value, asked, asked + took), value) for asked, took, value in moments]
    steps, problem = steps_back(pairs, direction)

    def behind(early, late):
        wrong = late[1] < early[1] if direction == "up" else late[1] > early[1]
        return early[0].answered < late[0].asked and wrong

    naive = [late for late in pairs if any(behind(early, late) for early in pairs)]
    assert problem is None
    assert sorted(id(late) for _, late in steps) == sorted(id(late) for late in naive)
    assert all(behind(early, late) for early, late in steps)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1, "2"], id="a number and a text"),
        pytest.param([None, 2], id="null"),
        pytest.param([True, False], id="truths"),
        pytest.param([[1], [2]], id="lists"),
    ],
)
def test_values_when_they_have_no_order_then_are_an_error(values):
    judgement = judged(in_turn(values))
    assert judgement.error.startswith("it has no order in round 1:")
    assert judgement.broken is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(["9", "10"], "'10' and '9' are texts with digits", id="numbers"),
        pytest.param(["v9", "v10"], "cast it to a number", id="versions"),
        pytest.param(
            ["2026-01-01T00:00:00", "2026-01-01T00:00:01Z"], "offset from UTC", id="moments"
        ),
    ],
)
def test_texts_when_their_order_is_not_that_of_their_numbers_then_are_an_error(values, says):
    judgement = judged(in_turn(values))
    assert says in judgement.error
    assert judgement.broken is None


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(["v09", "v10"], id="padded"),
        pytest.param(["2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z"], id="with-a-fraction"),
        pytest.param(["2026-01-01T00:30:00+01:00", "2026-01-01T00:00:00+00:00"], id="with-offsets"),
        pytest.param(["draft", "new", "v1"], id="words"),
    ],
)
def test_texts_when_their_order_is_certain_then_are_compared(values):
    up, down = judged(in_turn(values)), judged(in_turn(values), direction="down")
    assert (up.error, up.broken, down.error) == (None, None, None)
    assert down.broken is not None


def test_spans_of_time_when_of_a_database_then_are_compared_by_their_length():
    spans = [plain(timedelta(seconds=seconds)) for seconds in (9, 59.9, 60, 36_000)]
    readings = [
        read(s.value, SENT + 2 * i, SENT + 2 * i + 1, exact=s.exact) for i, s in enumerate(spans)
    ]
    assert holds(judged(readings))
    assert judged(readings, direction="down").broken is not None


def test_value_when_missing_in_one_reading_then_is_an_error_and_hides_no_broken_one():
    judgement = judged(in_turn([{"v": 2}, {}, {"v": 1}]), "it.v")
    assert "there is no 'v' in a map of 0" in judgement.error
    assert judgement.broken is not None


def test_value_when_it_never_changed_then_shows_nothing():
    judgement = judged(in_turn([4, 4, 4.0]))
    assert judgement.lack.detail == "its value never changed, so it was never seen to go either way"
    assert not judgement.counts


def test_expression_when_it_is_always_the_same_then_shows_nothing():
    assert judged(in_turn([4, 5]), "it - it").lack.short == "nothing could have broken it"


def test_round_when_one_reading_fell_in_flight_then_does_not_count():
    judgement = judged((read(1, SENT, SENT + 1), read(2, RETURNED + 1, RETURNED + 2)))
    assert judgement.lack.detail == (
        "1 of 2 readings fell while requests were in flight, and 2 are needed"
    )


def test_round_when_it_lacks_something_then_a_fall_still_stands():
    judgement = judged(in_turn([2, 1]), lacks=(LACK,))
    assert (judgement.broken is not None, judgement.lack) == (True, LACK)


def test_round_when_broken_off_then_a_fall_still_stands():
    judgement = judged(in_turn([2, 1]), finished=False)
    assert judgement.broken is not None
    assert not judgement.counts


def test_round_when_tainted_then_no_reading_is_judged():
    judgement = judged(in_turn([2, 1]), tainted=TAINTED)
    assert (judgement.broken, judgement.lack) == (None, TAINTED)


def test_reading_when_the_journal_hides_it_then_is_never_judged():
    event = ProbeRead(
        probe="it",
        purpose="always",
        round=1,
        asked=in_turn([1])[0].asked,
        answered=in_turn([1])[0].answered,
        value="•••",
        hidden=True,
    )
    judgement = judged((type(in_turn([1])[0]).of(event), *in_turn([2, 1])))
    assert (judgement.broken, judgement.lack.short) == (None, "reading hidden")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        pytest.param("it + other", "ask for both in one probe", id="two probes"),
        pytest.param("1 + 1", "there is nothing to sample", id="no probe"),
        pytest.param("it - acknowledged(pay)", "no one value", id="counts"),
    ],
)
def test_expression_when_it_has_no_value_of_one_moment_then_is_never_judged(expression, words):
    judgement = judged(in_turn([2, 1]), expression)
    assert judgement.broken is None
    assert words in judgement.lack.detail
    assert judgement.lack.withheld


def test_readings_when_of_another_probe_or_purpose_then_are_left_out():
    others = (read(9, SENT, SENT + 1, probe="other"), read(9, 1, 2, purpose="reset"))
    assert judged((*others, *in_turn([1, 2]))).readings == 2


def test_finding_when_broken_then_tells_readings_and_no_chance():
    kind = Monotonic(an_invariant("monotonic", "it"))
    finding = kind.finding(
        [kind.judge(evidence(in_turn([1, 2]))), kind.judge(evidence(in_turn([2, 1])))]
    )
    assert finding.summary == "violated at 1 of 4 readings, in 1 of 2 rounds"
    assert "ci" not in finding.evidence


def test_finding_when_held_then_tells_how_often_it_was_read():
    kind = Monotonic(an_invariant("monotonic", "it"))
    finding = kind.finding([kind.judge(evidence(in_turn([1, 2]), (a_call(1), a_call(2))))])
    assert (finding.verdict, finding.summary) == ("held", "held (2 readings, one every 20 ms)")
