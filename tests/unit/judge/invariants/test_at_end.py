import pytest
from msgspec.structs import replace

from harness.judge.collect import RoundCollector
from harness.judge.invariants.at_end import AtEnd, counts_of
from harness.model.events import (
    OperationReturned,
    OperationSent,
    ProbeRead,
    ResetDone,
    RoundFinished,
    RoundStarted,
    Settled,
)
from tests.support.journals import (
    MONEY_CONSERVED,
    a,
    a_plan,
    a_reading,
    a_round,
    at,
    changed,
    without,
)


def judged(events, expression=MONEY_CONSERVED.expression, *, finished=True):
    collector = RoundCollector(1, a_plan(), reset=True, tainted=None)
    for event in events:
        if not isinstance(event, ResetDone | RoundStarted | RoundFinished):
            collector.take(event, print)
    return AtEnd(replace(MONEY_CONSERVED, expression=expression)).judge(
        collector.evidence(finished=finished)
    )


def test_round_when_the_counts_fit_then_counts_as_holding():
    judgement = judged(a_round(1))
    assert judgement.counts
    assert judgement.broken is None


def test_round_when_no_count_fits_then_is_broken():
    assert judged(a_round(1, balance=80)).broken is not None


@pytest.mark.parametrize("effects", range(7))
def test_round_when_outcomes_are_unknown_then_any_number_of_them_may_have_taken_effect(effects):
    outcomes = ("acknowledged", "acknowledged", "unknown", "unknown", "rejected")
    broken = judged(a_round(1, outcomes=outcomes, balance=100 - 10 * effects)).broken
    assert (broken is None) == (2 <= effects <= 4)


def test_request_when_it_never_returned_then_is_unknown():
    events = without(a_round(1, balance=60), a(OperationReturned, op=1_003))
    assert judged(events).broken is None


def test_expression_when_it_reads_no_probe_then_counts_alone_decide():
    assert judged(a_round(1), "acknowledged(withdraw) == 5").counts
    assert judged(a_round(1), "acknowledged(withdraw) <= 1").broken is not None


def test_expression_when_it_counts_an_operation_never_sent_then_counts_nothing():
    assert judged(a_round(1), "acknowledged(deposit) == 0 and balance == 50").broken is None
    assert counts_of(["deposit"], ())["deposit"].sent == 0


def test_decimal_when_it_comes_as_exact_text_then_compares_exactly():
    events = changed(a_round(1), a(ProbeRead, purpose="at-end"), value="50.00", exact=True)
    assert judged(events).counts
    events = changed(a_round(1), a(ProbeRead, purpose="at-end"), value="50.01", exact=True)
    assert judged(events).broken is not None


@pytest.mark.parametrize(
    ("events", "short"),
    [
        pytest.param(without(a_round(1), a(Settled)), "not settled", id="settling unknown"),
        pytest.param(
            without(a_round(1), a(ProbeRead, purpose="at-end")), "not read", id="not read"
        ),
        pytest.param(
            [*a_round(1), a_reading(51, purpose="at-end", round=1, asked=at(12_400))],
            "never settled",
            id="two readings that differ",
        ),
    ],
)
def test_round_when_its_end_is_not_known_then_puts_the_run_in_doubt(events, short):
    judgement = judged(events)
    assert (judgement.lack.short, judgement.lack.withheld) == (short, True)
    assert judgement.broken is None


def test_round_when_broken_off_then_says_nothing():
    judgement = judged(a_round(1, balance=80), finished=False)
    assert (judgement.broken, judgement.lack.short) == (None, "not finished")


def test_round_when_there_are_too_many_ways_then_says_nothing():
    outcomes = ("unknown",) * 500
    judgement = judged(
        a_round(1, outcomes=outcomes, balance=0),
        "acknowledged(withdraw) + rejected(withdraw) == balance",
    )
    assert judgement.lack.short == "too many unknown outcomes"


def test_expression_when_it_has_no_value_then_is_an_error_of_the_round():
    judgement = judged(a_round(1), "balance.left == 1")
    assert "the number 50 has no entry 'left' (balance = 50)" in judgement.error


def test_tautology_when_it_counts_then_never_counts_as_holding():
    judgement = judged(a_round(1), "acknowledged(withdraw) >= 0")
    assert judgement.lack.detail == "no other outcome of the requests would have broken it"


def test_requests_when_all_are_sent_by_another_operation_then_are_not_mixed_up():
    events = changed(a_round(1, balance=60), a(OperationSent, op=1_004), operation="deposit")
    events = changed(events, a(OperationReturned, op=1_004), operation="deposit")
    assert judged(events).broken is None
