import pytest

from harness.judge.evidence import Lack
from harness.judge.judgement import Broken, RoundJudgement
from harness.judge.rounds_in_words import (
    finding_over_rounds,
    held_in_words,
    inconclusive_in_words,
    verdict_of,
    violated_in_words,
)
from harness.model.verdicts import Counterexample
from tests.support.journals import MONEY_CONSERVED

WEAK = Lack(short="overlap under 2", detail="at most 1 of 5")
GONE = Lack(short="fault gone", detail="it was gone", withheld=True)


def held(number):
    return RoundJudgement(round=number, finished=True, readings=1)


def broken(number, lack=None):
    counterexample = Counterexample(round=number, summary=f"round {number}")
    return RoundJudgement(
        round=number,
        finished=True,
        broken=Broken(counterexample=counterexample, unknown=0),
        lack=lack,
        readings=1,
    )


def lacking(number, lack=WEAK):
    return RoundJudgement(round=number, finished=True, lack=lack)


def failed(number):
    return RoundJudgement(round=number, finished=True, error="x has no value")


@pytest.mark.parametrize(
    ("judgements", "verdict"),
    [
        pytest.param([], "inconclusive", id="no round"),
        pytest.param([held(1)], "held", id="one that counts"),
        pytest.param([held(1), lacking(2)], "held", id="one counts, one does not"),
        pytest.param([lacking(1)], "inconclusive", id="none counts"),
        pytest.param([held(1), lacking(2, GONE)], "inconclusive", id="evidence withheld"),
        pytest.param([held(1), broken(2)], "violated", id="one broken"),
        pytest.param([broken(1), lacking(2, GONE)], "violated", id="broken and withheld"),
        pytest.param([broken(1), failed(2)], "error", id="broken and without a value"),
    ],
)
def test_rounds_when_they_differ_then_the_worst_wins(judgements, verdict):
    assert verdict_of(judgements) == verdict


def test_violated_when_told_then_is_the_share_of_the_rounds_that_count():
    assert violated_in_words([broken(1), held(2), lacking(3)]) == (
        "violated in 1 of 2 rounds (95 % CI 0.01–0.99)"
    )
    assert violated_in_words([broken(1, WEAK), lacking(2)]) == (
        "violated in 1 of 2 rounds, none of which counts (2 do not: overlap under 2)"
    )
    assert "and in 1 that count for nothing else" in violated_in_words([broken(1), broken(2, WEAK)])


def test_violated_when_that_was_enough_then_says_so_with_the_interval_of_its_kind():
    ended = [broken(1), held(2), broken(3)]
    assert violated_in_words(ended, enough=2) == (
        "violated in 2 of 3 rounds, then stopped (95 % CI 0.09–0.99)"
    )
    assert finding_over_rounds(MONEY_CONSERVED, ended, enough=2).evidence["ci"] == [
        pytest.approx(0.094299, abs=1e-6),
        pytest.approx(0.987421, abs=1e-6),
    ]
    # Another one ended it: this one was only being counted.
    for counted in ([broken(1), broken(2), held(3)], [broken(1), held(2), held(3)]):
        interval = finding_over_rounds(MONEY_CONSERVED, counted, enough=2).evidence["ci"]
        assert interval == finding_over_rounds(MONEY_CONSERVED, counted).evidence["ci"]
        assert ", then stopped (95 % CI" in violated_in_words(counted, enough=2)


def test_violated_when_no_round_counts_and_that_was_enough_for_another_then_says_both():
    assert violated_in_words([broken(1, WEAK)], enough=1) == (
        "violated in 1 of 1 round, then stopped, none of which counts (1 does not: overlap under 2)"
    )


def test_held_when_told_then_says_what_would_have_shown():
    assert held_in_words([held(n) for n in range(20)]).startswith("held in 20 rounds: a race")
    assert held_in_words([held(1), lacking(2)]).startswith(
        "held in 1 round that counts (1 does not: overlap under 2): a race"
    )


def test_inconclusive_when_told_then_gives_the_reasons():
    assert inconclusive_in_words([]) == "no round was judged"
    assert inconclusive_in_words([lacking(1)]) == "no round counts: round 1: at most 1 of 5"
    assert inconclusive_in_words([lacking(1), lacking(2, GONE)]) == "round 2: it was gone"


def test_finding_when_broken_and_without_a_value_then_has_both():
    finding = finding_over_rounds(MONEY_CONSERVED, [broken(1), failed(2)])
    assert finding.verdict == "error"
    assert finding.summary.startswith("x has no value; violated in 1 of 1 round")
    assert finding.counterexample.round == 1


def test_evidence_when_rounds_count_then_has_the_interval():
    finding = finding_over_rounds(MONEY_CONSERVED, [held(1), held(2), lacking(3)])
    assert finding.evidence["rounds"] == 3
    assert finding.evidence["rounds_with_power"] == 2
    assert finding.evidence["ci"] == [0.0, pytest.approx(0.841886)]
    assert "ci" not in finding_over_rounds(MONEY_CONSERVED, [lacking(1)]).evidence
