"""A script in words: each phase with its length, what is assumed, and what it is not for."""

from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan, OpenTime, Retries, Slow, Trials
from harness.model.units import Duration
from harness.outputs.breaker_script_text import (
    beside_items,
    declared_items,
    phase_items,
    script_text,
    script_title,
)

PLAN = BreakerPlan(
    calls="checkout",
    behind="payments",
    threshold=5,
    open=OpenTime(first=Duration.of_s(2)),
    trials=Trials(permits=1),
    call_timeout=Duration.of_s(1),
)
FULL = replace(PLAN, script="full", isolation="key", key="{account}", process="app", bulkhead=10)


def test_script_text_when_quick_then_is_this(snapshot: SnapshotAssertion) -> None:
    assert script_text(derive(PLAN)) == snapshot


def test_script_text_when_full_then_is_this(snapshot: SnapshotAssertion) -> None:
    assert script_text(derive(FULL)) == snapshot


def test_script_text_when_nothing_is_declared_then_says_what_is_assumed(
    snapshot: SnapshotAssertion,
) -> None:
    assert script_text(derive(BreakerPlan(calls="a", behind="b"))) == snapshot


def test_phases_when_repeated_in_a_row_then_are_told_once() -> None:
    labels = [label for label, _ in phase_items(derive(replace(PLAN, bursts=20)))]
    assert labels.count("burst-good ×20") == 1
    assert labels.count("heal") == 2


def test_invariants_when_every_one_has_a_phase_then_none_is_left() -> None:
    labels = [label for label, _ in beside_items(derive(FULL))]
    assert "looks at" in labels and "not at" not in labels
    (one,) = [
        text
        for label, text in beside_items(derive(replace(FULL, process=None)))
        if label == "not at"
    ]
    assert one == "BRK-24: no phase here is for that"


def test_title_when_told_then_has_the_length() -> None:
    assert script_title(derive(PLAN)) == "the quick script, 10 phases, about 1 min"


def test_declaration_when_told_then_each_part_is_said() -> None:
    told = replace(
        FULL,
        threshold=None,
        share=0.5,
        opens="above",
        kind="time-window",
        open=OpenTime(first=Duration.of_s(2), factor=2.0, at_most=Duration.of_s(60), jitter=0.1),
        call_timeout=None,
        no_call_timeout=True,
        trials=Trials(permits=3),
        slow=Slow(over=Duration.of_ms(300)),
        retries=Retries(attempts=2),
        isolation=None,
        process=None,
    )
    items = dict(declared_items(told, "checkout (POST /checkout on app)"))
    assert items["calls"].endswith("each with its id in the header x-request-id")
    assert items["declared"] == (
        "kind time-window; opens above 50% failures; open for 2 s ±10%, then ×2, at most 60 s; "
        "3 trials at once; no call time-out; slow over 300 ms; bulkhead 10; retries"
    )


def test_declaration_when_there_is_none_then_that_is_said() -> None:
    items = dict(declared_items(BreakerPlan(calls="a", behind="b"), "a"))
    assert items["declared"] == "nothing: what it does is found out and shown"
