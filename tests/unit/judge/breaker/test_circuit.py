"""Which phases belong together, and which calls are of one circuit."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from harness.judge.breaker.circuit import Past, circuits_of, counting, groups_of
from harness.judge.breaker.know import know
from harness.judge.breaker.known import MS
from harness.judge.breaker.rule import Rule
from harness.judge.breaker.settlements import FAIL, GOOD, NONE
from tests.support.breaker_histories import Story
from tests.support.breaker_orders import settlement


def story(**declared):
    made = Story(baseline=0, **declared)
    made.phase(5, "outage", fault="status")
    return made


def circuits(written):
    return circuits_of(written.known().phases, written.declared, 2 * MS, {})


def test_phases_when_healing_then_go_on_from_the_one_before():
    written = Story()
    for number, name in ((5, "outage"), (6, "heal"), (8, "burst-good"), (5, "outage")):
        written.phase(number, name)
    names = [[view.phase.id for view in group] for group in groups_of(written.known().phases)]
    assert names == [["baseline"], ["outage", "heal"], ["burst-good"], ["outage#2"]]


def test_phases_when_said_to_continue_then_go_on():
    written = story()
    written.phase(7, "silent-trial", given={"continues": True})
    assert len(groups_of(written.known().phases)) == 1


def test_phase_when_its_beginning_was_not_reached_then_begins_a_group_all_the_same():
    written = story()
    written.phase(5, "outage", fault="reset", reached=False, why="still open")
    written.phase(6, "heal")
    written.phase(8, "burst-good")
    groups = groups_of(written.known().phases)
    assert [[view.phase.name for view in group] for group in groups] == [
        ["outage"],
        ["outage", "heal"],
        ["burst-good"],
    ]


def test_keys_when_isolated_then_have_circuits_of_their_own():
    for isolation, keys in ((None, [""]), ("none", [""]), ("key", ["a", "b"])):
        written = story(isolation=isolation)
        written.call("F", key="b")
        written.call("F", key="a", at=5)
        assert [circuit.key for circuit in circuits(written)] == keys


def test_circuit_when_asked_from_an_instant_then_gives_what_came_from_there():
    written = story()
    written.write("FFFFF RR", every=10)
    written.call("S", at=100, lasts=20)
    (circuit,) = circuits(written)
    assert [joined.call.rid for joined in circuit.rejected_from(51 * MS)] == ["r00007"]
    assert [joined.call.rid for joined in circuit.forwarded_from(42 * MS)] == ["r00008"]
    assert len(circuit.settled) == 6
    assert circuit.slow == ()
    assert circuit.view_at(10**12).phase.id == "outage-status"
    counted = circuit.counted_since(40 * MS)
    assert (len(counted.admitted), len(counted.refused)) == (2, 2)
    assert (len(counted.perhaps_admitted), len(counted.perhaps_refused)) == (6, 2)


def test_circuit_when_its_phase_has_no_end_then_lasts_to_its_last_answer():
    written = story()
    written.write("FF", every=10)
    history = written.history()

    open_ended = changed(history, phases=(changed(history.phases[0], left=None),))
    (circuit,) = circuits_of(know(open_ended).phases, written.declared, 0, {})
    assert circuit.until == 15 * MS


def test_calls_before_a_phase_when_they_bring_it_to_its_beginning_then_go_on():
    written = story()
    written.phase(0, "warm-up")
    written.phase(8, "burst-good")
    names = [[view.phase.id for view in group] for group in groups_of(written.known().phases)]
    assert names == [["outage-status", "warm-up"], ["burst-good"]]


WINDOW = Rule(kind="time-window", count=3, window=15)


def masks(stragglers, window=None):
    settled = [
        settlement(0, 9, FAIL, rid="before"),
        settlement(5, 20, FAIL, rid="straggler", sent=1),
        settlement(8, 12, GOOD, rid="trial", sent=3),
        settlement(30, 31, FAIL, rid="after", sent=25),
    ]
    found = counting(settled, 10, {"trial"}, stragglers, window)
    return {one.joined.call.rid: (one.lo, one.mask) for one in found}


def test_stragglers_when_after_a_closing_then_count_as_declared():
    assert masks(None) == {"straggler": (10, FAIL | NONE), "after": (30, FAIL)}
    assert masks("ignored") == {"straggler": (10, NONE), "after": (30, FAIL)}
    assert masks("counted") == {"straggler": (5, FAIL), "after": (30, FAIL)}


def test_window_when_after_a_closing_then_may_still_hold_what_was_before():
    assert masks("counted", WINDOW) == {
        "before": (0, FAIL | NONE),
        "straggler": (5, FAIL),
        "trial": (8, GOOD | NONE),
        "after": (30, FAIL),
    }


@pytest.mark.parametrize(
    ("window", "settled", "admitted"),
    [
        (None, 0, 0),
        (WINDOW, 0, 0),
        (replace(WINDOW, window=70 * MS), 2, 2),
        (Rule(kind="count-window", count=3, window=2), 4, 4),
    ],
)
def test_past_when_a_course_is_over_then_keeps_what_a_window_may_reach(window, settled, admitted):
    written = story()
    written.write("6F R", every=20)
    (circuit,) = circuits(written)
    past = Past().after(circuit, window)
    assert (len(past.settled), len(past.admitted)) == (settled, admitted)
    assert {one.mask for one in past.settled} <= {FAIL | NONE}
