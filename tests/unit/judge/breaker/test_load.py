"""How well a phase was driven, and why nothing in it may be called held."""

import pytest
from msgspec.structs import replace

from harness.judge.breaker.know import know
from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def view(write=lambda story: story.write("5F 95R", every=10), *, after=None, **phase):
    """The view of an outage; ``after`` writes what comes after it."""
    story = Story(baseline=0)
    story.phase(5, "outage", **{"fault": "status", **phase})
    write(story)
    if after is not None:
        after(story)
    return story.known().phases[-1]


def test_load_when_as_planned_then_is_measured():
    found = view()
    assert (found.load.planned, found.load.sent, found.load.on_time) == (100, 100, 100)
    assert (found.load.planned_per_s, found.load.sent_per_s) == (100, 100)
    assert (found.load.late_p99, found.load.capped, found.lack) == (0, False, "")


@pytest.mark.parametrize(("by", "on_time"), [(5, 100), (-5, 100), (5.1, 0), (-5.1, 0)])
def test_call_when_further_from_due_than_half_a_gap_then_is_not_on_time(by, on_time):
    def write(story):
        story.silence(10)
        for index in range(100):
            story.call("F", at=index * 10 + 10 + by, due=index * 10 + 10)

    found = view(write, rate=100)
    assert found.load.on_time == on_time
    assert bool(found.lack) == (on_time == 0)


@pytest.mark.parametrize(("planned", "lacks"), [(111, False), (112, True)])
def test_phase_when_fewer_than_nine_tenths_were_sent_in_time_then_holds_nothing(planned, lacks):
    found = view(planned=planned)
    assert bool(found.lack) == lacks
    if lacks:
        assert found.lack == (
            "outage-status: 100 of 112 planned calls were sent within half a gap of their due time, "
            "90% are needed"
        )


def test_lateness_when_measured_then_is_that_of_the_99th():
    def write(story):
        for index in range(100):
            story.call("F", at=index * 10 + index * 0.01, due=index * 10)

    assert view(write, rate=100).load.late_p99 == round(0.98 * MS)


def test_sequential_when_slow_then_needs_no_rate():
    found = view(lambda story: story.write("FFFFFR", gap=500))
    assert (found.load.planned, found.load.planned_per_s, found.lack) == (None, None, "")


def test_burst_when_sent_within_its_spread_then_needs_no_rate():
    found = view(lambda story: story.burst(10, spread=50, outcomes="10F"), rate=100)
    assert found.lack == ""


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ({"capped": True}, "the harness's own cap on calls in flight was reached"),
        ({"reached": False, "why": "still open after 13 s"}, "still open after 13 s"),
        ({"reached": False}, "the circuit was not closed for certain when it was to begin"),
    ],
)
def test_phase_when_not_as_it_must_be_then_says_why(phase, words):
    assert view(**phase).lack == f"outage-status: {words}"


def test_fault_when_not_seen_then_nothing_is_held():
    found = view(lambda story: (story.write("5F"), story.fault("status", injected=0)))
    assert found.lack == "outage-status: the fault status was not seen on the wire"


def test_fault_when_nothing_of_it_can_be_seen_then_is_not_missed():
    found = view(lambda story: story.fault("refuse", injected=0, needs_seen=False))
    assert found.lack == ""


def test_fault_when_never_applied_then_nothing_is_held():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    story.write("5F")
    found = know(replace(story.history(), faults=())).phases[0]
    assert found.lack == "outage-status: the fault status was not applied"


@pytest.mark.parametrize(
    ("gap", "words"),
    [((950, 1100), "0.05 s of the hop's log were lost"), ((1001, 1100), "")],
)
def test_log_when_lost_in_the_phase_then_nothing_is_held(gap, words):
    def write(story):
        story.write("5F 95R", every=10)
        story.gap(*gap)

    assert view(write).lack == (f"outage-status: {words}" if words else "")


def test_healing_when_its_outage_lacks_something_then_lacks_it_too():
    def heal(story):
        story.phase(6, "heal")
        story.write("20S", every=10)

    found = view(capped=True, after=heal)
    assert found.number == 6
    assert "the phase before it lacks what it needs: outage-status: the harness's" in found.lack


def test_phase_when_without_calls_then_has_no_rate():
    found = view(lambda story: None)
    assert (found.load.sent, found.load.sent_per_s, found.load.late_p99) == (0, 0.0, 0)
