"""Variables: a list gives each request its own value in turn."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.template import Template
from harness.traffic.variables import Variables


def pick(variables: dict[str, Any], turn: int, **known: Any) -> dict[str, Any]:
    def fill(template: Template) -> Any:
        return template.fill(known, env=lambda name: "", file=lambda name: "")

    return Variables.compile(variables).pick(turn, fill)


def test_values_when_plain_then_keep_their_type() -> None:
    given_ = {"a": 1, "b": "x", "c": None, "d": True, "e": {"f": 2}}
    assert pick(given_, 5) == given_


@given(st.lists(st.integers(), min_size=1), st.integers(0, 100))
def test_a_list_when_shorter_than_the_burst_then_starts_again(values: list[int], turn: int) -> None:
    assert pick({"a": values}, turn) == {"a": values[turn % len(values)]}


def test_an_empty_list_when_given_then_is_the_value() -> None:
    assert pick({"a": []}, 3) == {"a": []}


def test_a_text_when_it_has_placeholders_then_is_filled_for_each_request() -> None:
    assert pick({"key": "k-{n}"}, 0, n=7) == {"key": "k-7"}
    assert pick({"key": ["{n}", "{{}}"]}, 0, n=7) == {"key": 7}
    assert pick({"key": ["{n}", "{{}}"]}, 1, n=7) == {"key": "{}"}
