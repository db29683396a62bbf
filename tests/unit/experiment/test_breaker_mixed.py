"""Phases in which calls fare differently: only where they can show something, and long enough to."""

import pytest
from msgspec.structs import replace

from harness.experiment.breaker_mixed import keys, memory, partial, second_outage, stragglers
from harness.model.breaker import Window
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared
from tests.unit.experiment.test_breaker_phases import PLAN, scope


@pytest.mark.parametrize(("isolation", "phases"), [(None, 0), ("none", 0), ("key", 1), ("host", 1)])
def test_keys_when_there_is_a_circuit_for_each_then_is_run(isolation, phases):
    made = list(keys(scope(replace(PLAN, isolation=isolation))))
    assert len(made) == phases
    for phase in made:
        assert phase.hold < PLAN.open.first
        assert phase.rate * phase.hold.in_s >= 20


def test_stragglers_when_no_timeout_is_in_the_way_then_end_in_each_state():
    (phase,) = stragglers(scope(declared(open=2, threshold=5)))
    assert phase.given["parts"] == ["i", "ii", "iii"]
    late = {part: Duration.of_ns(ns).in_s for part, ns in phase.given["late"].items()}
    assert late["i"] == 1 and late["ii"] == pytest.approx(1.6)
    # In half-open for certain: the trial that is due before it hangs.
    assert late["iii"] > 1.2 * 2


@pytest.mark.parametrize(
    ("timeout", "parts"), [(1, ["i", "ii"]), (2.5, ["i", "ii"]), (4, ["i", "ii", "iii"])]
)
def test_stragglers_when_the_service_gives_up_sooner_then_none_comes_later(timeout, parts):
    (phase,) = stragglers(scope(declared(open=2, call_timeout=timeout, threshold=5)))
    assert phase.given["parts"] == parts
    assert all(ns < Duration.of_s(timeout).ns for ns in phase.given["late"].values())


def test_second_outage_when_made_then_hundreds_are_rejected_before_it():
    (phase,) = second_outage(scope())
    assert phase.rate >= 300 and phase.rate * phase.hold.in_s >= 900
    assert phase.calls >= 3 * 2 * 5


@pytest.mark.parametrize(
    ("kind", "window", "hold"),
    [("time-window", Window(time=Duration.of_s(20)), 20), ("count-window", Window(calls=200), 6)],
)
def test_second_outage_when_there_is_a_window_then_it_is_filled_with_rejections(kind, window, hold):
    plan = declared(open=2, call_timeout=1, threshold=5, kind=kind, window=window)
    (phase,) = second_outage(scope(plan))
    assert phase.hold >= Duration.of_s(hold)


def test_partial_when_a_share_opens_it_then_one_is_below_and_one_above():
    shares = [
        phase.given["share"] for phase in partial(scope(replace(PLAN, threshold=None, share=0.5)))
    ]
    assert shares == [0.25, 0.75]
    assert [phase.given["share"] for phase in partial(scope())] == [0.3]
    high = replace(PLAN, threshold=None, share=0.9)
    assert [phase.given["share"] for phase in partial(scope(high))] == [0.45, 0.95]


def test_partial_when_it_lasts_then_has_the_calls_that_retries_show_in():
    for phase in partial(scope()):
        assert phase.calls >= 200 and phase.hold >= Duration.of_s(10)


def test_memory_when_no_process_is_named_then_is_left_out():
    assert list(memory(scope())) == []
    (phase,) = memory(scope(replace(PLAN, process="app")))
    assert phase.given == {"good": 30_000, "rejections": 10_000, "window": 2_000}
    slow = Learnt(latency=Duration.of_ms(100))
    (longer,) = memory(scope(replace(PLAN, process="app"), learnt=slow))
    assert longer.lasts > phase.lasts * 2
