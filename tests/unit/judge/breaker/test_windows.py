"""How a burst is found in its phase, and what makes it count."""

from harness.judge.breaker.finding import Draft, Subject
from harness.judge.breaker.windows import note_needs, windows
from tests.support.breaker_histories import MS, Story
from tests.support.breaker_scenes import bursts, tripped

SUBJECT = Subject(id="BRK-99", name="a name", severity="minor", condition="so", phases=(8,))


def windows_of(story, **more):
    return windows(story.known(), 8, 9, **more)


def test_burst_when_calls_come_before_and_after_then_has_its_callers_alone():
    story = Story()
    tripped(story, 9, "burst-bad", latency=400)
    rids = story.burst(100, outcomes="F99R", lasts={"F": 400})
    story.silence(500)
    story.write("60R", every=10)
    (window,) = windows_of(story)
    assert [joined.call.rid for joined in window.callers] == rids
    assert window.unfit == ""
    assert window.certain
    assert window.spread == 10 * MS


def test_burst_when_the_open_time_is_unknown_then_is_where_the_calls_are_densest():
    story = Story(open=None)
    tripped(story, 8, "burst-good", latency=400)
    rids = story.burst(100, outcomes="S99R", lasts={"S": 400})
    story.silence(1000)
    (window,) = windows_of(story)
    assert [joined.call.rid for joined in window.callers] == rids
    assert "it is not known how long the breaker stays open" in window.unfit


def test_burst_when_no_spread_was_measured_then_is_read_off_the_sendings():
    story = Story()
    bursts(story, "S99R", windows=1, spread=20, given=False)
    (window,) = windows_of(story)
    assert abs(window.spread - 20 * MS) < MS


def test_burst_when_the_measured_spread_is_wider_than_the_sendings_then_it_counts():
    story = Story()
    tripped(story, 8, "burst-good", latency=400, given={"spread": 150 * MS})
    story.burst(100, outcomes="S99R", lasts={"S": 400})
    story.silence(1600)
    (window,) = windows_of(story)
    assert window.spread == 150 * MS
    assert "spread / trial latency is 0.38" in window.unfit


def test_burst_when_the_trial_never_ended_then_everything_lay_within_it():
    story = Story()
    tripped(story, 8, "burst-good", latency=400)
    story.burst(100, outcomes="2H98R", spread=300)
    story.silence(2000)
    (window,) = windows_of(story)
    assert len(window.early) == 2
    assert window.first is None and window.latency is None
    assert window.overlap == 0


def test_burst_when_there_was_none_then_does_not_count():
    story = Story()
    tripped(story, 8, "burst-good")
    (window,) = windows_of(story)
    assert window.unfit == "no burst is on record"
    assert window.sample()["first_sent"] is None


def test_burst_when_nobody_was_let_through_then_does_not_count():
    story = Story()
    bursts(story, "100R", windows=1)
    (window,) = windows_of(story)
    assert window.unfit == "no caller was let through"


def test_needs_when_few_windows_count_then_the_worst_of_all_is_told():
    story = Story()
    bursts(story, "S99R", windows=3)
    bursts(story, "S99R", windows=2, spread=200)
    draft = Draft(subject=SUBJECT)
    assert note_needs(draft, windows_of(story)) == 3
    assert any("spread / trial latency" in lack for lack in draft.missing)
    assert "3 of 5 windows" in draft.missing
