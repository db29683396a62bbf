"""BRK-22 beyond the contract's cases."""

import pytest

from tests.support.breaker_histories import Story
from tests.support.breaker_scenes import tripped

L0 = 200


def transparent(
    outcomes="20S", *, story=None, bursts=3, callers=20, after="5S", scripted=True, spread=5, **more
):
    """Bursts on a downstream that takes 200, and five calls after them."""
    story = story or Story()
    given = {"bursts": [callers] * bursts} if scripted else {}
    story.phase(2, "transparent", latency=L0, given=given, **more)
    for _ in range(bursts):
        story.burst(callers, spread=spread, outcomes=outcomes, lasts={"S": L0}, given=False)
        story.silence(L0 + 10)
    story.write(after, gap=10)
    return story


def judged(*args, **more):
    return transparent(*args, **more).judge("BRK-22")


def test_callers_when_the_phase_was_not_run_then_not_applicable():
    story = Story()
    tripped(story, 9, "burst-bad")
    assert "phase 2 (transparent) was not run" in story.judge("BRK-22").notes[0]


@pytest.mark.parametrize("scripted", [True, False])
def test_callers_when_all_are_passed_on_side_by_side_then_holds_without_any_breaker(scripted):
    finding = judged(scripted=scripted)
    assert finding.verdict == "held", finding.summary
    assert "3 bursts of 20 callers: at least 20 in flight at once" in finding.summary


def test_callers_when_two_bursts_then_a_third_is_missing():
    finding = judged(bursts=2)
    assert finding.verdict == "inconclusive"
    assert finding.missing == ("2 of 3 bursts",)


def test_callers_when_they_do_not_overlap_at_the_front_then_says_how_many_did():
    finding = judged(spread=400)
    assert finding.verdict == "inconclusive"
    assert any("of 20 callers overlapping at the front" in lack for lack in finding.missing)


def test_callers_when_a_pool_holds_some_back_then_violates_with_the_peak():
    story = Story()
    story.phase(2, "transparent", latency=L0)
    for _ in range(3):
        start = story.at
        for index in range(20):
            wait = 0 if index < 10 else L0
            story.call("S", at=start + index / 4, arrives=wait + 6, lasts=wait + 6 + L0)
        story.silence(3 * L0)
    finding = story.judge("BRK-22")
    assert finding.verdict == "violated"
    assert "passed on 10 at a time: peak 10 in flight" in finding.summary


def test_callers_when_held_back_in_one_burst_of_three_then_accuses_nobody():
    story = transparent(bursts=2, after="")
    story.phase(2, "transparent", latency=L0)
    start = story.at
    for index in range(20):
        wait = 0 if index < 10 else L0
        story.call("S", at=start + index / 4, arrives=wait + 6, lasts=wait + 6 + L0)
    story.silence(3 * L0)
    finding = story.judge("BRK-22")
    assert finding.verdict == "inconclusive", finding.summary
    assert any(lack.startswith("in 1 of 3 bursts: ") for lack in finding.missing)


def test_callers_when_side_by_side_but_late_then_violates_by_the_wall():
    story = Story()
    story.phase(2, "transparent", latency=L0)
    for _ in range(3):
        start = story.at
        for index in range(20):
            story.call("S", at=start + index / 4, lasts=L0 + 300, ended=start + L0)
        story.silence(3 * L0)
    finding = story.judge("BRK-22")
    assert finding.verdict == "violated"
    assert "took 0.50 s" in finding.summary


def test_callers_when_some_are_short_circuited_while_closed_then_violates():
    finding = judged("5S15R")
    assert finding.verdict == "violated"
    assert "15 of 20 concurrent callers were short-circuited" in finding.summary


@pytest.mark.parametrize(("through", "verdict"), [(12, "inconclusive"), (7, "violated")])
def test_callers_when_a_bulkhead_is_declared_then_only_as_many_must_pass(through, verdict):
    finding = judged(f"{through}S{20 - through}R", story=Story(bulkhead=12))
    assert finding.verdict == verdict, finding.summary
    if verdict == "inconclusive":
        assert "0 of 1 bursts of 4 * bulkhead" in finding.missing


@pytest.mark.parametrize(("after", "verdict"), [("5S", "held"), ("5R", "violated")])
def test_crowd_when_four_times_the_bulkhead_come_then_must_not_open_it(after, verdict):
    story = transparent(story=Story(bulkhead=25), after="S")
    story.phase(2, "transparent", latency=L0)
    story.burst(100, spread=10, outcomes="25S75R", lasts={"S": L0}, given=False)
    story.silence(L0 + 50)
    story.write(after, gap=10)
    finding = story.judge("BRK-22")
    assert finding.verdict == verdict, finding.summary
    if verdict == "violated":
        assert "25 were forwarded" in finding.summary
        assert "5 of the next 5 calls were short-circuited" in finding.summary


def test_crowd_when_the_usual_bursts_are_as_large_then_they_are_both():
    """A bulkhead of 5: the bursts of 20 are four times that."""
    story = transparent("3S15R2S", story=Story(bulkhead=5), bursts=4)
    finding = story.judge("BRK-22")
    assert finding.verdict == "held", finding.summary
    assert (
        transparent("5S15R", story=Story(bulkhead=5), after="5R").judge("BRK-22").verdict
        == "violated"
    )


def test_crowd_when_fewer_than_the_bulkhead_pass_then_only_the_calls_after_count():
    story = transparent(story=Story(bulkhead=25), after="S")
    story.phase(2, "transparent", latency=L0)
    story.burst(100, spread=10, outcomes="20S80R", lasts={"S": L0}, given=False)
    story.silence(L0 + 50)
    story.write("5S", gap=10)
    assert story.judge("BRK-22").verdict == "held", story.judge("BRK-22").summary


def test_crowd_when_four_calls_follow_then_a_fifth_is_missing():
    story = transparent(story=Story(bulkhead=25), after="S")
    story.phase(2, "transparent", latency=L0)
    story.burst(100, spread=10, outcomes="25S75R", lasts={"S": L0}, given=False)
    story.silence(L0 + 50)
    story.write("4S", gap=10)
    assert story.judge("BRK-22").missing == ("4 of 5 calls after that burst",)


def test_callers_when_one_got_no_answer_at_all_then_accuses_nobody():
    finding = judged("19S U")
    assert finding.verdict == "inconclusive", finding.summary
    assert any("a caller got no answer at all" in lack for lack in finding.missing)


def test_callers_when_the_circuit_was_not_closed_for_certain_then_accuses_nobody():
    finding = judged("5S15R", reached=False, why="no 20 good calls in a row")
    assert finding.verdict == "inconclusive"
    assert any("no 20 good calls" in lack for lack in finding.missing)


def test_callers_when_the_log_was_lost_then_accuses_nobody():
    story = Story()
    story.phase(2, "transparent", latency=L0)
    story.gap(0, 300)
    story.burst(20, spread=5, outcomes="20S", lasts={"S": L0}, arrives=None, given=False)
    assert story.judge("BRK-22").verdict == "inconclusive"


def test_callers_when_the_harness_was_late_then_the_wall_is_not_judged():
    story = Story()
    story.phase(2, "transparent", latency=L0, lag=200)
    for _ in range(3):
        start = story.at
        for index in range(20):
            story.call("S", at=start + index / 4, lasts=L0 + 700, ended=start + L0)
        story.silence(5 * L0)
    finding = story.judge("BRK-22")
    assert finding.verdict == "inconclusive"
    assert any("the harness itself was" in lack for lack in finding.missing)


def test_sample_when_a_person_counts_again_then_finds_the_peak():
    finding = judged("20S")
    assert [sample["peak"] for sample in finding.samples] == [20, 20, 20]
    assert all(sample["wall_s"] <= 2 * sample["latency_s"] for sample in finding.samples)


def test_callers_when_slow_answers_had_opened_it_then_their_rejection_shows_nothing():
    """The bursts' own latency is over what it takes for slow: it opens, as declared."""
    story = transparent("20S", story=Story(slow=60), bursts=1, after="")
    story.burst(20, spread=5, outcomes="20R", given=False)
    finding = story.judge("BRK-22")
    assert finding.verdict == "inconclusive"
    assert any("it had opened" in lack for lack in finding.missing)


@pytest.mark.parametrize(("outcomes", "verdict"), [("20R", "inconclusive"), ("5S 15R", "violated")])
def test_callers_when_nothing_is_declared_then_answers_that_may_be_slow_explain_a_rejection(
    outcomes, verdict
):
    """After a burst of 200 each, the next is refused; or all but five of the first, which nothing explains."""
    first = "20S" if verdict == "inconclusive" else outcomes
    story = transparent(first, story=Story(threshold=None), bursts=1, after="")
    story.burst(20, spread=5, outcomes=outcomes, lasts={"S": L0}, given=False)
    story.silence(L0)
    assert story.judge("BRK-22").verdict == verdict
