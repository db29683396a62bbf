"""Which calls are stragglers of a life, and in which part each is looked at."""

from harness.judge.breaker.late_settlers import looked_at
from tests.support.breaker_histories import Story

ALL = ("i", "ii", "iii", "iv")


def parts_of(letter, lasts, *, after="10R", at=100):
    story = Story()
    story.phase(16, "stragglers", fault="status")
    story.call(letter, at=0, lasts=lasts)
    story.silence(5)
    story.write("5FR", gap=1)
    story.silence(at)
    story.write(after, every=100)
    known = story.known()
    (view,) = known.phases_of(16)
    return [looked.part for life in known.outages for looked in looked_at(known, view, life, ALL)]


def test_straggler_when_it_succeeds_while_open_then_is_part_i():
    assert parts_of("S", 500) == ["i"]


def test_straggler_when_it_fails_while_open_then_is_part_ii():
    assert parts_of("F", 500) == ["ii"]


def test_straggler_when_it_succeeds_while_a_trial_hangs_then_is_part_iii():
    assert parts_of("S", 1400, after="H 10R", at=1200) == ["iii"]


def test_straggler_when_it_fails_after_closing_then_is_part_iv():
    assert parts_of("F", 1400, after="S 2R", at=1100) == ["iv"]


def test_call_when_it_settles_before_the_trip_then_is_no_straggler():
    assert parts_of("S", 7) == []


def test_call_when_it_was_hung_for_good_then_is_no_straggler():
    assert parts_of("H", None) == []


def test_parts_when_not_asked_for_then_are_not_looked_at():
    story = Story()
    story.phase(16, "stragglers", fault="status")
    story.call("S", at=0, lasts=500)
    story.silence(5)
    story.write("5FR 10R", gap=50)
    known = story.known()
    (view,) = known.phases_of(16)
    assert looked_at(known, view, known.outages[0], ("ii", "iii")) == []
