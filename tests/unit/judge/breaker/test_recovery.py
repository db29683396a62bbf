from harness.judge.breaker.known import MS, SECOND
from harness.judge.breaker.recovery import (
    IN_A_ROW,
    healed_at,
    recovery,
    recovery_bound,
)
from tests.support.breaker_histories import Story


def healed(text, *, fault="status", **declared):
    story = Story(baseline=100, **declared)
    story.phase(5, "outage", fault=fault)
    story.write("FFFFF")
    story.silence(10)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write(text, every=10)
    return story


def bound_of(story):
    known = story.known()
    view = known.phases_of(6)[-1]
    return recovery_bound(known, view, healed_at(known, view))


def test_bound_when_all_is_declared_then_is_the_sum_of_its_parts():
    bound = bound_of(healed("100R 40S", to_close=3))
    assert [part.name for part in bound.parts] == [
        "open", "call time-out", "closing", "1 / rate", "slack"
    ]  # fmt: skip
    assert bound.value == (1000 + 300 + 30 + 10 + 2) * MS
    assert bound.closing == (30 + 10 + 2) * MS
    assert bound.words.startswith("1.34 s (open 1.00 + call time-out 0.30 + closing 0.03")


def test_bound_when_it_is_declared_itself_then_nothing_else_counts():
    bound = bound_of(healed("100R 40S", recovers_within=700))
    assert bound.value == 700 * MS
    assert [part.name for part in bound.parts] == ["recovers_within"]


def test_bound_when_there_is_jitter_then_the_open_time_may_be_longer():
    assert bound_of(healed("100R 40S", jitter=0.1)).parts[0].value == 1100 * MS


def test_bound_when_the_open_time_was_found_then_it_is_as_coarse_as_the_load():
    story = Story(open=None)
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.silence(10)
    story.write("99R F 20R", every=10)
    story.phase(6, "heal")
    story.write("80R 40S", every=10)
    found = story.known().terms.open.number
    assert found + 10 * MS <= bound_of(story).parts[0].value <= found + 15 * MS


def test_bound_when_no_open_time_is_known_then_300_s_are_allowed():
    assert bound_of(healed("100R", open=None)).parts[0].value == 300 * SECOND


def test_bound_when_a_trial_may_hang_then_what_loses_it_counts():
    story = Story(call_timeout="none", lost_after=5000)
    story.phase(5, "outage", fault="blackhole")
    story.write("FFFFFHH", every=10)
    story.write("20R", every=10)
    story.phase(6, "heal")
    story.write("100R", every=10)
    part = bound_of(story).parts[1]
    assert (part.name, part.value) == ("lost trial", 5 * SECOND)


def test_bound_when_nothing_was_open_then_no_trial_is_waited_for():
    story = Story(call_timeout=None)
    story.phase(5, "outage", fault="status")
    story.write("FFF")
    story.phase(6, "heal")
    story.write("40S", every=10)
    assert bound_of(story).parts[1].value == 0


def test_recovery_when_twenty_calls_are_good_then_ends_with_the_last_of_them():
    story = healed("30R 40S")
    known = story.known()
    found = recovery(known, healed_at(known, known.phases_of(6)[0]))
    assert found.reached
    assert len(found.good) == IN_A_ROW
    assert len(found.calls) == 30 + IN_A_ROW


def test_recovery_when_the_next_fault_comes_first_then_is_not_reached():
    story = healed("30R 10S")
    story.phase(5, "outage", fault="reset")
    story.write("40S", every=10)
    known = story.known()
    found = recovery(known, healed_at(known, known.phases_of(6)[0]))
    assert not found.reached
    assert len(found.good) == 10


def test_healing_when_the_script_says_when_then_its_word_counts():
    story = healed("30R 40S")
    story._phase.given["healed"] = [11, 12]
    known = story.known()
    assert healed_at(known, known.phases_of(6)[0]) == 12


def test_healing_when_no_fault_was_undone_then_there_is_none():
    story = Story()
    story.phase(6, "heal")
    story.write("40S", every=10)
    known = story.known()
    assert healed_at(known, known.phases_of(6)[0]) is None


def test_bound_when_there_are_several_instances_then_each_gets_its_part_of_the_calls():
    parts = {
        part.name: part.value
        for part in bound_of(healed("100R 40S", instances=4, to_close=1)).parts
    }
    assert parts["closing"] == 40 * MS
    assert parts["1 / rate"] == 40 * MS
