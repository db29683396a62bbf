"""When the hop carried as many requests as the service lets through at once."""

from harness.judge.breaker.crowding import Crowding, crowding, levels
from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def test_levels_when_one_ends_as_another_begins_then_do_not_add_up():
    assert levels([(0, 10), (10, 20), (5, 12)]) == [(0, 1), (5, 2), (10, 2), (12, 1), (20, 0)]


def test_crowding_when_no_limit_is_known_then_is_never_there():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("20F", every=1, lasts=200)
    found = crowding(story.history(), 0)
    assert found.limit is None
    assert not found.within(0, 2**60)


def test_crowding_when_a_bulkhead_is_declared_then_is_by_it():
    story = Story(bulkhead=3, baseline=0)
    story.phase(5, "outage", fault="status")
    story.write("5F", every=10, lasts=25)  # at the hop: 1–24, 11–34, 21–44, …
    found = crowding(story.history(), 0)
    assert found.limit == 3
    assert [found.within(at * MS, at * MS) for at in (20, 21, 24, 25, 31)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_crowding_when_bursts_were_run_then_is_by_the_most_at_once_in_them():
    story = Story(baseline=0)
    story.phase(2, "transparent")
    story.burst(20, spread=2, outcomes="20S", lasts={"S": 200})
    assert crowding(story.history(), 0).limit == 20


def test_crowding_when_instances_are_declared_then_each_has_its_bulkhead():
    story = Story(bulkhead=3, instances=2, baseline=0)
    story.phase(5, "outage", fault="status")
    assert crowding(story.history(), 0).limit == 6


def test_crowding_when_an_arrival_has_no_end_then_stays():
    story = Story(bulkhead=1, baseline=0)
    story.phase(5, "outage", fault="blackhole")
    story.call("H", at=5)
    found = crowding(story.history(), 2 * MS)
    assert not found.within(0, 3 * MS)
    assert found.within(4 * MS, 4 * MS)
    assert found.within(10**15, 10**15)


def test_stretches_when_asked_between_then_are_not_there():
    found = Crowding(1, [(10, 20), (30, 40)])
    assert [found.within(*span) for span in [(0, 9), (21, 29), (41, 50)]] == [False] * 3
    assert [found.within(*span) for span in [(0, 10), (20, 29), (21, 30), (5, 50)]] == [True] * 4


def test_place_when_the_service_has_answered_then_is_free_whatever_hangs_at_the_hop():
    story = Story(bulkhead=1, baseline=0)
    story.phase(5, "outage", fault="blackhole")
    story.call("H", at=0, end="answered", answered=300)
    found = crowding(story.history(), 0)
    assert found.within(299 * MS, 299 * MS)
    assert not found.within(301 * MS, 10**15)


def test_crowding_when_more_went_through_in_another_phase_then_is_by_that():
    story = Story(baseline=0)
    story.phase(2, "transparent")
    story.burst(20, spread=2, outcomes="20S", lasts={"S": 200})
    story.phase(5, "outage", fault="latency")
    story.write("60S", every=10, lasts=400)
    assert crowding(story.history(), 0).limit == 40


def test_crowding_when_callers_wait_at_the_limit_then_nothing_is_refused_for_it():
    """A lock around the call passes them on one by one; what is rejected later is no bulkhead's."""
    for refused, limit in (("", None), ("R", 1)):
        story = Story(baseline=0)
        story.phase(2, "transparent")
        for index in range(5):
            sent = index / 4
            story.call("S", at=sent, arrives=1 + 200 * index - sent, lasts=200 + 200 * index - sent)
        story.write(refused)
        assert crowding(story.history(), 0).limit == limit


def test_crowding_when_the_harness_was_late_in_one_phase_then_others_are_as_they_were():
    story = Story(bulkhead=1, baseline=0)
    story.phase(5, "outage", fault="status")
    story.call("F", at=100, lasts=20)
    found = crowding(story.history(), 900 * MS, {"outage-status": 2 * MS})
    assert found.within(99 * MS, 121 * MS)
    assert not found.within(0, 98 * MS)
    assert not found.within(123 * MS, 10**15)
