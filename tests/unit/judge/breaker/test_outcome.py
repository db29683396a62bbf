"""How an answer counts: declared expressions first, the common core without."""

import pytest

from harness.expressions.evaluate import EvaluationProblem
from harness.expressions.parse import ExpressionProblem
from harness.judge.breaker.outcome import Outcomes
from harness.model.breaker import BreakerPlan


def outcomes(**declared):
    return Outcomes(BreakerPlan(calls="fetch", behind="downstream", **declared))


@pytest.mark.parametrize(
    ("status", "counts"), [(200, "success"), (302, "success"), (404, "ignored"), (500, "failure")]
)
def test_answer_when_nothing_is_declared_then_counts_by_its_hundred(status, counts):
    assert outcomes().of(status) == counts


def test_call_when_cut_or_timed_out_then_fails():
    assert outcomes().of(None, cut=True) == "failure"
    assert outcomes().of(None, timed_out=True) == "failure"


def test_cut_when_declared_as_no_failure_then_counts_as_success():
    declared = outcomes(failure="status >= 500 or timed_out")
    assert declared.of(None, cut=True) == "success"
    assert declared.of(None, timed_out=True) == "failure"


def test_answer_when_declared_as_failure_and_ignored_then_is_ignored():
    declared = outcomes(failure="status >= 400", ignored="status == 404")
    assert declared.of(404) == "ignored"
    assert declared.of(409) == "failure"


def test_404_when_a_declared_failure_and_nothing_ignored_then_fails():
    assert outcomes(failure="status >= 400").of(404) == "failure"


def test_404_when_something_else_is_ignored_then_succeeds():
    assert outcomes(ignored="status == 409").of(404) == "success"


def test_expression_when_unreadable_then_is_refused():
    with pytest.raises(ExpressionProblem):
        outcomes(failure="status >=")


def test_expression_when_without_value_then_is_refused_when_asked():
    with pytest.raises(EvaluationProblem):
        outcomes(failure="stauts >= 500").of(200)
