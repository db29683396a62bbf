"""``result.json`` and ``--json``: the same results, the same bytes, in the shape that is promised."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from syrupy.assertion import SnapshotAssertion

from harness.model.verdicts import Counterexample, Result
from harness.outputs.result_json import refused_bytes, result_bytes, suite_bytes
from tests.support.results import a_result, a_violation
from tests.support.strategies import structs


def test_result_bytes_when_a_bug_was_found_then_the_file_is_this(
    snapshot: SnapshotAssertion,
) -> None:
    assert result_bytes(a_violation()).decode() == snapshot


@given(structs(Result))
def test_result_bytes_when_decoded_then_it_is_the_result_again(result: Result) -> None:
    written = result_bytes(result)
    assert written == result_bytes(result)
    assert written.endswith(b"}\n")
    read = msgspec.json.decode(written, type=Result)
    assert result_bytes(read) == written


def test_result_bytes_when_a_number_is_exact_then_it_is_text() -> None:
    counterexample = Counterexample(round=1, summary="", values={"share": Fraction(1, 3)})
    finding = msgspec.structs.replace(a_violation().invariants[0], counterexample=counterexample)
    assert b'"share": "1/3"' in result_bytes(a_violation(invariants=(finding,)))


def test_suite_bytes_when_one_run_then_it_is_in_a_list_all_the_same() -> None:
    suite = msgspec.json.decode(suite_bytes([a_result()]))
    assert list(suite) == ["schema", "verdict", "exit_code", "runs"]
    assert (suite["schema"], suite["verdict"], suite["exit_code"]) == (1, "held", 0)
    assert suite["runs"] == [msgspec.json.decode(result_bytes(a_result()))]


@pytest.mark.parametrize(
    ("results", "verdict", "exit_code"),
    [
        pytest.param([a_violation(), a_result()], "violated", 0, id="known-bug-and-sound"),
        pytest.param([a_result(), a_violation()], "violated", 0, id="the-other-way-round"),
        pytest.param(
            [a_result(), a_result(verdict="inconclusive", exit_code=3)],
            "inconclusive",
            3,
            id="thin",
        ),
        pytest.param(
            [
                a_result(exit_code=1, as_expected=False),
                a_result(verdict="inconclusive", exit_code=3),
            ],
            "held",
            1,
            id="fixed-bug-outranks-thin-evidence",
        ),
        pytest.param(
            [a_result(exit_code=6), a_result(verdict="interrupted", exit_code=130)],
            "held",
            6,
            id="not-undone-outranks-all",
        ),
        pytest.param([], "inconclusive", 3, id="nothing-was-run"),
    ],
)
def test_suite_bytes_when_runs_differ_then_the_one_that_decides_the_exit_code_is_named(
    results: list[Result], verdict: str, exit_code: int
) -> None:
    suite = msgspec.json.decode(suite_bytes(results))
    assert (suite["verdict"], suite["exit_code"]) == (verdict, exit_code)


def test_refused_bytes_when_files_are_wrong_then_no_run_and_the_problem() -> None:
    assert msgspec.json.decode(refused_bytes("bank.yaml:7:14 no unit")) == {
        "schema": 1,
        "verdict": "refused",
        "exit_code": 2,
        "runs": [],
        "problem": "bank.yaml:7:14 no unit",
    }
