"""Single values: what is taken, and what is said of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.experiment.words import (
    JUST_TRUE,
    Amount,
    Bytes,
    BytesPerSecond,
    DashedName,
    ExpressionText,
    FolderName,
    Frequency,
    Identifier,
    Percent,
    PercentFromZero,
    PositiveSpan,
    Span,
    Text,
    TextOrTexts,
    Variables,
    describe,
)
from harness.model.units import Duration, Rate, Size


def refused(hint, value):
    """What is said of a value that is not taken."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(hint).validate_python(value)
    (detail,) = raised.value.errors()
    context = detail["ctx"]
    return str(
        context.get("error") or f"{context['found']} / {context['expected']} / {context['hint']}"
    )


def taken(hint, value):
    return TypeAdapter(hint).validate_python(value)


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (Span, "40ms", Duration.of_ms(40)),
        (Span, "0s", Duration.ZERO),
        (Bytes, "64KiB", Size(65536)),
        (BytesPerSecond, "100KB/s", Rate(100_000)),
        (JUST_TRUE, True, True),
        (Percent, "30%", 0.3),
        (Percent, "12.5 %", 0.125),
        (PercentFromZero, "0%", 0.0),
        (PercentFromZero, "100%", 1.0),
        (Frequency, "50/s", 50.0),
        (Frequency, "3000 / min", 50.0),
        (Frequency, "1/h", 1 / 3600),
        (Text, "", ""),
        (Amount, 2.5, 2.5),
        (Amount, "200MiB", "200MiB"),
        (TextOrTexts, "a", "a"),
        (TextOrTexts, ["a", ""], ["a", ""]),
        (Identifier, "with_draw2", "with_draw2"),
        (DashedName, "never-overdrawn", "never-overdrawn"),
        (FolderName, "bank.v2", "bank.v2"),
        (ExpressionText, "a >= 0", "a >= 0"),
        (Variables, {"a": [1], "b": None}, {"a": [1], "b": None}),
    ],
)
def test_value_when_right_then_is_taken(hint, value, made):
    assert taken(hint, value) == made


@pytest.mark.parametrize(
    ("hint", "value", "says"),
    [
        (Span, 40, "40 has no unit; write 40ms or 40s"),
        (Span, True, "no duration"),
        (Span, "-1s", "negative"),
        (Span, "1e9s", "1e9s"),
        (Span, "9999999h", "longer than a year"),
        (Span, "9" * 50 + "s", "a number with a unit"),
        (PositiveSpan, "0s", "no time at all"),
        (Bytes, 64, "64 has no unit"),
        (Bytes, "-1B", "negative"),
        (BytesPerSecond, 65, "65 has no unit"),
        (BytesPerSecond, "64KB", "has the unit 'KB'"),
        (BytesPerSecond, "-1B/s", "negative"),
        (JUST_TRUE, False, "true: it has no attributes"),
        (JUST_TRUE, {}, "an empty mapping"),
        (Percent, 30, "Write 30%."),
        (Percent, 0.3, "Write 30%."),
        (Percent, "0%", "out of range"),
        (PercentFromZero, "101%", "101% is out of range / at most 100%"),
        (PercentFromZero, 0, "Write 0%."),
        (Frequency, 50, "Write 50/s."),
        (Frequency, "50", "so many in a time, such as 50/s or 3000/min"),
        (Frequency, "50/ms", "found the text '50/ms'"),
        (Frequency, "0/s", "0/s is out of range"),
        (Frequency, "10001/s", "up to 10000/s"),
        (Frequency, True, "found true / so many"),
        (Percent, "101%", "out of range"),
        (Percent, "30", "a percentage"),
        (Percent, "9" * 400 + "%", "a percentage"),
        (Text, 3, "Put it in quotes."),
        (Text, ["a"], "a list"),
        (Text, "x" * 10_001, "10000 characters"),
        (Amount, False, "found false"),
        (Amount, "9" * 50, "a number, or one with a unit"),
        (TextOrTexts, [], "the list is empty"),
        (TextOrTexts, ["a", 3], "Put it in quotes."),
        (TextOrTexts, None, "nothing"),
        (Identifier, "with-draw", "no hyphen"),
        (Identifier, "2nd", "letters"),
        (DashedName, "a--b", "single hyphens"),
        (FolderName, "../up", "letters"),
        (FolderName, ".hidden", "letters"),
        (FolderName, "a" * 81, "up to 80"),
        (ExpressionText, "  ", "an expression"),
        (ExpressionText, True, "found true"),
        (Variables, {"a-b": 1}, "no name for a variable"),
        (Variables, {"rid": 1}, "filled in by the harness itself"),
        (Variables, {"folder": 1}, "filled in by the harness itself"),
        (Variables, {"a": []}, "the list is empty"),
    ],
)
def test_value_when_wrong_then_is_refused_with_a_way_out(hint, value, says):
    assert says in refused(hint, value)


@given(st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.none()) | st.just({1: 2}))
def test_value_when_anything_then_is_described(value):
    assert describe(value)


@given(st.text() | st.integers() | st.floats(allow_nan=False))
def test_quantity_when_anything_then_is_taken_or_refused(value):
    for hint in (Span, Bytes, BytesPerSecond, Percent, Frequency):
        try:
            made = taken(hint, value)
        except ValidationError:
            continue
        assert hint is not Percent or 0 < made <= 1
