"""A plan is plain data: it survives the journal, and its steps are told apart."""

import msgspec
from hypothesis import given

from harness.model.plan import BurstPart, BurstStep, FaultStep, Plan
from harness.model.units import Duration, from_builtin, to_builtin
from tests.support.strategies import structs


@given(structs(Plan))
def test_plan_when_written_then_reads_back_as_the_same(plan):
    written = msgspec.json.encode(plan, enc_hook=to_builtin)
    assert msgspec.json.decode(written, type=Plan, dec_hook=from_builtin) == plan


@given(structs(Plan))
def test_plan_when_its_steps_are_sorted_then_each_is_a_fault_or_a_burst(plan):
    assert len(plan.faults) + len(plan.bursts) == len(plan.method)
    assert all(isinstance(step, FaultStep) for step in plan.faults)


def test_burst_when_it_has_parts_then_its_concurrency_is_their_sum():
    parts = tuple(BurstPart(operation=name, concurrency=n) for name, n in (("a", 20), ("b", 30)))
    assert BurstStep(id="burst", parts=parts, hold=Duration.of_ms(100)).concurrency == 50
