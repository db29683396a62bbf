"""The block to the plan: forms are told apart, and what was not declared stays so."""

import pytest
from pydantic import TypeAdapter

from harness.experiment.breaker_parts import BREAKER
from harness.experiment.breaker_plan import breaker_plan
from harness.model.breaker import (
    BreakerPlan,
    Fallback,
    IdCarrier,
    OpenTime,
    Rejection,
    Retries,
    Slow,
    Trials,
    Window,
)
from harness.model.units import Duration


def plan(bursts=None, **keys):
    block = TypeAdapter(BREAKER).validate_python({"calls": "a", "behind": "b", **keys})
    return breaker_plan(block, bursts)


def test_plan_when_nothing_is_declared_then_is_all_default():
    assert plan() == BreakerPlan(calls="a", behind="b")


@pytest.mark.parametrize(
    ("said", "carrier", "words"),
    [
        ({"header": "X-Id"}, IdCarrier(where="header", name="x-id"), "header x-id"),
        ({"query": "rid"}, IdCarrier(where="query", name="rid"), "query rid"),
        ("traceparent", IdCarrier(where="traceparent"), "traceparent"),
        ("path", IdCarrier(where="path"), "path"),
    ],
)
def test_id_when_told_then_is_its_carrier(said, carrier, words):
    assert plan(id=said).id == carrier
    assert plan(id=said).id.words == words


def test_threshold_when_a_share_then_there_is_no_count():
    assert (plan(threshold=5).threshold, plan(threshold=5).share) == (5, None)
    assert (plan(threshold="50%").threshold, plan(threshold="50%").share) == (None, 0.5)


def test_open_when_a_duration_or_a_mapping_then_is_both_times_its_first():
    assert plan(open="2s").open == OpenTime(first=Duration.of_s(2))
    grows = {"first": "2s", "factor": 2, "at_most": "1min", "jitter": "10%"}
    assert plan(open=grows).open == OpenTime(
        first=Duration.of_s(2), factor=2.0, at_most=Duration.of_s(60), jitter=0.1
    )


def test_call_timeout_when_none_is_written_then_that_is_known():
    assert (plan(call_timeout="1s").call_timeout, plan().no_call_timeout) == (
        Duration.of_s(1),
        False,
    )
    none = plan(call_timeout="none")
    assert none.call_timeout is None and none.no_call_timeout


def test_plan_when_everything_is_declared_then_everything_is_in_it():
    made = plan(
        bursts=20,
        kind="time-window",
        threshold="50%",
        opens="above",
        window="10s",
        minimum=10,
        denominator="offered",
        trials={"permits": 2, "to_close": 3, "to_reopen": 1, "lost_after": "9s", "others": "wait"},
        slow={"over": "500ms", "threshold": "60%"},
        failure="status >= 500",
        ignored="status == 404",
        ignored_as="success",
        cancellation="failure",
        stragglers="counted",
        rejection={"status": 503, "within": "50ms"},
        fallback={"status": 200, "json": {"a": 1}},
        retries={"attempts": 2, "budget": "10%", "around": "breaker"},
        isolation="key",
        key="{account}",
        bulkhead=100,
        instances=4,
        reaction="500ms",
        recovers_within="5s",
        errors_when_healthy="1%",
        process="app",
        script="full",
        phases=["burst", "burst-good", "trip"],
    )
    assert made == BreakerPlan(
        calls="a",
        behind="b",
        kind="time-window",
        share=0.5,
        opens="above",
        window=Window(time=Duration.of_s(10)),
        minimum=10,
        denominator="offered",
        trials=Trials(
            permits=2, to_close=3, to_reopen=1, lost_after=Duration.of_s(9), others="wait"
        ),
        slow=Slow(over=Duration.of_ms(500), threshold=0.6),
        failure="status >= 500",
        ignored="status == 404",
        ignored_as="success",
        cancellation="failure",
        stragglers="counted",
        rejection=Rejection(status=503, within=Duration.of_ms(50)),
        fallback=Fallback(status=200, json={"a": 1}, has_json=True),
        retries=Retries(attempts=2, budget=0.1, around="breaker"),
        isolation="key",
        key="{account}",
        bulkhead=100,
        instances=4,
        reaction=Duration.of_ms(500),
        recovers_within=Duration.of_s(5),
        errors_when_healthy=0.01,
        process="app",
        script="full",
        phases=("burst-good", "burst-bad", "exact-trip"),
        bursts=20,
    )
