from harness.judge.breaker.known import MS, SECOND
from harness.judge.breaker.stretches import (
    Circuits,
    arrived,
    coarseness,
    gap_of,
    lacks_of,
    largest_gap,
    said,
    sent_within,
    several,
    steady_gap,
    visible_outages,
    walk,
)
from tests.support.breaker_histories import Story


def rids(calls):
    return [one.call.rid for one in calls]


def tripped(**declared):
    story = Story(baseline=0, **declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    return story


def test_calls_when_asked_for_a_stretch_then_its_end_does_not_belong_to_it():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    first, second, third = story.write("FFF", every=10)
    calls = story.known().calls
    assert rids(sent_within(calls, 0, 20 * MS)) == [first, second]
    assert rids(sent_within(calls, 10 * MS)) == [second, third]
    assert rids(walk(calls, 10 * MS)) == [second, third]
    assert rids(walk(calls, 0, 10 * MS)) == [first]


def test_calls_when_each_key_has_a_circuit_then_a_life_has_those_of_its_key():
    story = Story(baseline=0, isolation="key", key="{account}")
    story.phase(15, "keys", fault="status")
    mine = story.write("FFFFF", key="a")
    mine += story.write("R", key="a")
    story.write("S", key="b")
    known = story.known()
    (life,) = known.outages
    assert rids(Circuits(known).calls(life)) == mine


def test_calls_when_keys_share_one_circuit_then_a_life_has_all():
    story = Story(baseline=0)
    story.phase(15, "keys", fault="status")
    story.write("FFFFF", key="a")
    story.write("R", key="b")
    known = story.known()
    (life,) = known.outages
    assert len(Circuits(known).calls(life)) == 6


def test_life_when_it_was_reopened_then_ends_with_the_failed_trial():
    story = tripped()
    story.write("99R", every=10)
    trial, *_ = story.write("F", every=10)
    story.write("20R", every=10)
    known = story.known()
    circuits = Circuits(known)
    first, second = known.outages
    assert circuits.until(first) <= second.tau.lo
    assert rids(sent_within(known.calls, first.tau.lo, circuits.until(first)))[-1] == trial


def test_gap_when_nobody_called_then_the_ends_of_the_stretch_count():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    story.write("F")
    story.silence(95)
    story.write("FF", every=10)
    calls = story.known().calls
    assert largest_gap(calls, 0, 110 * MS) == 100 * MS
    assert largest_gap(calls, 0, 400 * MS) == 290 * MS
    assert largest_gap([], 0, 7) == 7


def test_gap_when_calls_come_at_a_rate_then_two_and_a_half_of_them_are_steady():
    story = tripped()
    story.write("60R", every=10)
    view = story.known().phases_of(5)[0]
    assert gap_of(view) == 10 * MS
    assert steady_gap(view, 100 * MS) == 25 * MS
    assert steady_gap(view, SECOND) == 100 * MS


def test_gap_when_the_load_was_not_driven_as_planned_then_is_as_measured():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status", rate=100, planned=100)
    story.write("50F", every=20)
    assert gap_of(story.known().phases_of(5)[0]) == 20 * MS


def test_gap_when_calls_do_not_come_at_a_rate_then_there_is_none():
    assert gap_of(tripped().known().phases_of(5)[0]) == 0


def test_lacks_when_the_harness_was_late_then_only_timing_asks_for_it():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status", lag=200)
    story.write("FFFFF")
    views = story.known().phases_of(5)
    assert lacks_of(views) == []
    (late,) = lacks_of(views, timing=True)
    assert late.startswith("outage-status: the harness itself was")


def test_outages_when_arrivals_are_hidden_then_are_left_out():
    story = tripped()
    story.write("20R", every=10)
    story.silence(1100)
    story.phase(5, "outage", fault="refuse")
    story.write("FFFFF 20R", every=10)
    known = story.known()
    assert {outage.phase for outage in visible_outages(known, 5)} == {"outage-status"}
    assert {outage.phase for outage in known.outages} > {"outage-status"}


def test_coarseness_when_the_open_time_is_declared_then_there_is_none():
    assert coarseness(tripped().known(), SECOND) == 0


def test_coarseness_when_it_was_found_then_it_grows_with_the_open_time():
    story = Story(open=None)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("99R F 20R", every=10)
    known = story.known()
    found = round(known.terms.open.number)
    assert 10 * MS <= coarseness(known, found) <= 15 * MS
    assert coarseness(known, 2 * found) == 2 * coarseness(known, found)


def test_arrival_when_there_were_several_attempts_then_the_first_counts():
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    story.call("F", at=0, lasts=50, arrivals=[{"at": 3, "ended": 9}, {"at": 20, "ended": 49}])
    (joined,) = story.known().calls
    assert arrived(joined) == 3 * MS


def test_time_when_said_then_a_tenth_of_a_second_divides_ms_from_s():
    assert said(12 * MS) == "12 ms"
    assert said(1170 * MS) == "1.17 s"


def test_instances_when_they_cannot_be_told_apart_then_there_are_several():
    def of(instances):
        story = tripped(instances=instances)
        story.write("20R", every=10)
        known = story.known()
        return several(known, known.outages[0])

    assert of(4)
    assert not of(1)
