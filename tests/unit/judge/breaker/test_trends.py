import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.breaker.trends import (
    InFlight,
    Sockets,
    arrivals_during,
    arrivals_of,
    behind,
    growing,
    load_of,
    most_sent_within,
    pending,
    sent_between,
    sent_from,
    sockets_in,
    still_rising,
)
from tests.support.breaker_histories import Story

MS = 1_000_000

spans = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 30) | st.none()).map(
        lambda span: (span[0], None if span[1] is None else span[0] + span[1])
    ),
    max_size=30,
)


def under_way(spans, instant):
    return sum(begin <= instant and (end is None or end > instant) for begin, end in spans)


@given(spans)
def test_in_flight_when_asked_then_counts_what_has_begun_and_not_ended(spans):
    counted = InFlight.of(spans)
    assert counted.samples(0, 80, 1) == [under_way(spans, instant) for instant in range(81)]


@given(spans, st.integers(0, 40), st.integers(0, 50))
def test_peak_when_asked_of_a_stretch_then_is_the_most_of_its_moments(spans, since, lasts):
    counts = [under_way(spans, instant) for instant in range(since, since + lasts + 1)]
    most, when = InFlight.of(spans).peak(since, since + lasts)
    assert most == max(counts)
    assert counts[when - since] == most


def test_in_flight_when_something_ends_before_it_begins_then_it_never_was():
    counted = InFlight.of([(5, 5), (5, 3)])
    assert counted.peak() == (0, 0)


@pytest.mark.parametrize(
    ("samples", "grows"),
    [
        pytest.param(list(range(0, 100, 5)), True, id="rising"),
        pytest.param([10] * 20, False, id="level"),
        pytest.param([0, 1, 2, 3, 4, 5, 5, 5], False, id="by no more than a handful"),
        pytest.param([100, 101, 110, 115, 118, 119, 119, 119], False, id="by less than a fifth"),
        pytest.param([0, 90, 0, 90, 0, 90, 80, 90], False, id="up and down"),
        pytest.param([50, 3], False, id="too few"),
        pytest.param([], False, id="none"),
    ],
)
def test_growth_when_looked_at_then_is_certain_or_not_said(samples, grows):
    assert growing(samples) is grows


def test_rising_when_it_had_levelled_before_the_end_then_is_over():
    levelled = [*range(0, 200, 2), *[200] * 60]
    assert growing(levelled)
    assert not still_rising(levelled)
    assert still_rising(list(range(0, 320, 2)))


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40), st.integers(0, 30))
def test_clumps_when_counted_then_are_the_most_in_any_stretch(instants, span):
    sent = sorted(instants)
    most = max(sum(a <= b <= a + span for b in sent) for a in sent)
    assert most_sent_within(sent, span) == most


def test_clumps_when_nothing_was_sent_then_there_are_none():
    assert most_sent_within([], 10) == 0


def slow_story():
    story = Story(slow=500)
    story.phase(12, "slow", fault="latency", latency=2000)
    return story


def test_behind_when_abandoned_then_ends_a_slack_earlier():
    """It was noticed late; what is not certain is not counted."""
    story = slow_story()
    story.write("T", lasts=300)
    view = story.known().by_id["slow"]
    counted = behind(arrivals_of(view.calls), view.slack)
    begin, noticed = view.phase.entered + MS, view.phase.entered + 299 * MS
    assert (counted.begins, counted.ends) == ([begin], [noticed - view.slack])


def test_pending_when_short_circuited_then_counts_only_once_it_waits():
    story = slow_story()
    story.write("R", lasts=80)
    view = story.known().by_id["slow"]
    assert pending(view.calls, 100 * MS).peak() == (0, 0)
    assert pending(view.calls, 50 * MS).peak() == (1, view.phase.entered + 50 * MS)


def test_load_when_a_fault_came_later_then_begins_with_it():
    story = slow_story()
    story.fault("latency", applied=(20, 25))
    story.write("5S", every=10)
    view = story.known().by_id["slow"]
    assert load_of(view) == (view.phase.entered + 25 * MS, view.phase.entered + 40 * MS)


def test_calls_when_asked_by_instant_then_lie_within():
    story = slow_story()
    story.write("5S", every=10)
    view = story.known().by_id["slow"]
    start = view.phase.entered
    assert len(sent_between(view, start, start + 20 * MS)) == 2
    assert len(sent_from(view, start + 20 * MS)) == 3


def test_sockets_when_read_in_baseline_and_phase_then_are_compared():
    story = Story()
    story.baseline()
    story.sample(sockets=12)
    story.phase(12, "slow", fault="latency", latency=2000)
    story.write("5S", every=10)
    known = story.known()
    assert sockets_in(known, known.by_id["slow"]) is None
    story.sample(sockets=53)
    known = story.known()
    assert sockets_in(known, known.by_id["slow"]) == Sockets(before=12, most=53)


def test_arrivals_when_nobody_knows_whose_they_are_then_are_counted_by_phase():
    story = slow_story()
    story.write("3S", every=10)
    story.stray(at=5)
    story.phase(6, "heal")
    story.write("S", every=10)
    story.stray(at=2)
    story.stray(at=3)
    known = story.known()
    assert len(arrivals_during(known, known.by_id["slow"])) == 4
    assert len(arrivals_during(known, known.by_id["heal"])) == 3
