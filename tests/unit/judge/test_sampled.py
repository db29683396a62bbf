import pytest

from harness.expressions.parse import parse
from harness.judge.evidence import Lack
from harness.judge.judgement import Broken, RoundJudgement
from harness.judge.sampled import finding_over_readings, samples_of, sampling_lack, values_at
from harness.model.verdicts import Counterexample
from tests.unit.judge.rounds import (
    LACK,
    RETURNED,
    SENT,
    a_call,
    an_invariant,
    evidence,
    in_turn,
    read,
)


def lack_of(shown, **asked):
    return sampling_lack(shown, samples_of(shown, "it"), **asked)


def test_samples_when_read_in_flight_then_lie_wholly_within_it():
    within, over = read(1, SENT, RETURNED), read(2, RETURNED - 1, RETURNED + 1)
    samples = samples_of(evidence((read(0, 1, 2), within, over)), "it")
    assert len(samples.readings) == 3
    assert samples.in_flight == (within,)


def test_samples_when_between_two_requests_then_are_in_flight_in_neither():
    calls = (a_call(1, span=(100, 110)), a_call(2, span=(120, 130)))
    readings = (read(1, 105, 106), read(1, 112, 113), read(1, 125, 126), read(1, 108, 122))
    assert samples_of(evidence(readings, calls), "it").in_flight == (readings[0], readings[2])


def test_lack_when_several_apply_then_what_explains_the_others_comes_first():
    shown = evidence(in_turn([1]))
    undecided = Lack(short="too many unknown outcomes", detail="d")
    assert lack_of(evidence((), finished=False)).short == "not finished"
    assert lack_of(evidence((), lacks=(LACK,))).short == "not read"
    assert lack_of(evidence(in_turn([1]), lacks=(LACK,)), undecided=undecided) is undecided
    assert lack_of(evidence(in_turn([1]), lacks=(LACK,)), least=2) is LACK
    assert lack_of(shown, least=2, powerless=lambda: "why").short == "under 2 readings in flight"
    assert lack_of(shown, powerless=lambda: "why").detail == "why"
    assert lack_of(shown) is None


def test_values_when_one_reading_has_none_then_it_is_told_and_the_others_are_there():
    samples = samples_of(evidence(in_turn([2, 0, 4])), "it")
    valued = values_at(parse("8 / it"), samples, 3)
    assert [value for _, value in valued.pairs] == [4, 2]
    assert valued.error == "8 / it has no value in round 3: 8 / 0 divides by zero (it = 0)"


@pytest.mark.parametrize(
    ("enough", "words"),
    [
        pytest.param(None, "violated at 3 of 8 readings, in 1 of 2 rounds", id="all-rounds"),
        pytest.param(1, "violated at 3 of 8 readings, in 1 of 2 rounds, then stopped", id="enough"),
    ],
)
def test_finding_when_broken_then_counts_readings_and_rounds(enough, words):
    sound = RoundJudgement(round=1, finished=True, readings=4, readings_in_flight=4)
    broken = RoundJudgement(
        round=2,
        finished=True,
        readings=4,
        readings_in_flight=1,
        readings_broken=3,
        broken=_broken(),
    )
    found = finding_over_readings(an_invariant("bounded", "it"), [sound, broken], enough=enough)
    assert found.summary == words
    assert found.evidence == {
        "rounds": 2,
        "violated_rounds": 1,
        "rounds_with_power": 2,
        "readings": 8,
        "readings_in_flight": 5,
    }


def _broken():
    return Broken(counterexample=Counterexample(round=2, summary="round 2: it is 2"), unknown=0)
