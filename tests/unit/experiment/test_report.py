"""Problems are kept once, in the order of the file, at their very column."""

import pytest

from harness.experiment.nodes import Mark
from harness.experiment.report import MAX_PROBLEMS, Report, nearest, unknown
from harness.experiment.source import parse
from harness.model.errors import UserError


def test_problem_when_found_twice_then_is_told_once():
    report = Report()
    report.mark(Mark("f", 1, 1), "wrong", "this")
    report.mark(Mark("f", 1, 1), "wrong", "that")
    assert len(report) == 1


def test_problems_when_told_then_stand_in_the_order_of_the_file():
    report = Report()
    for line in (3, 1, 2):
        report.mark(Mark("f", line, 1), "wrong")
    assert [p.line for p in report.problems] == [1, 2, 3]


def test_problems_when_too_many_then_are_bounded():
    report = Report()
    for line in range(MAX_PROBLEMS + 50):
        report.mark(Mark("f", line, 1), "wrong")
    assert len(report.problems) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a: balance = 1", 4 + 8),
        ("a: 'balance = 1'", 5 + 8),
        ('a: "balance = 1"', 5 + 8),
        ('a: "bal\\x61nce = 1"', 4),
        ("a: balance\n  = 1", 4),
    ],
    ids=["plain", "single", "double", "escaped", "several-lines"],
)
def test_column_when_inside_a_value_then_is_that_of_the_file_where_it_can_be_told(text, column):
    report = Report()
    report.at(parse(text, "f", report), ("a",), "wrong", column=9)
    (problem,) = report.problems
    assert (problem.line, problem.column) == (1, column)


def test_place_when_the_key_is_meant_then_is_that_of_the_key():
    report = Report()
    report.at(parse("a:\n  b: 1", "f", report), ("a", "b"), "wrong", at_key=True)
    (problem,) = report.problems
    assert (problem.line, problem.column, problem.key) == (2, 3, "a.b")


def test_raise_if_any_when_there_is_none_then_is_silent_else_raises():
    report = Report()
    report.raise_if_any()
    report.file("f", "there is no such file")
    with pytest.raises(UserError, match="f: there is no such file"):
        report.raise_if_any()


def test_nearest_when_close_then_is_named_else_not():
    assert nearest("balanc", ["balance", "stock"]) == "balance"
    assert nearest("xyz", ["balance", "stock"]) is None


def test_unknown_when_many_are_known_then_lists_only_some_each_once():
    found, expected, hint = unknown("probe", "p7", [*(f"p{i}" for i in range(50)), "p1"])
    assert found == "unknown probe 'p7'"
    assert expected.endswith(", …") and expected.count("p1,") == 1
    assert hint == "Did you mean p7?"
    assert unknown("probe", "a", [])[1] == "no probe: none is declared"
