from dataclasses import replace

import pytest

from harness.judge.evidence import Lack, Reading
from harness.judge.settled import judged_once_settled, settled_readings, unsettled
from harness.model.events import NeverSettled
from harness.model.units import Duration
from tests.unit.judge.rounds import LACK, MOVING, TAINTED, at_the_end, evidence, read


def test_readings_when_settled_then_are_those_of_the_end():
    start, end = at_the_end(7, before=3)
    assert settled_readings(evidence((start, end)), ["it"]) == {"it": end}


def test_readings_when_one_probe_was_not_read_then_are_missing():
    found = settled_readings(evidence(at_the_end(7)), ["it", "other"])
    assert isinstance(found, Lack)
    assert (found.detail, found.withheld) == ("probe other was not read at the end", True)


def test_readings_when_two_at_the_end_differ_then_nothing_had_settled():
    readings = (*at_the_end(7), read(8, 310, 311, purpose="at-end"))
    found = settled_readings(evidence(readings), ["it"])
    assert isinstance(found, Lack)
    assert found.short == "never settled"


def test_readings_when_the_journal_hides_one_then_are_not_known():
    readings: tuple[Reading, ...] = (replace(at_the_end("•••")[1], hidden=True),)
    found = settled_readings(evidence(readings), ["it"])
    assert isinstance(found, Lack)
    assert found.short == "reading hidden"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"finished": False}, "the round did not finish", id="broken off"),
        pytest.param({"tainted": TAINTED}, TAINTED.detail, id="tainted"),
        pytest.param({"settled": None}, "nothing says whether", id="nothing known"),
        pytest.param(
            {"settled": None, "never_settled": MOVING},
            "probe it gave no two equal readings within 10 s",
            id="moving",
        ),
        pytest.param(
            {
                "settled": None,
                "never_settled": NeverSettled(
                    round=1, probes=(), in_flight=2, limit=Duration.of_s(10)
                ),
            },
            "2 requests were still in flight after 10 s",
            id="in flight",
        ),
    ],
)
def test_round_when_its_end_is_not_known_then_says_why(changes, words):
    lack = unsettled(evidence(at_the_end(7), **changes), ["it"])
    assert lack is not None
    assert lack.detail.startswith(words)


def test_round_when_only_another_probe_kept_moving_then_its_own_end_is_known():
    shown = evidence(at_the_end(7), settled=None, never_settled=MOVING)
    assert unsettled(shown, ["other"]) is None


def test_judgement_when_nothing_could_break_it_then_does_not_count():
    shown = evidence(at_the_end(7))
    assert judged_once_settled(shown, {}, broken=None, powerless="").counts
    judgement = judged_once_settled(shown, {}, broken=None, powerless="why")
    assert judgement.lack is not None
    assert judgement.lack.detail == "why"


def test_judgement_when_the_round_lacks_something_then_that_comes_first():
    shown = evidence(at_the_end(7), lacks=(LACK,))
    assert judged_once_settled(shown, {}, broken=None, powerless="why").lack is LACK
