import pytest

from harness.judge.expectation import agree
from harness.model.plan import Expected
from harness.model.verdicts import Verdict

HELD = Expected()
ANY = Expected(verdict="violated")
NAMED = Expected(verdict="violated", invariants=("a", "b"))


@pytest.mark.parametrize(
    ("verdict", "violated", "expected", "as_expected", "exit_code"),
    [
        pytest.param(Verdict.HELD, [], HELD, True, 0, id="held as expected"),
        pytest.param(
            Verdict.VIOLATED, ["a"], HELD, False, 1, id="violated though held was expected"
        ),
        pytest.param(Verdict.VIOLATED, ["a"], ANY, True, 0, id="violated by any"),
        pytest.param(Verdict.HELD, [], ANY, False, 1, id="a fixed bug must lose its mark"),
        pytest.param(Verdict.VIOLATED, ["b", "a"], NAMED, True, 0, id="violated by just these"),
        pytest.param(Verdict.VIOLATED, ["a"], NAMED, False, 1, id="one is missing"),
        pytest.param(Verdict.VIOLATED, ["a", "b", "c"], NAMED, False, 1, id="one too many"),
        pytest.param(Verdict.INCONCLUSIVE, [], ANY, False, 3, id="inconclusive stays"),
        pytest.param(Verdict.ERROR, ["a"], ANY, False, 5, id="error stays"),
        pytest.param(Verdict.ABORTED, ["a"], HELD, False, 4, id="aborted stays"),
        pytest.param(Verdict.INTERRUPTED, [], HELD, False, 130, id="interrupted stays"),
        pytest.param(Verdict.REFUSED, [], HELD, False, 2, id="refused stays"),
    ],
)
def test_exit_code_when_compared_with_what_was_expected_then_is_strict(
    verdict, violated, expected, as_expected, exit_code
):
    agreement = agree(verdict, violated, expected, not_undone=False)
    assert (agreement.as_expected, agreement.exit_code) == (as_expected, exit_code)


def test_remark_when_extra_and_missing_then_names_both():
    agreement = agree(Verdict.VIOLATED, ["a", "c"], NAMED, not_undone=False)
    assert "c was not expected to be violated" in agreement.remark
    assert "b was expected to be violated and was not" in agreement.remark


@pytest.mark.parametrize("verdict", list(Verdict))
def test_exit_code_when_a_fault_was_not_undone_then_is_six(verdict):
    assert agree(verdict, [], HELD, not_undone=True).exit_code == 6
