"""By when the next trial must come, from whatever is declared."""

import pytest

from harness.judge.breaker.known import SECOND
from harness.judge.breaker.permit_back import bound_of, trial_of, wait_for
from tests.support.breaker_histories import MS, Story
from tests.support.breaker_scenes import hung_trial


def known_of(**declared):
    story = Story(**declared)
    hung_trial(story, [("20R", 20)])
    return story.known()


@pytest.mark.parametrize(
    ("declared", "seconds"),
    [
        ({}, 1.3),
        ({"lost_after": 9000}, 1.3),
        ({"call_timeout": "none", "lost_after": 5000}, 6.0),
        ({"call_timeout": "none"}, 10.0),
        ({"call_timeout": "none", "open": 5000}, 15.0),
        ({"factor": 3}, 3.3),
        ({"factor": 3, "at_most": 2000}, 2.3),
        ({"jitter": 0.1}, 1.4),
    ],
)
def test_bound_when_declared_so_then_is_the_time_out_and_the_next_open_time(declared, seconds):
    known = known_of(**declared)
    (view,) = known.phases_of(10)
    bound = bound_of(known, view, known.outages[0])
    assert bound.span == pytest.approx(seconds * SECOND + 22 * MS)


def test_bound_when_the_open_time_is_unknown_then_is_none():
    known = known_of(open=None)
    (view,) = known.phases_of(10)
    assert bound_of(known, view, known.outages[0]) is None
    trial = trial_of(view)
    said = wait_for(known, view, trial, trial.call.arrivals[0].arrived)
    assert said == "how long it stays open is neither declared nor inferred"


def test_trial_when_the_script_does_not_say_then_is_none():
    story = Story()
    story.phase(10, "hung-trial", fault="status")
    story.write("5FR")
    assert trial_of(story.known().phases_of(10)[0]) is None


def test_wait_when_a_call_before_the_deadline_is_refused_then_accuses_nobody_yet():
    known = known_of()
    (view,) = known.phases_of(10)
    trial = trial_of(view)
    wait = wait_for(known, view, trial, trial.call.arrivals[0].arrived)
    assert wait.refused is None and wait.back is None and not wait.in_time
    assert len(wait.later) == 20


def test_wait_when_one_sent_first_is_refused_for_another_that_came_sooner_then_accuses_nobody():
    for lasts, accused in ((1, False), (0.05, True)):
        story = Story()
        hung_trial(story, [("60R", 20)])
        story.silence(400)
        story.call("R", lasts=lasts)
        story.call("S", at=story.at + 0.1)
        known = story.known()
        (view,) = known.phases_of(10)
        trial = trial_of(view)
        wait = wait_for(known, view, trial, trial.call.arrivals[0].arrived)
        assert (wait.refused is not None) is accused
