"""Sequential patterns: just below the threshold, and what must count as nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.experiment.breaker_patterns import below, departures, ignored
from harness.model.breaker import Window
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared
from tests.unit.experiment.test_breaker_phases import PLAN, scope

TEN_SECONDS = Window(time=Duration.of_s(10))


def letters(phase):
    return "".join(phase.given["pattern"])


def test_below_when_a_count_is_declared_then_one_failure_is_missing_each_time():
    (phase,) = below(scope())
    assert letters(phase) == "FFFFS" * 6 and phase.calls == 30
    (one,) = below(scope(replace(PLAN, threshold=1)))
    assert letters(one) == "S" * 6


def test_below_when_the_count_was_found_then_half_of_it_is_below_for_certain():
    (phase,) = below(scope(declared(open=1), learnt=Learnt(threshold=5)))
    assert letters(phase) == "FFS" * 6


@given(st.integers(11, 100), st.integers(5, 500))
def test_below_when_a_share_is_declared_then_no_beginning_reaches_it(percent, calls):
    plan = declared(
        open=1, share=percent / 100, kind="count-window", window=Window(calls=calls), minimum=1
    )
    phase = next(below(scope(plan)))
    said = letters(phase)
    failed = 0
    for number, letter in enumerate(said, 1):
        failed += letter == "F"
        assert failed / number < percent / 100
    assert len(said) >= 2 * calls


def test_below_when_the_share_is_small_then_there_is_nothing_below_it():
    plan = declared(open=1, share=0.1, kind="count-window", window=Window(calls=100))
    assert list(below(scope(plan))) == []


def test_below_when_the_window_is_one_of_time_then_it_must_forget():
    plan = declared(open=1, threshold=5, kind="time-window", window=TEN_SECONDS)
    (phase,) = below(scope(plan))
    assert letters(phase) == "FFFFS" * 6 + "FFFFF"
    assert phase.given["parts"] == ["a", "c+d"] and phase.given["part_from"] == {"a": 0, "c+d": 30}
    assert phase.given["pauses"] == {"30": 11_000_000_000, "34": 11_000_000_000}
    assert phase.lasts > Duration.of_s(22)


@pytest.mark.parametrize(
    ("minimum", "failures"), [(10, 10), (2, 2), (1, 0)], ids=["ten", "two", "one"]
)
def test_below_when_a_share_needs_calls_then_too_few_are_forgotten_too(minimum, failures):
    plan = declared(open=1, share=0.5, kind="time-window", window=TEN_SECONDS, minimum=minimum)
    (phase,) = below(scope(plan))
    begins = phase.given["part_from"].get("c+d", phase.calls)
    assert letters(phase)[begins:] == "F" * failures


def test_below_when_a_share_is_of_a_time_then_it_is_held_for_two_of_them():
    plan = declared(open=1, share=0.5, kind="time-window", window=TEN_SECONDS)
    (phase,) = below(scope(plan))
    # There are 10 ms between two calls, whatever they take.
    assert phase.calls * 0.010 >= 2 * 10


def test_below_when_the_window_is_endless_then_the_pattern_is_not():
    year = Window(time=Duration.of_s(366 * 24 * 3600))
    plan = declared(open=1, share=0.5, kind="time-window", window=year)
    assert next(below(scope(plan))).calls == 20_000


def test_departures_when_made_then_one_failure_is_missing_when_a_caller_leaves():
    (phase,) = departures(scope())
    assert letters(phase).startswith("FFFFLFFFFF")
    assert phase.given["leaves"] == Duration.of_ms(200).ns
    assert phase.until.startswith("the first rejection")


def test_ignored_when_made_then_many_come_first_and_then_one_between_failures():
    (phase,) = ignored(scope())
    begins = phase.given["part_from"]["b"]
    assert letters(phase)[:begins] == "I" * 25 + "SSS"
    assert letters(phase)[begins:].startswith("FFFFIF")
    assert phase.given["ignored_status"] == 404
    (other,) = ignored(scope(replace(PLAN, ignored="status == 409")))
    assert other.given["ignored_status"] == 409
