"""A script is phases as data: ids that tell them apart, and a length that is their sum."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker_script import FaultKind, PhaseName, Script, ScriptPhase
from harness.model.units import Duration


def a_phase(name="outage", *, number=5, lasts=1, **more):
    return ScriptPhase(
        number=number, name=name, title="", load="open", lasts=Duration.of_s(lasts), **more
    )


@pytest.mark.parametrize(
    ("phase", "id"),
    [
        (a_phase("baseline"), "baseline"),
        (a_phase("outage", fault="status"), "outage-status"),
        (a_phase("outage"), "outage"),
        (a_phase("slow", fault="latency"), "slow"),
        (a_phase("burst-good", repetition=2, of=5), "burst-good#2"),
        (a_phase("burst-good", repetition=1, of=1), "burst-good"),
        (a_phase("outage", fault="reset", repetition=3, of=3), "outage-reset#3"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_phase_when_named_then_its_fault_and_repetition_tell_it_from_the_others(phase, id):
    assert phase.id == id


def test_phases_when_all_there_can_be_then_no_two_have_one_id():
    phases = [
        a_phase(name, fault=fault, repetition=repetition, of=3)
        for name, fault, repetition in product(get_args(PhaseName), get_args(FaultKind), (1, 2, 3))
        if name == "outage" or fault == "status"
    ]
    assert len({phase.id for phase in phases}) == len(phases)


def test_names_when_counted_then_are_those_of_the_numbers_from_0_to_19():
    assert len(get_args(PhaseName)) == 20
    assert get_args(PhaseName)[0] == "warm-up" and get_args(PhaseName)[19] == "memory"


@given(st.lists(st.integers(0, 10**6), max_size=30))
def test_script_when_its_phases_last_so_long_then_lasts_their_sum(seconds):
    script = Script(
        name="quick",
        phases=tuple(a_phase(lasts=each) for each in seconds),
        rate=37,
        open=Duration.of_s(1),
        call_timeout=None,
        threshold=5,
    )
    assert script.lasts == Duration.of_s(sum(seconds))
