"""Results put together by hand: one of the bank's that held, to change one thing in."""

from typing import Any

import msgspec

from harness.model.plan import Expected
from harness.model.verdicts import (
    BurstFinding,
    Counterexample,
    FaultFinding,
    InvariantFinding,
    OperationCount,
    Result,
    SteadyStateFinding,
)

POWER = (
    "held in 20 rounds: a race with a chance of 14 % or more per round "
    "would have shown with 95 % confidence"
)
KNOWN_BUG = Expected(verdict="violated", invariants=("money-conserved",))

NEVER_OVERDRAWN_HELD = InvariantFinding(
    name="never-overdrawn",
    kind="always",
    verdict="held",
    summary="held (412 readings, one every 20 ms)",
    evidence={"rounds": 20, "readings": 412},
)
MONEY_CONSERVED_HELD = InvariantFinding(
    name="money-conserved",
    kind="at_end",
    verdict="held",
    summary=POWER,
    evidence={"rounds": 20, "violated_rounds": 0, "rounds_with_power": 20},
)
MONEY_CONSERVED_VIOLATED = InvariantFinding(
    name="money-conserved",
    kind="at_end",
    verdict="violated",
    summary="violated in 20 of 20 rounds (95 % CI 0.83–1.00)",
    evidence={"rounds": 20, "violated_rounds": 20, "rounds_with_power": 20, "ci": [0.831567, 1.0]},
    counterexample=Counterexample(
        round=3,
        summary=(
            "round 3: 50 of 50 withdraw were acknowledged; 100 - balance is 20, "
            "but 10 * acknowledged(withdraw) is 500 (balance = 80)"
        ),
        values={"round": 3, "readings": {"balance": {"value": 80}}},
    ),
)


def a_result(variant: str | None = "atomic", **changes: Any) -> Result:
    """A run of 20 rounds that held as expected, with ``changes``."""
    held = Result(
        run=f"2026-11-25T10-12-31-bank-overdraft-{variant}",
        experiment="bank-overdraft",
        title="Fifty withdrawals at once never pay out more than there was",
        target="bank",
        variant=variant,
        seed=28474,
        verdict="held",
        reason="every invariant held",
        expected=Expected(),
        as_expected=True,
        exit_code=0,
        rounds=20,
        steady_state=SteadyStateFinding(before="held", after="held"),
        invariants=(MONEY_CONSERVED_HELD, NEVER_OVERDRAWN_HELD),
        bursts=(
            BurstFinding(
                id="burst",
                rounds=20,
                concurrency=50,
                spread_ms_p50=0.4812,
                overlap=50,
                overlap_min=48,
            ),
        ),
        faults=(
            FaultFinding(
                id="latency@db",
                kind="latency",
                on="db",
                applied_at="2026-11-25T10:12:33.000000Z",
                undone_at="2026-11-25T10:12:52.000000Z",
                seen_on_wire=True,
                messages=212,
                summary="40 ms latency seen on 212 messages of hop db",
            ),
        ),
        traffic={"withdraw": OperationCount(sent=1000, acknowledged=200, rejected=800, unknown=0)},
        power=POWER,
        environment={"python": "3.11.2", "cpus": 2},
    )
    return msgspec.structs.replace(held, **changes)


def a_violation(variant: str | None = "naive", **changes: Any) -> Result:
    """A run whose money was not conserved, as expected of it, with ``changes``."""
    return a_result(
        variant,
        **{
            "verdict": "violated",
            "reason": "money-conserved was violated",
            "expected": KNOWN_BUG,
            "invariants": (MONEY_CONSERVED_VIOLATED, NEVER_OVERDRAWN_HELD),
            "power": "",
            **changes,
        },
    )
