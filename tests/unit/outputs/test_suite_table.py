"""What a person reads at the end of a suite, word for word."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from harness.model.plan import Expected
from harness.model.units import Duration
from harness.model.verdicts import Result
from harness.outputs.paragraphs import render
from harness.outputs.progress import Trouble
from harness.outputs.suite_table import Suite, suite_block, table
from tests.support.results import (
    MONEY_CONSERVED_HELD,
    MONEY_CONSERVED_VIOLATED,
    a_result,
    a_violation,
)


def broken(experiment: str, variant: str, invariant: str = "money-conserved", **changes: Any):
    numbers = {"rounds": 5, "violated_rounds": 5, "rounds_with_power": 5, "ci": [0.478176, 1.0]}
    finding = replace(MONEY_CONSERVED_VIOLATED, name=invariant, evidence=numbers)
    told = {
        "experiment": experiment,
        "expected": Expected(verdict="violated", invariants=(invariant,)),
        "rounds": 5,
        "planned_rounds": 20,
        "run_ms": 8123.4,
        "invariants": (finding,),
        **changes,
    }
    return a_violation(variant, **told)


def sound(experiment: str, variant: str, **changes: Any) -> Result:
    finding = replace(
        MONEY_CONSERVED_HELD, evidence={**MONEY_CONSERVED_HELD.evidence, "ci": [0.0, 0.168433]}
    )
    told = {"experiment": experiment, "run_ms": 71_234.0, "invariants": (finding,), **changes}
    return a_result(variant, **told)


GOOD = (
    broken("bank-overdraft", "naive"),
    sound("bank-overdraft", "atomic"),
    broken("signup-names", "check-then-insert", "one-account-a-name"),
    sound("signup-names", "unique-name"),
)
FIXED = sound(
    "transfer-slow-hop",
    "fence-stored",
    expected=Expected(verdict="violated"),
    as_expected=False,
    exit_code=1,
)
THIN = sound(
    "stats-points",
    "lua",
    verdict="inconclusive",
    exit_code=3,
    as_expected=False,
    power="",
    planned_rounds=20,
    missing=("rounds 1–20: nothing moved through hop db",),
)


def shown(*results: Result, width: int = 120, planned: int | None = None, **told: Any) -> str:
    runs = [(each, Path("runs") / f"{each.experiment}-{each.variant}") for each in results]
    suite = Suite(
        runs=runs,
        planned=planned or len(runs),
        took=Duration.of_s(552),
        troubles=told.get("troubles", {}),
    )
    return render(suite_block(suite, width=width), width=width, color=False)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_suite_block_when_all_is_as_expected_then_a_table_and_a_sum(
    snapshot: SnapshotAssertion, width: int
) -> None:
    text = shown(*GOOD, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "4 of 4 as expected in 9 min 12 s" in text
    assert text == snapshot


def test_suite_block_when_something_surprises_then_it_alone_is_told_in_full(
    snapshot: SnapshotAssertion,
) -> None:
    text = shown(*GOOD, FIXED, THIN, planned=8)
    assert text.count("tested with") == 2
    assert "4 of 8 as expected" in text
    assert "1 not as expected, 1 inconclusive, 2 not run" in text
    assert text == snapshot


def test_suite_block_when_a_fault_stays_then_it_comes_last() -> None:
    stuck = replace(
        GOOD[1], not_undone=("toxic latency on proxy db\ncurl -X DELETE …",), exit_code=6
    )
    text = shown(stuck, *GOOD)
    assert text.rstrip().endswith("curl -X DELETE …")
    assert text.count("bank-overdraft atomic      seed") == 1


def test_suite_block_when_a_run_went_wrong_on_the_way_then_its_trouble_is_told() -> None:
    trouble = Trouble(what="service app", detail="exit code 3")
    text = shown(*GOOD, THIN, troubles={THIN.run: (trouble,)})
    assert "service app: exit code 3" in text


def test_table_when_no_two_seeds_are_the_same_then_the_sum_names_none() -> None:
    assert "seed" not in shown(replace(GOOD[0], seed=1), replace(GOOD[1], seed=2), *GOOD[2:])


def test_table_when_names_are_wider_than_any_screen_then_each_run_still_has_its_line() -> None:
    wide = [replace(each, experiment="e" * 90, variant=f"v{'x' * 90}") for each in GOOD]
    lines = [each.text for each in table(wide, width=80)]
    assert sum(line.startswith("  vx") for line in lines) == 4


def test_table_when_the_target_speaks_to_the_terminal_then_nothing_acts_on_it() -> None:
    evil = replace(GOOD[0], variant="\x1b[2J", experiment="\u202e")
    text = shown(evil, *GOOD)
    assert not {"\x1b", "\u202e"} & set(text)


def test_suite_block_when_nothing_was_run_then_it_says_so() -> None:
    assert "0 of 4 as expected in 9 min 12 s, 4 not run" in shown(planned=4)
