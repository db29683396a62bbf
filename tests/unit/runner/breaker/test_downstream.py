"""What the downstream is made to suffer, as steps: which toxic, on which requests, and for any proxy."""

from typing import get_args

import pytest

from harness.faults.known import extensions_needed, words
from harness.model.breaker_script import FaultKind
from harness.model.units import Duration
from harness.runner.breaker.downstream import (
    answered_steps,
    failing_steps,
    for_all,
    hanging_steps,
    late_steps,
    phase_steps,
)
from tests.support.breaker_stage import a_plan

ms = Duration.of_ms
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
# One request is told from another by what only a proxy of ours knows.
NO_PLAIN = {"status", "trickle"}


@pytest.mark.parametrize("kind", KINDS)
def test_steps_when_a_phase_has_a_fault_then_each_reads_a_request_before_it_acts(kind: FaultKind):
    (step,) = phase_steps("bank", a_plan("outage", fault=kind, latency=ms(0)))
    assert (step.on, step.phase, step.outage) == ("bank", f"outage-{kind}", kind)
    assert words(step)
    if kind not in ("refuse", "status"):
        assert (step.per, step.codec) == ("request", "http")


def test_steps_when_there_is_no_fault_then_there_are_none():
    assert phase_steps("bank", a_plan("baseline")) == ()


def test_steps_when_a_failing_answer_is_late_then_the_latency_stands_behind_the_status():
    steps = phase_steps("bank", a_plan("outage", fault="status", status=502, latency=ms(200)))
    assert [step.outage for step in steps] == ["status", "latency"]
    assert steps[0].params["status"] == 502
    assert Duration.parse(steps[1].params["latency"]) == ms(200)
    assert len({step.id for step in steps}) == 2


def test_steps_when_they_are_for_the_first_request_then_all_of_them_are():
    plan = a_plan("outage", fault="status", latency=ms(200))
    assert [step.first for step in phase_steps("bank", plan, first=1)] == [1, 1]
    assert [step.first for step in hanging_steps("bank", plan, "x", first=1)] == [1]


def test_failing_when_no_status_counts_as_a_failure_then_it_is_a_reset():
    assert failing_steps("bank", a_plan("burst-good"), "trip")[0].outage == "status"
    plan = a_plan("burst-good", given={"trip": "reset"})
    assert failing_steps("bank", plan, "trip")[0].outage == "reset"


def test_answered_when_a_status_is_given_then_it_is_that_one():
    (step,) = answered_steps("bank", a_plan("ignored"), "I1", 404)
    assert (step.kind, step.params) == ("http_status", {"status": 404})


def test_late_when_it_fails_as_well_then_one_request_meets_both():
    plan = a_plan("stragglers")
    well = late_steps("bank", plan, "s", ms(500), fails=False)
    badly = late_steps("bank", plan, "s", ms(500), fails=True)
    assert [step.outage for step in well] == ["latency"]
    assert [step.outage for step in badly] == ["status", "latency"]
    assert {step.first for step in (*well, *badly)} == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_for_all_when_every_request_suffers_alike_then_any_toxiproxy_can(kind: FaultKind):
    steps = phase_steps("bank", a_plan("outage", fault=kind, latency=ms(800)))
    plain = for_all(steps)
    if kind in NO_PLAIN:
        assert plain is None
        return
    assert plain is not None
    assert extensions_needed(plain) == ()
    assert (plain.per, plain.codec, plain.first) == (None, None, None)
    assert (plain.id, plain.outage, plain.phase) == (steps[0].id, kind, f"outage-{kind}")
    assert words(plain)


def test_for_all_when_one_request_is_told_from_another_then_no_other_proxy_can():
    plan = a_plan("hung-trial", fault="blackhole")
    assert for_all(phase_steps("bank", plan, first=1)) is None
    assert for_all(late_steps("bank", plan, "s", ms(5), fails=False)) is None


def test_for_all_when_two_must_act_in_order_then_they_stay_together():
    plan = a_plan("outage", fault="status", latency=ms(200))
    late = phase_steps("bank", a_plan("slow", fault="latency", latency=ms(200)))
    assert for_all(phase_steps("bank", plan)) is None
    assert for_all((*late, *late)) is None
