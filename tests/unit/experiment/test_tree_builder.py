"""Events to nodes: what has no use in our files is refused, and commas in braces mean text."""

import pytest

from harness.experiment.nodes import plain
from harness.experiment.report import Report
from harness.experiment.source import parse


def parsed(text):
    report = Report()
    value = plain(parse(text, "f", report))
    return value, [f"{p.line}:{p.column} {p.found}" for p in report.problems]


def test_key_when_twice_then_the_first_counts_and_the_second_is_told():
    value, wrong = parsed("a: 1\nb: 2\na: {c: 3}\n")
    assert value == {"a": 1, "b": 2}
    assert wrong == ["3:1 the key 'a' stands twice, first in line 1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x 1", "2 an anchor"),
        ("a: *x", "an alias"),
        ("<<: {a: 1}", "a merge key"),
        ("a: !!int 3", "the tag"),
        ("[a]: 1", "a key is no text"),
        ("{a: 1}: 1", "a key is no text"),
        (": 1", "a key without a name"),
    ],
)
def test_yaml_when_it_has_what_we_do_not_use_then_is_told(text, found):
    _, wrong = parsed(text)
    assert len(wrong) == 1
    assert found.removeprefix("2 ") in wrong[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: read, check, write back}", {"a": "read, check, write back"}),
        ("{a: min(b, c) >= 0, d: 1}", {"a": "min(b, c) >= 0", "d": 1}),
        ("{a: 10, b}", {"a": "10, b"}),
        ("{a: b, c: }", {"a": "b", "c": None}),
        ('{a: b, "c"}', {"a": "b", "c": None}),
        ("{a: 'b', c}", {"a": "b", "c": None}),
        ("{a: b,\n c}", {"a": "b", "c": None}),
        ("{a, b: c}", {"a": None, "b": "c"}),
        ("a: b\nc:", {"a": "b", "c": None}),
        ("{a: b, c, a: d}", {"a": "b, c"}),
    ],
)
def test_text_when_a_comma_stands_in_braces_then_goes_on_to_the_next_colon(text, value):
    assert parsed(text)[0] == value


def test_text_when_it_went_on_behind_a_comma_then_columns_are_those_of_the_file():
    report = Report()
    root = parse("{a: min(b, c) = 0}", "f", report)
    report.at(root, ("a",), "wrong", column=11)
    assert report.problems[0].column == 15
