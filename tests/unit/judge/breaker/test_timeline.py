"""The lives of circuits, folded from calls."""

import pytest

from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def story(**declared):
    made = Story(**declared)
    made.phase(5, "outage", fault="status")
    return made


def lives(written, *names):
    """The named parts of each life; instants in ms from its phase's start."""
    known = written.known()
    return [
        tuple(_part(life, name, known.by_id[life.phase].phase.entered) for name in names)
        for life in known.outages
    ]


def _part(life, name, start):
    part = getattr(life, name)
    if name in ("tau", "open", "half_open", "closed"):
        if part is None:
            return None
        return tuple(None if at is None else (at - start) / MS for at in (part.lo, part.hi))
    if name in ("trials", "because"):
        return [joined.call.rid for joined in part]
    if name == "first_rejection":
        return None if part is None else part.call.rid
    return (part - start) / MS if name == "until" else part


def test_life_when_it_trips_then_is_open_from_its_first_rejection_to_its_end():
    written = story()
    written.write("FFFFF 60R", every=10)
    assert lives(written, "tau", "threshold", "first_rejection", "open", "half_open", "ended") == [
        ((44, 47), 5, "r00206", (51, 1042), None, "unknown")
    ]


def test_life_when_nothing_is_rejected_then_is_open_from_the_trip_and_has_no_trials():
    written = story()
    written.write("FFFFF 160F", every=10)
    assert lives(written, "tau", "first_rejection", "open", "trials", "ended", "until") == [
        ((44, 47), None, (47, 1042), [], "unknown", 1650)
    ]


def test_life_when_its_trial_fails_then_opens_again_from_its_settling():
    written = story()
    written.write("FFFFF 100R F 100R F 20R", every=10)
    assert lives(written, "cycle", "tau", "open", "half_open", "trials", "ended") == [
        (0, (44, 47), (51, 1042), (1042, 1057), ["r00306"], "reopened"),
        (1, (1054, 1057), (1061, 2052), (2052, 2067), ["r00407"], "reopened"),
        (2, (2064, 2067), (2071, 3062), None, [], "unknown"),
    ]


def test_life_when_its_trial_succeeds_then_closes_and_the_next_begins_anew():
    written = story()
    written.write("FFFFF 100R S 20S FFFFF 20R", every=10)
    assert lives(written, "cycle", "tau", "trials", "ended", "closed", "until") == [
        (0, (44, 47), ["r00306"], "closed", (1054, 1057), 1057),
        (0, (1304, 1307), [], "unknown", None, 1510),
    ]


def test_life_when_it_heals_in_the_phase_after_then_goes_on_there():
    written = story()
    written.write("FFFFF 60R", every=10)
    healed = written.phase(6, "heal")
    written.write("40R S 20S", every=10)
    known = written.known()
    assert [(life.phase, life.ended) for life in known.outages] == [("outage-status", "closed")]
    assert [joined.call.phase for joined in known.outages[0].trials] == [healed]


def test_life_when_the_next_phase_begins_closed_then_ends_with_its_own():
    written = story()
    written.write("FFFFF 60R", every=10)
    written.phase(8, "burst-good")
    written.write("FFFFF R")
    assert lives(written, "cycle", "threshold", "ended") == [(0, 5, "unknown")] * 2


def test_life_when_it_backs_off_then_each_cycle_is_longer():
    written = story(factor=2.0, at_most=3000)
    written.write("FFFFF 100R F 200R F 305R F 10R", every=10)
    assert [duration / MS for (duration,) in lives(written, "duration")] == [
        1000,
        2000,
        3000,
        3000,
    ]


def test_life_when_open_times_vary_then_is_open_for_certain_for_the_shortest():
    written = story(jitter=0.1)
    written.write("FFFFF 60R", every=10)
    assert lives(written, "open") == [((51, 942),)]


def test_life_when_the_open_time_is_not_known_then_ends_with_the_first_call_let_through():
    written = story(open=None)
    written.rate = 100
    written.write("FFFFF 30R S", every=10)
    (life,) = written.known().outages
    assert life.ended == "closed"
    assert life.duration is not None, "inferred from that gap"


def test_stragglers_when_they_settle_in_the_open_state_then_are_no_trials():
    written = story()
    written.call("S", at=0, lasts=700)
    written.write("FFFFF 100R S", every=10)
    assert lives(written, "trials", "ended") == [(["r00307"], "closed")]


def test_straggler_when_it_fails_after_closing_then_may_or_may_not_count():
    """4 failures and the straggler: a trip some order has, and others have not."""
    for stragglers, opened in ((None, True), ("counted", True), ("ignored", False)):
        written = story(stragglers=stragglers)
        written.call("F", at=0, lasts=1200)
        written.write("FFFFF 100R S FFFF", every=10)
        written.call("R", at=1250)
        known = written.known()
        later = known.outages[1]
        assert later.explained == opened, stragglers


def test_keys_when_isolated_then_live_apart():
    written = story(isolation="key")
    written.write("FFFFF RR", key="a")
    written.write("SSSSS", key="b")
    assert lives(written, "key", "threshold") == [("a", 5)]


def test_kind_when_it_has_no_states_then_has_no_lives():
    written = story(kind="in-flight")
    written.write("FFFFF 20R", every=10)
    assert lives(written, "tau") == []


def test_hosts_when_ejected_then_are_back_with_the_next_call_that_reaches_them():
    written = story(kind="eject")
    written.write("FFFFF 100R SS", every=10)
    assert lives(written, "trials", "ended", "closed") == [([], "closed", (1050, 1051))]


def test_rejections_when_the_circuit_is_closed_then_are_unexplained():
    written = story()
    written.write("SSRSS", every=10)
    known = written.known()
    assert known.outages == []
    assert [joined.call.rid for joined in known.unexplained] == ["r00203"]


def test_opening_when_below_the_threshold_then_is_a_life_all_the_same():
    written = story()
    written.write("FFFF 100R S", every=10)
    assert lives(written, "threshold", "explained", "ended") == [(4, False, "closed")]


def test_history_when_nothing_is_declared_then_lives_show_by_rejections():
    written = story(threshold=None, open=None, permits=None, call_timeout=None)
    written.write("8F 100R F 100R S 20S", every=10)
    assert lives(written, "cycle", "threshold", "ended") == [(0, 8, "reopened"), (1, 1, "closed")]


@pytest.mark.parametrize("instances", [1, 4])
def test_instances_when_several_then_the_last_trip_takes_all_of_them(instances):
    written = story(instances=instances)
    written.write("20F 60R", every=10)
    assert lives(written, "tau", "threshold") == [((44, 47 + 150 * (instances > 1)), 5 * instances)]


def test_lives_when_several_phases_have_them_then_are_in_order_of_their_trips():
    written = story()
    written.write("FFFFF 100R F 10R", every=10)
    written.phase(8, "burst-good")
    written.write("FFFFF R")
    taus = [life.tau.lo for life in written.known().outages]
    assert taus == sorted(taus)
    assert len(taus) == 3


def windowed(**declared):
    """Above half of 10 s, at least 5 calls; 200 good ones of the baseline lie in the 2 s before."""
    share = {"threshold": None, "share": 0.5, "kind": "time-window", "window": 10_000, "minimum": 5}
    return story(**{**share, "opens": "above", "denominator": "settled", **declared})


def test_window_when_it_may_hold_good_calls_of_before_then_no_order_need_trip():
    written = windowed()
    written.write("60F", every=10)
    assert lives(written, "tau") == []


def test_window_when_outnumbered_by_failures_then_trips_for_certain():
    written = windowed()
    written.write("240F", every=10)
    ((tau, rejection),) = lives(written, "tau", "first_rejection")
    # At the earliest with two good calls left in it, at the latest when 201 failures outnumber 200 good calls.
    assert (tau, rejection) == ((24, 2007), None)


def test_window_when_a_rejection_shows_the_trip_then_it_lies_behind_the_last_call_let_through():
    written = windowed()
    written.write("60F 60R", every=10)
    assert lives(written, "tau", "explained") == [((594, 601), True)]


def test_window_when_closed_in_between_then_may_hold_what_was_before():
    written = windowed()
    written.write("201F 110R S 20S 60F", every=10)
    assert lives(written, "tau", "ended") == [((2004, 2007), "closed")]


def test_window_when_of_the_second_outage_then_is_empty_after_a_closing():
    written = Story(
        threshold=None,
        share=0.5,
        kind="time-window",
        window=10_000,
        minimum=5,
        opens="above",
        denominator="offered",
    )
    written.phase(17, "second-outage", fault="status")
    written.write("201F 110R S 20S 60F", every=10)
    # 110 rejected calls of the same 10 s would dilute the share; 20 good ones do.
    assert [tau for (tau,) in lives(written, "tau")] == [(2004, 2007), (3524, 3527)]


def test_calls_when_they_bring_it_back_then_belong_to_the_life_before():
    written = story()
    written.write("FFFFF 60R", every=10)
    written.phase(0, "warm-up")
    written.write("40R S 20S", every=10)
    written.phase(8, "burst-good")
    written.write("FFFFF R")
    assert lives(written, "phase", "ended") == [
        ("outage-status", "closed"),
        ("burst-good", "unknown"),
    ]
    assert written.known().unexplained == []


def test_rejections_when_a_bulkhead_may_have_made_them_in_the_open_state_then_it_is_open():
    written = story(bulkhead=1)
    written.call("F", at=0, lasts=1900)
    written.write("FFFFF 110R S 20S", every=10)
    assert lives(written, "first_rejection", "ended") == [("r00207", "closed")]


def test_life_when_it_opens_later_than_any_order_explains_then_has_no_trials_before_its_rejections():
    written = story()
    written.write("240F 100R S", every=10)
    assert lives(written, "tau", "open", "trials", "ended") == [
        ((44, 47), None, ["r00541"], "closed")
    ]


def test_life_when_nobody_called_in_the_open_state_then_its_trial_may_come_before_a_rejection():
    written = story()
    written.write("FFFFF", every=10)
    written.silence(1200)
    written.burst(20, spread=2, outcomes="S19R", lasts={"S": 200})
    assert lives(written, "trials", "ended") == [(["r00206"], "closed")]


def test_life_when_nobody_called_before_its_trial_then_closes_with_it_all_the_same():
    written = story()
    written.write("FFFFF", every=10)
    written.silence(1200)
    written.write("20S", every=10)
    assert lives(written, "first_rejection", "open", "trials", "ended") == [
        (None, (47, 1042), ["r00206"], "closed")
    ]


def test_window_when_a_phase_between_was_skipped_then_still_holds_its_calls():
    """Good calls on the way to a phase that was not reached dilute the next one's share."""
    written = Story(kind="time-window", share=0.3, window=2000, minimum=5)
    written.phase(8, "burst-good", reached=False, why="it did not open")
    written.phase(0, "before-burst-bad")
    written.write("20S", every=10)
    written.phase(9, "burst-bad", fault="status")
    written.write("9F R", gap=5)
    (life,) = written.known().outages
    assert life.explained
    assert life.first_rejection is not None
    # Nine of 29; five would be enough without the good ones, and the others a leak.
    assert life.tau.hi == life.first_rejection.call.ended
