"""A fault's life: what announces it undoes it, and whose it is can be told."""

from typing import get_args

from harness.model.events import AnyEvent
from harness.model.fault_events import (
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultSeen,
    FaultUndone,
)
from harness.model.plan import FaultStep

AFTER = (FaultApplied, FaultSeen, FaultUndone, FaultNotUndone)


def test_event_when_of_a_fault_then_is_in_the_journals_union():
    assert {FaultIntended, *AFTER} <= set(get_args(AnyEvent))


def test_event_when_of_a_fault_then_names_it_and_its_round():
    """Whoever cleans up after a crash matches what was undone to what was intended by these two."""
    for kind in (FaultIntended, *AFTER):
        assert {"fault", "round"} <= set(kind.__struct_fields__), kind


def test_intention_when_on_disk_then_holds_all_that_undoes_it():
    required = set(FaultIntended.__struct_fields__) - {"n", "t", "at", "words", "phase", "outage"}
    assert required == {"fault", "kind", "on", "round", "params", "undo"}


def test_intention_when_of_a_round_then_belongs_to_no_phase():
    intended = FaultIntended(
        fault="latency@db", kind="latency", on="db", round=1, params={}, undo={}
    )
    assert (intended.phase, intended.outage) == ("", "")


def test_step_when_of_a_script_then_has_what_its_event_must_say():
    assert {"phase", "outage"} <= set(FaultStep.__struct_fields__)


def test_moments_when_a_fault_begins_or_ends_then_are_an_interval():
    """It lies somewhere between the call and its answer; a single instant would be a guess."""
    for kind in (FaultApplied, FaultUndone):
        assert {"asked", "confirmed"} <= set(kind.__struct_fields__)
