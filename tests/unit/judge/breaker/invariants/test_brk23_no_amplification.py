import pytest

from tests.support.breaker_histories import Story


def judged(story):
    return story.judge("BRK-23")


def tries(story, count, *, gap=60, letter="F", **each):
    """One call with so many attempts, ``gap`` apart."""
    at = story.at
    attempts = [{"at": at + 1 + gap * n, "ended": at + 4 + gap * n, **each} for n in range(count)]
    rid = story.call(letter, at=at, lasts=gap * (count - 1) + 6, arrivals=attempts)
    story.silence(gap * (count - 1) + 10)
    return rid


def failing(**declared):
    story = Story(threshold=60, **declared)
    story.phase(5, "outage", fault="status")
    return story


def test_retries_when_there_are_none_then_hold():
    story = failing(attempts=1)
    story.write("59F")
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.value == 1.0
    assert finding.limit.source.startswith("declared")


def test_retries_when_more_than_declared_then_name_the_call_and_its_arrivals():
    story = failing(attempts=2)
    story.write("55F")
    rid = tries(story, 3)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert f"{rid} arrived at +0, +60, +120 ms" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == rid


def test_retries_when_undeclared_then_are_judged_on_average():
    story = failing()
    story.write("50F")
    tries(story, 8)
    assert judged(story).verdict == "held"
    story = failing()
    for _ in range(50):
        tries(story, 4)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "undeclared: at most 3.0" in finding.summary


def test_retries_when_fewer_than_50_calls_failed_then_hold_nothing():
    story = failing(attempts=1)
    story.write("49F")
    finding = judged(story)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("49 of 50 failing calls forwarded before opening",)


def test_retries_when_200_calls_met_a_partial_fault_then_hold():
    story = Story(attempts=1)
    story.phase(18, "partial", fault="status")
    story.write("FSSS" * 50, every=10)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.needs[0].what == "calls under a partial fault"


def test_retries_when_only_the_client_library_repeats_then_are_told_apart():
    """Every request reset: two arrivals a call, 3 ms apart."""
    story = failing(attempts=1)
    for _ in range(55):
        tries(story, 2, gap=6, letter="X", end="cut", began=False)
    finding = judged(story)
    assert finding.verdict == "held"
    assert finding.observed.value == 1.0
    assert any("2.00 arrivals per failing call" in note for note in finding.notes)


def test_retries_when_a_repeat_came_a_little_late_then_it_may_be_ours_to_be_late():
    story = Story(threshold=60, attempts=1)
    story.phase(5, "outage", fault="reset", lag=30)
    story.write("50F")
    tries(story, 2, gap=60, letter="X", end="cut", began=False)
    assert judged(story).verdict != "violated"
    tries(story, 2, gap=120, letter="X", end="cut", began=False)
    assert judged(story).verdict == "violated"


def test_retries_when_decided_on_while_open_then_are_violated():
    """Five fail, the first of them is tried again 500 ms into the open state."""
    story = Story(attempts=2)
    story.phase(5, "outage", fault="status")
    first = story.call(
        "F", at=0, lasts=506,
        arrivals=[{"at": 1, "ended": 300}, {"at": 500, "ended": 504}],
    )  # fmt: skip
    story.write("FFFFF", gap=5)
    story.write("R", gap=1)
    story.write("90R", every=10)
    finding = judged(story)
    assert finding.verdict == "violated"
    assert "while the circuit was open" in finding.summary
    assert finding.counterexample.rows[0]["rid"] == first


def test_retries_when_they_began_before_the_trip_then_are_no_leak():
    story = Story(attempts=2)
    story.phase(5, "outage", fault="status")
    story.call(
        "F", at=0, lasts=506,
        arrivals=[{"at": 1, "ended": 10}, {"at": 500, "ended": 504}],
    )  # fmt: skip
    story.write("FFFFF", gap=5)
    story.write("R", gap=1)
    story.write("90R", every=10)
    assert judged(story).verdict != "violated"


@pytest.mark.parametrize(("budget", "verdict"), [(1.0, "held"), (0.1, "violated")])
def test_retries_when_over_their_budget_then_are_violated(budget, verdict):
    story = Story(threshold=60, attempts=2, budget=budget, open=500)
    story.phase(5, "outage", fault="status")
    for _ in range(60):
        tries(story, 2)
    story.write("40R", every=10)
    for _ in range(40):
        story.silence(700)
        tries(story, 2)
    assert judged(story).verdict == verdict


def test_load_when_too_low_then_is_missing():
    story = Story(threshold=60, attempts=1)
    story.phase(5, "outage", fault="status", planned=2000)
    story.write("59F", every=10)
    assert judged(story).verdict == "inconclusive"


def test_phases_when_nothing_failed_in_any_then_is_not_applicable():
    story = Story()
    story.phase(8, "burst-good")
    story.burst(100, outcomes={"S": 1, "R": 99})
    finding = judged(story)
    assert finding.verdict == "not-applicable"
    assert "was not run" in finding.summary or "were not run" in finding.summary


@pytest.mark.parametrize(("each", "verdict"), [(5, "violated"), (3, "inconclusive")])
def test_retries_when_ids_do_not_join_then_arrivals_are_counted_against_calls(each, verdict):
    story = Story(baseline=0)
    story.phase(1, "baseline")
    for index in range(200):
        story.stray(at=index * 10)
    story.write("200S", every=10, arrives=None)
    story.phase(5, "outage", fault="status")
    for index in range(60 * each):
        story.stray(at=index * 2, status=500)
    story.write("60F", every=10, arrives=None)
    finding = judged(story)
    assert finding.verdict == verdict
    assert any("counted without ids" in note for note in finding.notes)
    if verdict == "violated":
        assert "300 arrivals for 60 calls sent in outage-status" in finding.summary
