"""Commands as templates: split before they are filled, and every value spelt as within a text."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import UserError
from harness.model.plan import CommandCall
from harness.model.units import Duration
from harness.traffic.command import CommandTemplate, as_text
from tests.support.sources import sources_at


def compiled(command: str, **env: str) -> CommandTemplate:
    call = CommandCall(command=command, env=env)
    return CommandTemplate.compile(call, what="operation night", sources=sources_at())


@given(st.text(st.characters(blacklist_characters="\0", codec="utf-8")))
def test_a_value_when_filled_in_then_is_one_argument_whatever_it_holds(value: str) -> None:
    words, env = compiled("report.sh {value} 'a {value}'", V="{value}").fill({"value": value})
    assert words == ("report.sh", value, f"a {value}")
    assert env == {"V": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (7, "7"),
        (True, "true"),
        (Decimal("1E+2"), "100"),
        (Duration.of_ms(40), "40ms"),
    ],
)
def test_a_value_when_it_is_a_whole_word_then_spelt_as_within_a_text(value: Any, text: str) -> None:
    words, _ = compiled("x {value} .{value}").fill({"value": value})
    assert words == ("x", text, f".{text}")
    assert as_text(value) == text


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, "a\0b"])
def test_a_value_when_it_can_be_no_argument_then_the_operation_is_named(value: Any) -> None:
    with pytest.raises(UserError, match="operation night: "):
        compiled("x {value}").fill({"value": value})


@pytest.mark.parametrize(
    ("command", "words"), [("x 'a", "Close every quote"), ("x {", "never closed")]
)
def test_a_command_when_it_cannot_be_read_then_says_why(command: str, words: str) -> None:
    with pytest.raises(UserError, match="operation night: ") as raised:
        compiled(command)
    assert words in str(raised.value)
