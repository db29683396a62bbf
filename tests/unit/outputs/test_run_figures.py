"""The figures of a run: what they are taken from, and that they never claim more than was shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.power import clopper_pearson
from harness.model.plan import Expected
from harness.model.units import Duration
from harness.model.verdicts import InvariantFinding, Result
from harness.outputs.run_figures import (
    expected_in_words,
    number_of_rounds,
    rate_in_words,
    rounds_in_words,
    seen_in_words,
    telling,
    time_in_words,
)
from tests.support.results import a_result, a_violation


def finding(name: str, verdict: str, **evidence: object) -> InvariantFinding:
    return InvariantFinding(
        name=name,
        kind="at_end",
        verdict=verdict,  # type: ignore[arg-type]
        summary="",
        evidence=evidence,
    )


def judged(verdict: str, *findings: InvariantFinding) -> Result:
    return a_result(verdict=verdict, invariants=findings)


def counts(rounds: int, *, broken: int = 0, of: int | None = None) -> dict[str, object]:
    interval = clopper_pearson(broken, rounds)
    return {
        "rounds": of or rounds,
        "violated_rounds": broken,
        "rounds_with_power": rounds,
        "ci": [interval.low, interval.high],
    }


def test_figures_when_broken_then_those_of_the_invariant_broken_most_often() -> None:
    run = judged(
        "violated",
        finding("seldom", "violated", **counts(20, broken=3)),
        finding("often", "violated", **counts(20, broken=18)),
        finding("never", "held", **counts(20)),
    )
    assert telling(run) is run.invariants[1]
    assert (rounds_in_words(run), rate_in_words(run)) == ("18/20 broken", "0.90 (0.68–0.99)")


def test_figures_when_held_then_those_of_the_invariant_with_the_fewest_rounds() -> None:
    run = judged(
        "held", finding("much", "held", **counts(20)), finding("little", "held", **counts(7, of=20))
    )
    assert (rounds_in_words(run), rate_in_words(run)) == ("7/20 count", "under 0.35")


def test_figures_when_readings_alone_held_then_no_rate_is_claimed() -> None:
    run = judged("held", finding("a", "held", rounds=20, violated_rounds=0, rounds_with_power=19))
    assert (rounds_in_words(run), rate_in_words(run)) == ("19/20 count", "–")


def test_figures_when_a_reading_was_broken_then_the_share_is_that_of_all_rounds() -> None:
    run = judged("violated", finding("a", "violated", rounds=4, violated_rounds=2))
    assert (rounds_in_words(run), rate_in_words(run)) == ("2/4 broken", "0.50 (0.06–0.94)")


@pytest.mark.parametrize(
    ("planned", "said"), [(None, "20"), (20, "20"), (25, "20/25")], ids=["unknown", "all", "some"]
)
def test_number_of_rounds_when_there_were_to_be_more_then_it_says_of_how_many(
    planned: int | None, said: str
) -> None:
    run = a_result(verdict="aborted", planned_rounds=planned)
    assert number_of_rounds(run) == rounds_in_words(run) == said
    assert rate_in_words(run) == "–"


def test_seen_in_words_when_something_was_broken_then_it_is_named() -> None:
    assert seen_in_words(a_violation()) == "violated by money-conserved"
    assert seen_in_words(a_result()) == "held"
    broke_off = a_violation(verdict="aborted")
    assert seen_in_words(broke_off) == "aborted"


def test_expected_in_words_when_invariants_are_named_then_they_are_told() -> None:
    assert expected_in_words(Expected()) == "held"
    both = Expected(verdict="violated", invariants=("a", "b"))
    assert expected_in_words(both) == "violated by a and b"


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (None, "–"),
        (Duration.of_ms(849.6), "850 ms"),
        (Duration.of_s(9.34), "9.3 s"),
        (Duration.of_s(71.4), "71 s"),
        (Duration.of_s(120), "2 min"),
        (Duration.of_s(551.7), "9 min 12 s"),
    ],
)
def test_time_in_words_when_a_run_took_some_time_then_as_people_say_it(
    took: Duration | None, said: str
) -> None:
    assert time_in_words(took) == said


@given(st.integers(1, 200), st.integers(0, 200))
def test_rate_when_held_then_no_smaller_share_is_claimed_than_was_shown(
    counted: int, more: int
) -> None:
    said = rate_in_words(judged("held", finding("a", "held", **counts(counted, of=counted + more))))
    share = float(said.removeprefix("under "))
    assert (1 - share) ** counted <= 0.05 + 1e-9


@pytest.mark.parametrize("verdict", ["held", "violated", "inconclusive", "error"])
def test_figures_when_there_is_no_evidence_then_none_is_made_up(verdict: str) -> None:
    run = judged(verdict, finding("steady-state", verdict))
    assert (rounds_in_words(run), rate_in_words(run)) == ("20", "–")
