"""Which cases of the contract are held by a test here, on which server, and which of them by an effect."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

# The extensions, E-01 and on, are counted where they are tested.
CASES = {f"TX-{number:03}" for number in range(1, 185)}

# Marked ☠ and ⌛ in the contract: on the original they run only when asked for, in test_doomed.py.
DOOMED = {
    *("TX-092", "TX-104", "TX-105", "TX-114", "TX-139", "TX-140", "TX-173"),
    *("TX-133", "TX-164", "TX-165", "TX-166", "TX-175", "TX-176", "TX-177", "TX-178"),
}

PARTLY_COVERED = {
    "TX-019": "`127.0.0.1:http` needs rights that tests do not have",
    "TX-140": "the original's 10/11 and 2^63-1 are asked for with the others that kill it",
    "TX-167": "longer circles end at a limit of connections, which is an extension",
    "TX-172, TX-173, TX-181": "3 s instead of 10, 10 and 8",
    "TX-178": "the reader stalls for 1 s instead of 13; the original's 13 s when asked for",
    "TX-179": "30 downloads instead of 80 on ours, 20 on the original",
}

# At least so many cases of each toxic show by bytes or times that it acts.
EFFECTS = {
    "latency": (range(81, 96), 10),
    "bandwidth": (range(96, 108), 10),
    "slow_close": (range(108, 116), 8),
    "timeout": (range(116, 127), 9),
    "reset_peer": (range(127, 134), 5),
    "slicer": (range(134, 141), 3),
    "limit_data": (range(141, 150), 8),
    "toxicity": (range(150, 157), 7),
}


@dataclass(frozen=True)
class Held:
    """One test of a numbered case."""

    module: str
    number: str
    effect: bool
    original: bool
    """It runs on the original, or on both."""


def read_tests():
    """All of this folder, read and not imported."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        text = path.read_text()
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "case":
                    yield held(path.stem, node, decorator)


def held(module, function, decorator):
    fixtures = {argument.arg for argument in function.args.args}
    return Held(
        module=module,
        number=decorator.args[0].value,
        effect=any(word.arg == "effect" and word.value.value for word in decorator.keywords),
        original=bool(fixtures & {"api", "daemon", "program", "theirs", "doomed", "toxics"})
        or "servers.original" in ast.unparse(function),
    )


TESTS = list(read_tests())


def test_case_when_in_the_contract_then_is_held_by_a_test():
    assert {test.number for test in TESTS if test.number.startswith("TX-")} == CASES
    assert all(PARTLY_COVERED.values())


def test_case_when_it_has_a_value_for_the_original_then_is_asserted_there():
    assert {test.number for test in TESTS if test.original} == CASES


def test_case_when_it_dooms_the_original_then_runs_there_only_when_asked_for():
    asked = {test.number for test in TESTS if test.module == "test_doomed"}
    assert asked == DOOMED
    # The one row whose harmless half runs on both servers.
    always = {t.number for t in TESTS if t.original and t.module != "test_doomed"}
    assert always & DOOMED == {"TX-105"}


@pytest.mark.parametrize("subject", EFFECTS)
def test_toxic_when_it_has_cases_then_most_of_them_have_an_effect(subject):
    numbers, least = EFFECTS[subject]
    shown = {test.number for test in TESTS if test.effect} & {f"TX-{n:03}" for n in numbers}
    assert len(shown) >= least, sorted(shown)
