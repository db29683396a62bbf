"""A validator's errors in our words, and values without what is wrong with them."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from harness.experiment.report import Report
from harness.experiment.source import parse
from harness.experiment.wording import Strict, keys_of, report_errors, unknown_key, without_wrong


class Inner(Strict):
    size: int = Field(default=1, ge=1)
    of: bool = Field(default=True, alias="for")


class Outer(Strict):
    inner: Inner
    way: Literal["up", "down"] = "up"
    word: str = "a"
    share: float = 1.0
    items: list[Inner] = Field(default=[])


def told(text, value):
    report = Report()
    root = parse(text, "f", report)
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(value)
    report_errors(raised.value, root, (), report)
    return [
        f"{p.line}:{p.column} {p.key}: {p.found}. {p.expected}. {p.hint}" for p in report.problems
    ]


def test_errors_when_several_then_each_is_told_at_its_place():
    text = "inner: {size: 0, fro: 1}\nword: 3\nshare: x\nitems: {}\n"
    value = {"inner": {"size": 0, "fro": 1}, "word": 3, "share": "x", "items": {}}
    assert told(text, value) == [
        "1:15 inner.size: found the number 0. 1 or more. ",
        "1:18 inner.fro: unknown key 'fro'. one of size, for. Did you mean for?",
        "2:7 word: found the number 3. text. Put it in quotes.",
        "3:8 share: found the text 'x'. a number. ",
        "4:8 items: found an empty mapping. a list. ",
    ]


@pytest.mark.parametrize(
    ("way", "hint"), [("dwn", "Did you mean down?"), ("sideways", ""), (3, "")]
)
def test_choice_when_wrong_then_the_nearest_is_named(way, hint):
    (said,) = told(f"inner: {{}}\nway: {way}\n", {"inner": {}, "way": way})
    assert said.endswith(f"'up' or 'down'. {hint}")


def test_key_when_nothing_stands_behind_it_then_is_told_once():
    assert told("inner:\n", {"inner": None}) == [
        "1:1 inner: there is nothing behind the colon. a value, or no key. "
    ]


def test_key_when_missing_then_is_told_at_the_mapping():
    assert told("word: a\n", {"word": "a"}) == ["1:1 : the key 'inner' is missing. . "]


def test_key_when_it_comes_from_a_comma_in_braces_then_quotes_are_proposed():
    assert told("inner: {a b: 1}\n", {"inner": {"a b": 1}})[0].endswith("must be in quotes.")


def test_keys_when_listed_then_are_as_written():
    assert keys_of(Inner) == ["size", "for"]


def test_unknown_key_when_it_belongs_to_the_other_file_then_that_is_said():
    assert (
        unknown_key("rounds", ["target", "title"])[2]
        == "This key belongs into the experiment file."
    )
    assert unknown_key("hops", ["experiment"])[2] == "This key belongs into the target file."


@pytest.mark.parametrize(
    ("value", "rest"),
    [
        ({"inner": {"size": 0}, "wrod": 1}, {"inner": {}}),
        ({"inner": {}, "share": "x"}, {"inner": {}}),
        ({"word": "a"}, None),
    ],
    ids=["unknown-and-deep", "optional", "missing"],
)
def test_without_wrong_when_keys_are_wrong_then_the_rest_can_be_looked_at(value, rest):
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(value)
    assert without_wrong(value, raised.value) == rest
