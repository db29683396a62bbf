import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-06")


def cycle(story, rejected, *, every=10, heal=True):
    """A trip, ``rejected`` calls, the first trial, and the recovery after it."""
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(15)
    story.write(f"{rejected}R", every=every)
    trial, *_ = story.write("F", every=every)
    if heal:
        story.silence(1100)
        story.phase(6, "heal")
        story.write("30S", every=10)
        story.silence(20)
    return trial


def reopening(*stretches, **declared):
    """One outage: after each stretch of rejections one trial, that fails."""
    story = Story(**declared)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    trials = []
    for rejected in stretches:
        story.write(f"{rejected}R", every=10)
        trials += story.write("F", every=10)
    return story, trials


def test_open_when_three_cycles_last_as_declared_then_is_held():
    story = Story()
    for _ in range(3):
        cycle(story, 99)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.rounds == 3
    assert finding.tolerance.value == 0.002
    assert "60 calls were sent in the last fifth" in finding.power


def test_open_when_only_two_cycles_were_seen_then_is_inconclusive():
    story = Story()
    for _ in range(2):
        cycle(story, 99)
    assert judged(story).missing == (
        "2 of 3 cycles with 10 calls or more in the last fifth of their open time",
    )


def test_open_when_few_calls_came_at_its_end_then_the_cycle_does_not_count():
    story = Story()
    for _ in range(2):
        cycle(story, 99)
    cycle(story, 33, every=30)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert [sample["calls_in_last_fifth"] for sample in finding.samples] == [20, 20, 6]


def test_open_when_a_reopening_is_too_short_then_names_the_cycle():
    story, trials = reopening(99, 20)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert finding.summary.startswith(
        "cycle 2: first arrival 0.21 s after reopening, declared 1.00 s"
    )
    assert finding.counterexample.rows[0]["rid"] == trials[1]


@pytest.mark.parametrize(("second", "verdict"), [(99, "violated"), (200, "inconclusive")])
def test_open_when_it_backs_off_then_each_cycle_is_longer_by_the_factor(second, verdict):
    story, _ = reopening(99, second, factor=2)
    assert judged(story).verdict == verdict


def test_open_when_it_has_jitter_then_it_may_be_shorter_by_that_much():
    story, _ = reopening(91, jitter=0.1)
    assert judged(story).verdict == "inconclusive"
    story, _ = reopening(85, jitter=0.1)
    assert judged(story).verdict == "violated"


def test_open_when_the_harness_was_late_then_nothing_is_said_of_time():
    story = Story()
    story.phase(5, "outage", fault="status", lag=200)
    story.write("FFFFF")
    story.silence(10)
    story.write("20R", every=10)
    story.write("F", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in one for one in finding.missing)


def test_open_when_its_length_is_not_declared_then_is_judged_against_the_shortest_gap():
    """The first gap is what it must keep to; each may differ by the load's resolution."""
    story = Story(open=None)
    for rejected in (99, 99, 98):
        cycle(story, rejected)
    finding = judged(story)
    assert finding.verdict == "held"
    assert "open not declared: judged against the shortest gap, 0.98 s" in finding.notes[0]
    assert [part["name"] for part in finding.tolerance.parts] == ["slack", "resolution"]


def test_open_when_its_length_is_neither_declared_nor_found_then_is_inconclusive():
    story = Story(open=None)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("50R", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "how long it stays open is not known" in finding.missing[0]


def test_open_when_a_leak_changed_nothing_then_it_is_no_early_trial():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("30R", every=10)
    leak, *_ = story.write("S", every=10)
    story.write("68R", every=10)
    story.write("F", every=10)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.notes == (
        f"{leak} reached the downstream in the open state and changed nothing: a leak (BRK-04)",
    )


def test_open_when_the_hops_log_has_a_gap_then_is_inconclusive():
    story = Story()
    for _ in range(3):
        cycle(story, 99)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(15)
    story.write("99R", every=10)
    story.gap(500, 501)
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert "the hop's log has a gap in the open state of outage-status#4" in finding.missing


def test_open_when_it_never_opened_then_is_not_applicable():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("60F", every=10)
    assert judged(story).verdict == "not-applicable"


def test_open_when_other_instances_are_still_closed_then_their_calls_are_no_early_trials():
    """Four of them: the first rejects while the others take their failures."""

    def early(instances):
        story = Story(instances=instances)
        story.phase(5, "outage", fault="status")
        story.write("FFFFF")
        story.silence(10)
        story.write("RF" * 15, every=10)
        story.write("100R", every=10)
        return judged(story).verdict

    assert early(1) == "violated"
    assert early(4) == "inconclusive"
