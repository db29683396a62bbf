"""Which life a moment belongs to."""

from harness.judge.breaker.lives import (
    before,
    calls_from,
    gap_between_calls,
    life_in,
    log_lost,
    shown_open,
    view_at,
)
from tests.support.breaker_histories import MS, Story
from tests.support.breaker_scenes import tripped


def twice_open():
    """It trips, one trial fails, another succeeds."""
    story = Story()
    tripped(story, 9, "burst-bad")
    story.write("F", gap=10)
    story.write("80R", every=12.5)
    story.silence(100)
    story.write("S", gap=10)
    story.write("5S", gap=10)
    return story.known()


def test_life_when_a_moment_is_given_then_is_the_last_that_began_and_was_not_over():
    known = twice_open()
    first, second = known.outages
    (view,) = known.phases_of(9)
    assert life_in(known, view, first.tau.lo - 1) is None
    assert life_in(known, view, first.tau.lo) is first
    assert life_in(known, view, second.tau.lo) is second
    assert life_in(known, view, second.closed.lo) is None
    assert life_in(known, known.phases_of(1)[0], first.tau.lo) is None


def test_life_when_reopened_then_has_one_before():
    first, second = (known := twice_open()).outages
    assert before(known, first) is None
    assert before(known, second) is first
    assert shown_open(known, second) and not shown_open(known, None)


def test_life_when_another_trip_came_before_it_then_has_none_before():
    story = Story()
    for _ in range(2):
        tripped(story, 8, "burst-good")
        story.write("5S", gap=10)
    known = story.known()
    assert [before(known, life) for life in known.outages] == [None, None]


def test_life_when_keys_are_apart_then_is_of_that_key():
    story = Story(isolation="key", key="{account}")
    story.phase(15, "keys", fault="status")
    story.write("5FR", key="a")
    story.silence(10)
    story.write("5S", key="b")
    known = story.known()
    (view,) = known.phases_of(15)
    (life,) = known.outages
    moment = life.tau.hi + 20 * MS
    assert life_in(known, view, moment, key="a") is life
    assert life_in(known, view, moment, key="b") is None
    assert {joined.call.key for joined in calls_from(known, life, 0)} == {"a"}


def test_calls_when_from_a_moment_then_begin_after_it():
    known = twice_open()
    life = known.outages[0]
    third = known.calls[2].call.sent
    assert next(calls_from(known, life, third)).call.sent > third


def test_phase_when_a_moment_is_given_then_is_the_one_that_was_running():
    known = twice_open()
    (view,) = known.phases_of(9)
    assert view_at(known, view.phase.entered, 9) is view
    assert view_at(known, view.phase.entered - 1, 9) is None
    assert view_at(known, view.phase.entered, 8) is None


def test_log_when_a_gap_touches_a_stretch_then_is_lost():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.gap(100, 200)
    story.write("5F")
    known = story.known()
    start = known.phases_of(5)[0].phase.entered
    assert log_lost(known, start, start + 100 * MS)
    assert log_lost(known, start + 150 * MS, start + 160 * MS)
    assert not log_lost(known, start + 201 * MS, start + 300 * MS)


def test_gap_when_a_rate_is_planned_then_is_one_by_it():
    story = Story()
    story.phase(5, "outage", fault="status", rate=50, planned=5)
    story.write("5F", every=20)
    assert gap_between_calls(story.known().phases_of(5)[0]) == 20 * MS
