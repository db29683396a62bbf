"""Every field of a result and every option of a command is documented, and none that is not there."""

import re

import pytest

from harness.cli import build_parser
from harness.model.verdicts import (
    EXIT_CODE_ORDER,
    BurstFinding,
    FaultFinding,
    InvariantFinding,
    OperationCount,
    Result,
    SteadyStateFinding,
    Verdict,
)
from tests.support.markdown import ROOT, headings

RESULT = ROOT / "docs/reference/result.md"
COMMAND_LINE = ROOT / "docs/reference/command-line.md"

STRUCTS = {
    "## A run": Result,
    "### Steady state": SteadyStateFinding,
    "### Invariants": InvariantFinding,
    "### Bursts": BurstFinding,
    "### Faults": FaultFinding,
    "### Traffic": OperationCount,
}


def first_cells(text, heading):
    """The words in backticks in the first column of the tables below a heading."""
    section = re.split(r"^#+ ", text.partition(f"{heading}\n")[2], flags=re.MULTILINE)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def commands():
    (subparsers,) = (a for a in build_parser()._actions if isinstance(a.choices, dict))
    return subparsers.choices


@pytest.mark.parametrize("heading", STRUCTS)
def test_result_when_it_has_a_field_then_the_reference_has_its_row_in_the_same_order(heading):
    assert first_cells(RESULT.read_text(), heading) == list(STRUCTS[heading].__struct_fields__)


def test_verdict_when_there_is_one_then_the_reference_explains_it():
    assert sorted(first_cells(RESULT.read_text(), "## Verdicts")) == sorted(
        verdict.value for verdict in Verdict
    )


@pytest.mark.parametrize("page", [RESULT, COMMAND_LINE], ids=lambda page: page.name)
def test_order_of_exit_codes_when_documented_then_it_is_the_one_in_force(page):
    assert ", ".join(map(str, EXIT_CODE_ORDER)) in " ".join(page.read_text().split())


def test_command_when_there_is_one_then_it_has_a_heading():
    assert sorted(headings(COMMAND_LINE)) == sorted(commands())


@pytest.mark.parametrize("command", sorted(commands()))
def test_option_when_a_command_takes_it_then_it_is_documented_and_no_other(command):
    documented = {
        option
        for cell in first_cells(COMMAND_LINE.read_text(), f"## {command}")
        for option in re.findall(r"^-[-\w]+", cell)
    }
    taken = {
        option for action in commands()[command]._actions for option in action.option_strings
    } - {"-h", "--help"}
    assert documented == taken
