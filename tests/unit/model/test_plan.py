"""A plan is plain data: it survives the journal, and its steps are told apart."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.plan import ArrivalsStep, BurstPart, BurstStep, FaultStep, Plan
from harness.model.units import Duration, from_builtin, to_builtin
from tests.support.strategies import structs


@given(structs(Plan))
def test_plan_when_written_then_reads_back_as_the_same(plan):
    written = msgspec.json.encode(plan, enc_hook=to_builtin)
    assert msgspec.json.decode(written, type=Plan, dec_hook=from_builtin) == plan


@given(structs(Plan))
def test_plan_when_its_steps_are_sorted_then_each_is_of_one_kind_and_in_order(plan):
    sorted_by = {FaultStep: plan.faults, BurstStep: plan.bursts, ArrivalsStep: plan.arrivals}
    for kind, steps in sorted_by.items():
        assert steps == tuple(step for step in plan.method if type(step) is kind)
    assert sum(map(len, sorted_by.values())) == len(plan.method)


def test_burst_when_it_has_parts_then_its_concurrency_is_their_sum():
    parts = tuple(BurstPart(operation=name, concurrency=n) for name, n in (("a", 20), ("b", 30)))
    assert BurstStep(id="burst", parts=parts, hold=Duration.of_ms(100)).concurrency == 50


@pytest.mark.parametrize(
    ("rate", "lasts", "requests"),
    [(100, "3s", 300), (0.5, "3s", 2), (1, "1ms", 1), (33.3, "10s", 333)],
)
def test_arrivals_when_they_last_then_are_as_many_as_the_rate_says_and_at_least_one(
    rate, lasts, requests
):
    step = ArrivalsStep(id="load", operation="read", rate=rate, lasts=Duration.parse(lasts), cap=50)
    assert step.requests == requests


@given(rate=st.floats(0.01, 5000), seconds=st.integers(1, 3600))
def test_arrivals_when_counted_then_differ_from_rate_times_length_by_less_than_one(rate, seconds):
    step = ArrivalsStep(
        id="load", operation="read", rate=rate, lasts=Duration.of_s(seconds), cap=50
    )
    assert abs(step.requests - max(1, rate * seconds)) < 1


def test_steps_when_written_then_their_tags_tell_them_apart():
    tags = {kind.__struct_config__.tag for kind in (FaultStep, BurstStep, ArrivalsStep)}
    assert tags == {"fault", "burst", "arrivals"}
