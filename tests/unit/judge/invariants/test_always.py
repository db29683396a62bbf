import dataclasses
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.judge.collect import RoundCollector
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence
from harness.judge.invariants.always import Always
from harness.model.events import ResetDone, RoundFinished, RoundStarted
from tests.support.journals import NEVER_OVERDRAWN, a_plan, a_reading, a_round, at


def judged(events, expression=NEVER_OVERDRAWN.expression, *, finished=True, tainted=None):
    collector = RoundCollector(1, a_plan(), reset=True, tainted=tainted)
    for event in events:
        if not isinstance(event, ResetDone | RoundStarted | RoundFinished):
            collector.take(event, print)
    return invariant(expression).judge(collector.evidence(finished=finished))


def invariant(expression):
    return Always(replace(NEVER_OVERDRAWN, expression=expression))


def moment(value, asked, answered, calls, *, finished=True):
    """A round with one reading and these calls: (sent, last, outcome)."""
    reading = a_reading(value, purpose="always", round=1, asked=at(asked), answered=at(answered))
    return RoundEvidence(
        round=1,
        finished=finished,
        calls=tuple(
            Call(
                op=op,
                operation="w",
                burst="b",
                sent=at(sent),
                last=None if last is None else at(last),
                outcome=outcome,
            )
            for op, (sent, last, outcome) in enumerate(calls)
        ),
        readings=(Reading.of(reading),),
        settled=None,
        never_settled=None,
        lacks=(),
        tainted=None,
        overlaps={"b": 2},
        hop_overlaps={},
        spreads={},
    )


def test_round_when_every_reading_fits_then_counts_with_its_readings():
    judgement = judged(a_round(1, during=(100, 70, 60)))
    assert judgement.counts
    assert (judgement.readings, judgement.readings_in_flight) == (4, 3)


def test_round_when_one_reading_breaks_it_then_is_broken_and_counts_them():
    judgement = judged(a_round(1, during=(100, -5, -15)))
    assert judgement.readings_broken == 2
    assert judgement.broken.counterexample.summary == "round 1: balance is -15, not >= 0"


def test_round_when_no_reading_fell_in_flight_then_does_not_count():
    judgement = judged(a_round(1, during=()))
    assert judgement.lack.detail == "none of 1 reading fell while requests were in flight"


def test_round_when_never_read_then_puts_the_run_in_doubt():
    judgement = judged([each for each in a_round(1) if getattr(each, "purpose", "") != "always"])
    assert (judgement.lack.short, judgement.lack.withheld) == ("not read", True)


def test_round_when_broken_off_then_a_broken_reading_still_stands():
    judgement = judged(a_round(1, during=(100, -5)), finished=False)
    assert judgement.broken is not None
    assert not judgement.counts


def test_round_when_tainted_then_no_reading_is_judged():
    lack = Lack(short="effects of an earlier round", detail="d")
    judgement = judged(a_round(1, during=(-5,)), tainted=lack)
    assert (judgement.broken, judgement.lack) == (None, lack)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        pytest.param("balance + other >= 0", "ask for both in one probe", id="two probes"),
        pytest.param("acknowledged(w) < 9", "write it as at_end", id="no probe"),
        pytest.param("balance >= unknown(w)", "write it as at_end", id="unknown outcomes"),
    ],
)
def test_expression_when_no_moment_decides_it_then_is_never_judged(expression, words):
    judgement = judged(a_round(1, during=(-5,)), expression)
    assert judgement.broken is None
    assert words in judgement.lack.detail
    assert judgement.lack.withheld


def test_reading_when_it_has_no_value_then_is_an_error_and_hides_no_broken_one():
    judgement = judged(a_round(1, during=(100, None, -5)))
    assert "'>=' does not apply to null and the number 0" in judgement.error
    assert judgement.broken is not None


PAID = "paid == acknowledged(w)"


@pytest.mark.parametrize(
    ("calls", "possible"),
    [
        pytest.param([(0, 9, "acknowledged")], {1}, id="answered before the question"),
        pytest.param([(0, 10, "acknowledged")], {1}, id="answered at the question"),
        pytest.param([(0, 11, "acknowledged")], {0, 1}, id="answered while it was read"),
        pytest.param([(0, 99, "acknowledged")], {0, 1}, id="answered later"),
        pytest.param([(20, 99, "acknowledged")], {0, 1}, id="sent as the reading ended"),
        pytest.param([(21, 99, "acknowledged")], {0}, id="sent after the reading"),
        pytest.param([(0, 9, "unknown")], {0, 1}, id="unknown for good"),
        pytest.param([(0, None, None)], {0, 1}, id="never returned"),
        pytest.param([(0, 99, "rejected")], {0}, id="rejected later: certainly no effect"),
        pytest.param([(0, 9, "rejected")], {0}, id="rejected before"),
    ],
)
def test_effects_when_a_reading_is_asked_at_10_and_answered_at_20_then_are_what_was_possible(
    calls, possible
):
    for paid in range(3):
        broken = (
            invariant(PAID.replace("paid", "balance")).judge(moment(paid, 10, 20, calls)).broken
        )
        assert (broken is None) == (paid in possible)


def test_rejections_when_not_answered_yet_then_may_or_may_not_be_counted():
    calls = [(0, 9, "rejected"), (0, 15, "rejected"), (0, 99, "rejected"), (30, 99, "rejected")]
    possible = {
        rejected
        for rejected in range(6)
        if invariant("balance == rejected(w)").judge(moment(rejected, 10, 20, calls)).broken is None
    }
    assert possible == {1, 2, 3}


fates = st.tuples(
    st.integers(0, 25), st.integers(0, 30), st.sampled_from(["acknowledged", "rejected", "unknown"])
)


@given(st.lists(fates, max_size=5), st.integers(0, 6))
def test_reading_when_compared_with_every_moment_and_fate_then_agrees(fates, value):
    """Brute force: each call took effect at some moment of its own between request and answer."""
    calls = [(sent, sent + took, outcome) for sent, took, outcome in fates]

    def effects(call):
        sent, last, outcome = call
        if outcome == "rejected" or sent > 20:
            return {0}
        return {1} if outcome == "acknowledged" and last <= 10 else {0, 1}

    possible = {sum(each) for each in product(*map(effects, calls))}
    judgement = invariant("balance == acknowledged(w)").judge(moment(value, 10, 20, calls))
    assert (judgement.broken is None) == (value in possible)


def test_round_when_no_outcome_could_have_broken_any_reading_then_does_not_count():
    judgement = judged(a_round(1), "balance >= 0 or acknowledged(withdraw) == 3")
    assert judgement.lack.short == "nothing could have broken it"


def test_round_when_counts_could_have_broken_a_reading_then_counts():
    judgement = judged(a_round(1), "100 - balance <= 10 * acknowledged(withdraw)")
    assert judgement.counts


def test_finding_when_broken_then_says_at_how_many_readings():
    made = invariant(NEVER_OVERDRAWN.expression)
    finding = made.finding([judged(a_round(1, during=(100, -5))), judged(a_round(1))])
    assert finding.summary == "violated at 1 of 6 readings, in 1 of 2 rounds"


def test_finding_when_held_then_says_how_many_readings_counted():
    made = invariant(NEVER_OVERDRAWN.expression)
    finding = made.finding([judged(a_round(1)), judged(a_round(1, during=()))])
    assert finding.summary == "held (3 readings, one every 20 ms)"
    assert finding.evidence["readings_in_flight"] == 2


def test_effects_when_a_service_acts_before_the_last_byte_then_they_were_possible():
    """The head was out at 5, the last byte at 30, the effect is read at 10 to 20."""
    early = moment(1, 10, 20, [(30, 99, "acknowledged")])
    calls = tuple(dataclasses.replace(call, began=at(5)) for call in early.calls)
    judged = invariant("balance == acknowledged(w)").judge(dataclasses.replace(early, calls=calls))
    assert judged.broken is None
    assert invariant("balance == acknowledged(w)").judge(early).broken is not None
