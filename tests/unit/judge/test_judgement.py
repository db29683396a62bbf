from fractions import Fraction

import pytest

from harness.judge.evidence import Lack
from harness.judge.judgement import (
    Broken,
    RoundJudgement,
    apart,
    do_not_count,
    lacks_in_words,
    most_telling,
    number_of,
    plural,
    rounds_named,
)
from harness.model.units import Duration
from harness.model.verdicts import Counterexample


def broken(number, unknown, distance=0):
    counterexample = Counterexample(round=number, summary=f"round {number}")
    return Broken(counterexample=counterexample, unknown=unknown, distance=distance)


def test_most_telling_when_several_then_fewest_unknown_then_largest_distance_then_the_first():
    assert most_telling([broken(1, 2, 9), broken(2, 1, 1)]).counterexample.round == 2
    assert most_telling([broken(1, 0, 1), broken(2, 0, 5)]).counterexample.round == 2
    assert most_telling([broken(1, 0, 5), broken(2, 0, 5)]).counterexample.round == 1


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        pytest.param([3], "round 3", id="one"),
        pytest.param([1, 2], "rounds 1 and 2", id="two"),
        pytest.param([1, 4, 7], "rounds 1, 4 and 7", id="three"),
        pytest.param(list(range(1, 21)), "rounds 1–20", id="all in a row"),
        pytest.param([1, 3, 5, 7, 9, 11, 13], "7 rounds, first round 1", id="many"),
    ],
)
def test_rounds_when_named_then_are_short(rounds, words):
    assert rounds_named(rounds) == words


def test_lacks_when_several_rounds_share_a_reason_then_are_one_sentence():
    a, b, other = (
        Lack(short="s", detail="a"),
        Lack(short="s", detail="b"),
        Lack(short="t", detail="c"),
    )
    assert lacks_in_words([(1, a), (2, other), (3, b)]) == ("rounds 1 and 3: a", "round 2: c")


def test_rounds_when_they_do_not_count_then_are_counted_with_their_reasons():
    lack = Lack(short="overlap under 2", detail="d")
    judgements = [
        RoundJudgement(round=1, finished=True),
        RoundJudgement(round=2, finished=True, lack=lack),
        RoundJudgement(round=3, finished=True, lack=lack),
    ]
    assert do_not_count(judgements) == "2 do not: overlap under 2"
    assert do_not_count(judgements[:2]) == "1 does not: overlap under 2"
    assert do_not_count(judgements[:1]) == ""
    assert [judgement.counts for judgement in judgements] == [True, False, False]


def test_round_when_unfinished_or_without_a_value_then_does_not_count():
    assert not RoundJudgement(round=1, finished=False).counts
    assert not RoundJudgement(round=1, finished=True, error="e").counts


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        pytest.param(3, 5, 2, id="numbers"),
        pytest.param(Fraction(1, 2), 1, Fraction(1, 2), id="fractions"),
        pytest.param(Duration.of_ms(2), Duration.of_ms(1), 1_000_000, id="durations"),
        pytest.param("a", "b", 0, id="texts"),
        pytest.param(True, 3, 0, id="a truth"),
        pytest.param(Duration.of_ms(1), 3, 0, id="two sorts"),
    ],
)
def test_apart_when_two_values_are_given_then_is_a_number_whatever_they_are(one, other, distance):
    assert apart(one, other) == distance


def test_number_when_one_then_is_singular():
    assert (number_of(1, "round"), number_of(2, "round")) == ("1 round", "2 rounds")
    assert [plural(number, "probe") for number in (0, 1, 2)] == ["probes", "probe", "probes"]
