"""What stands without quotes is what it looks like."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.experiment.plain_scalars import MAX_INTEGER, NoValue, plain_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False),
        ("on", "on"), ("no", "no"), ("012", 12), ("0o17", 15), ("0x1F", 31), ("-3", -3), ("+3", 3),
        ("1_000", "1_000"), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("2026-11-25", "2026-11-25"),
        ("12:30", "12:30"), ("40ms", "40ms"), ("1.2.3", "1.2.3"), ("0o9", "0o9"),
    ],
)  # fmt: skip
def test_scalar_when_plain_then_has_this_value(text, value):
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", str(2**63), "9" * 5000])
def test_scalar_when_no_number_that_can_be_kept_then_is_refused(text):
    with pytest.raises(NoValue):
        plain_value(text)


@given(st.integers(-MAX_INTEGER, MAX_INTEGER))
def test_integer_when_written_then_is_read_back(number):
    assert plain_value(str(number)) == number


@given(st.text())
def test_text_when_anything_then_is_a_value_or_refused(text):
    with contextlib.suppress(NoValue):
        plain_value(text)
