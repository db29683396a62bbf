"""Sequential calls told as spells: every letter ends up where it belongs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.breaker.spells import spells
from tests.support.breaker_histories import Story


def spells_of(pattern, *, gap=10):
    story = Story()
    story.phase(13, "departures", fault="status")
    story.write(pattern, gap=gap)
    calls = story.known().phases_of(13)[0].calls
    return list(spells(calls, lambda joined: joined.cls == "left-forwarded"))


def shape(spell):
    return (
        len(spell.before),
        len(spell.odd),
        len(spell.after),
        spell.rejection is not None,
        spell.alone,
    )


def test_spell_when_failures_stand_around_an_odd_call_then_counts_both_sides():
    (spell,) = spells_of("4F L 2F R")
    assert shape(spell) == (4, 1, 2, True, 0)
    assert spell.unclear == ""


def test_spell_when_several_are_odd_then_the_last_divides():
    (spell,) = spells_of("3L 2F L F L 3F R")
    assert shape(spell) == (3, 5, 3, True, 3)


def test_spell_when_a_success_comes_then_a_new_one_begins():
    first, second = spells_of("2F L S 3F L F")
    assert shape(first) == (2, 1, 0, False, 0)
    assert shape(second) == (3, 1, 1, False, 0)


def test_spell_when_nothing_is_odd_then_is_none():
    assert spells_of("4F S 5F R") == []


def test_spell_when_rejected_then_what_follows_is_not_counted_until_a_success():
    (first, second) = spells_of("4F L F 3R F L S 2F L")
    assert shape(first) == (4, 1, 1, True, 0)
    assert shape(second) == (2, 1, 0, False, 0)


def test_spell_when_an_outcome_is_unknown_then_is_unclear():
    (spell,) = spells_of("2F U 2F L F R")
    assert "is not known" in spell.unclear


def test_spell_when_two_overlap_then_is_unclear():
    story = Story()
    story.phase(13, "departures", fault="status")
    story.write("4F", every=2)
    story.silence(20)
    story.write("L F R", gap=10)
    calls = story.known().phases_of(13)[0].calls
    (spell,) = spells(calls, lambda joined: joined.cls == "left-forwarded")
    assert "was sent before" in spell.unclear


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("FFLS"), max_size=30))
def test_spells_when_any_pattern_then_hold_each_odd_call_once(pattern):
    found = spells_of("".join(pattern)) if pattern else []
    assert sum(len(spell.odd) for spell in found) == pattern.count("L")
    assert all(spell.odd and not spell.unclear for spell in found)
