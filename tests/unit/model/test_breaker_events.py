"""The events of a script: each belongs to a phase, and the journal has them all."""

from typing import get_args

import pytest

from harness.model import breaker_events
from harness.model.breaker_events import HopRead, LoopLagged, PhaseEntered, PhaseLeft
from harness.model.breaker_history import Phase
from harness.model.events import AnyEvent, Event
from harness.model.units import Duration

OF_A_SCRIPT = [
    value
    for value in vars(breaker_events).values()
    if isinstance(value, type) and issubclass(value, Event) and value is not Event
]


@pytest.mark.parametrize("kind", OF_A_SCRIPT, ids=lambda kind: kind.__name__)
def test_event_when_of_a_script_then_is_in_the_journals_union_and_names_its_phase(kind):
    assert kind in get_args(AnyEvent)
    assert "phase" in kind.__struct_fields__


def test_phase_when_entered_then_tells_all_that_a_history_holds_of_its_beginning():
    told = set(PhaseEntered.__struct_fields__) | {"round", "id", "entered"}
    of_its_end = {"left", "reached", "why", "lag", "capped"}
    assert set(Phase.__struct_fields__) - told == of_its_end


def test_phase_when_left_without_a_word_then_was_reached():
    assert (PhaseLeft(phase="outage").reached, PhaseLeft(phase="outage").why) == (True, "")


def test_given_when_not_told_then_is_a_map_of_ones_own():
    one, other = PhaseLeft(phase="a"), PhaseLeft(phase="b")
    one.given["trial"] = "r1"
    assert other.given == {}


def test_log_when_read_whole_then_nothing_was_dropped():
    fields = dict(
        zip(
            reversed(HopRead.__struct_fields__), reversed(HopRead.__struct_defaults__), strict=False
        )
    )
    assert (fields["dropped"], fields["unreadable"], fields["open"]) == (0, 0, 0)


def test_lag_when_told_then_says_whose_it_was():
    lag = LoopLagged(phase="outage", worst=Duration.of_ms(3), where="hop")
    assert (lag.where, lag.worst.in_ms) == ("hop", 3)
