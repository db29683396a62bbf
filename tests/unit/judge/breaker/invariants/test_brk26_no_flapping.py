from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-26")


def outage(story, *texts):
    """A total outage: 5 failures, then each text at λ."""
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    for text in texts:
        story.write(text, every=10)


def held_open(story, cycles=3):
    outage(story, *["99R F"] * cycles, "50R")


def recovered(story, text):
    held_open(story)
    story.phase(6, "heal")
    story.write("60R", every=10)
    story.write(text, every=10)
    return story


def test_flapping_when_it_stays_open_and_then_closed_then_is_held():
    finding = judged(recovered(Story(script="full"), "330S"))
    assert finding.verdict == "held"
    assert "1 trips, 1 closings; none that nothing explains" in finding.summary
    assert "partial fault: not exercised (phase 18 was not run)" in finding.notes


def test_flapping_when_it_trips_under_healthy_load_then_is_violated():
    finding = judged(recovered(Story(), "100S 30R 100S"))
    assert finding.verdict == "violated"
    assert "tripped again 0.81 s after recovery, under healthy load: 30 of" in finding.summary
    assert finding.observed.value == 1


def test_flapping_when_failures_without_a_fault_trip_it_then_they_are_counted_and_shown():
    """A downstream that a stampede overloads: it fails although no fault is on."""
    finding = judged(recovered(Story(errors_when_healthy=0.5), "60S 5F 60R"))
    assert finding.verdict == "violated"
    assert "5 calls had failed before" in finding.summary
    assert {row["class"] for row in finding.counterexample.rows} == {
        "short-circuited",
        "forwarded-failed",
    }


def test_flapping_when_the_healthy_tail_is_short_then_only_the_full_script_lacks_it():
    full = judged(recovered(Story(script="full"), "200S"))
    assert full.verdict == "inconclusive"
    assert "of 3 seconds of healthy load" in full.missing[0]
    quick = judged(recovered(Story(script="quick"), "200S"))
    assert quick.verdict == "held"
    assert (
        "healthy load: not exercised (the quick script does not watch it for long)" in quick.notes
    )


def test_flapping_when_the_total_outage_is_short_then_is_inconclusive():
    story = Story()
    outage(story, "99R F", "99R")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("1.99 of 3 seconds of total outage",)


def test_flapping_when_it_closes_in_a_total_outage_then_is_violated():
    """After the open time it is closed, not half-open: it takes five more failures each time."""
    story = Story()
    outage(story, "99R", "FFFFF", "99R", "FFFFF", "99R")
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "into a total outage without a successful trial: 5 failing calls were forwarded" in (
        finding.summary
    )


def test_flapping_when_trials_of_several_permits_fail_then_that_is_no_closing():
    story = Story(permits=5)
    outage(story, "99R", "FFFFF", "99R", "FFFFF", "110R")
    assert judged(story).verdict == "held"


def test_flapping_when_one_call_follows_a_failed_trial_then_that_is_no_closing_yet():
    """That it was let through is for BRK-09 to say."""
    story = Story(threshold=2)
    outage(story, "99R", "FF", "99R", "FF", "110R")
    assert judged(story).verdict != "violated"


def test_flapping_when_it_ejects_then_full_traffic_returns_and_that_is_not_judged():
    story = Story(kind="eject")
    outage(story, "99R", "FFFFF", "99R", "FFFFF", "99R")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "none of its three parts was exercised" in finding.missing


def partial(text):
    story = Story()
    story.phase(18, "partial", fault="status")
    story.write(text, every=10)
    return judged(story)


def test_flapping_when_a_partial_fault_trips_it_more_often_than_the_replay_then_is_violated():
    finding = partial("SFSSF 20R" + "S" * 60)
    assert finding.verdict == "violated"
    assert "under a constant partial fault 1 trips" in finding.summary
    assert "the replay has 0" in finding.summary


def test_flapping_when_a_partial_fault_trips_it_as_the_replay_does_then_is_held():
    finding = partial("SFSSF FFFFF 99R 250S")
    assert finding.verdict == "held"


def test_flapping_when_a_partial_fault_is_short_then_is_inconclusive():
    finding = partial("SFSSF FFFFF 99R 60S")
    assert finding.verdict == "inconclusive"
    assert "of 3 seconds of partial fault" in finding.missing[0]


def test_flapping_when_the_open_time_is_not_known_then_is_inconclusive():
    story = Story(open=None)
    outage(story, "500R")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "how long it stays open is not known" in finding.missing[0]


def test_flapping_when_it_never_opened_then_is_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("60F", every=10)
    assert judged(story).verdict == "not-applicable"


def test_flapping_when_no_phase_for_it_was_run_then_is_not_applicable():
    story = Story()
    story.baseline()
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "phases 5 (outage), 6 (heal) and 18 (partial) were not run" in finding.notes
