"""The words of one value: names, durations, percents, expressions, each with its error.

A rule that needs a second key or another file is no rule of a word; it stands in ``checks/``.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.model.units import Duration, Rate, Size

# Longer texts are no number with a unit; and a number has to stay printable.
_MAX_QUANTITY = 40
_MAX_DURATION = Duration.of_s(366 * 24 * 3600)
_MAX_TEXT = 10_000


def problem(
    found: str, expected: str = "", hint: str = "", *, key: str = ""
) -> PydanticCustomError:
    """An error in the three parts that all our messages have; ``key`` is the key to blame."""
    parts = {"found": found, "expected": expected, "hint": hint, "key": key}
    return PydanticCustomError("problem", "{found}", parts)


def describe(value: object) -> str:  # noqa: PLR0911 - one line for each type that YAML has
    """A value in a few words, for messages."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            short = value if len(value) <= 60 else value[:57] + "…"
            return f"the text {short!r}"
        case list():
            return "a list"
        case dict():
            keys = ", ".join(map(str, list(value)[:6]))
            return f"a mapping with {keys}" if keys else "an empty mapping"
        case _:
            return type(value).__name__


def text(value: object) -> str:
    if isinstance(value, str):
        if len(value) > _MAX_TEXT:
            raise problem(f"the text has more than {_MAX_TEXT} characters", "a shorter one")
        return value
    quotes = isinstance(value, bool | int | float)
    raise problem(f"found {describe(value)}", "text", "Put it in quotes." if quotes else "")


Text = Annotated[str, PlainValidator(text), WithJsonSchema({"type": "string"})]


def _texts(value: object) -> str | list[str]:
    if not isinstance(value, list):
        return text(value)
    if not value:
        raise problem("the list is empty", "one text or more")
    return [text(item) for item in value]


TextOrTexts = Annotated[
    str | list[str],
    PlainValidator(_texts),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


def _amount(value: object) -> int | float | str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= _MAX_QUANTITY:
        return value
    raise problem(f"found {describe(value)}", "a number, or one with a unit")


# What its units may be is known to the kind that takes it.
Amount = Annotated[
    int | float | str,
    PlainValidator(_amount),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]


def _pattern(pattern: str, expected: str, hint: str = "") -> Any:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value):
            return value
        raise problem(f"{value!r} is no such name", expected, hint)

    return check


def _word(pattern: str, expected: str, hint: str = "") -> Any:
    return Annotated[
        str,
        PlainValidator(lambda value: _pattern(pattern, expected, hint)(text(value))),
        WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"}),
    ]


_PLAIN = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_DASHED = r"[A-Za-z_][A-Za-z0-9_]{0,99}(?:-[A-Za-z0-9_]{1,50}){0,10}"
_FILE_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"

# A name that expressions use: a hyphen would be a minus there.
Identifier = _word(
    _PLAIN, "letters, digits and _", "Expressions use this name, so it has no hyphen."
)
DashedName = _word(_DASHED, "letters, digits, _ and single hyphens, a letter first")
# A name that becomes part of the name of a run's folder.
FolderName = _word(_FILE_NAME, "letters, digits, hyphens, dots and _, up to 80")


def _quantity(value: object) -> object:
    if isinstance(value, str) and len(value) > _MAX_QUANTITY:
        raise problem(f"found {describe(value)}", "a number with a unit")
    return value


def _span(value: object) -> Duration:
    duration = Duration.parse(_quantity(value))
    if duration < Duration.ZERO:
        raise problem(f"{value} is negative", "a duration of zero or more")
    if duration > _MAX_DURATION:
        raise problem(f"{value} is longer than a year", "a shorter duration")
    return duration


def _positive(value: Duration) -> Duration:
    if not value:
        raise problem(f"{value.text()} is no time at all", "a duration above zero, such as 10s")
    return value


def _size(value: object) -> Size:
    size = Size.parse(_quantity(value))
    if size.bytes < 0:
        raise problem(f"{value} is negative", "a size of zero or more")
    return size


def _rate(value: object) -> Rate:
    rate = Rate.parse(_quantity(value))
    if rate.bytes_per_second < 0:
        raise problem(f"{value} is negative", "a rate of zero or more")
    return rate


def positive_span(value: object) -> Duration:
    """A duration above zero.

    Raises:
        PydanticCustomError: it is none.
        UnitProblem: it has no unit, or one that is not known.
    """
    return _positive(_span(value))


_SPAN_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^\s*\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|min|h)\s*$",
        "description": "a duration with its unit, such as 40ms or 10s",
    }
)
Span = Annotated[Duration, PlainValidator(_span), _SPAN_SCHEMA]
PositiveSpan = Annotated[Duration, PlainValidator(positive_span), _SPAN_SCHEMA]
Bytes = Annotated[
    Size,
    PlainValidator(_size),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB|GB|GiB)\s*$",
            "description": "a size with its unit, such as 64KiB; KB is 1,000 bytes",
        }
    ),
]
BytesPerSecond = Annotated[
    Rate,
    PlainValidator(_rate),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB|GB|GiB)/s\s*$",
            "description": "a rate with its unit, such as 100KB/s; KB is 1,000 bytes",
        }
    ),
]


def _just_true(value: object) -> bool:
    if value is True:
        return True
    hint = "Leave out what should not be." if value is False else ""
    raise problem(f"found {describe(value)}", "true: it has no attributes", hint)


JUST_TRUE = Annotated[bool, PlainValidator(_just_true), WithJsonSchema({"const": True})]


def _share(value: object, example: str) -> tuple[float, str]:
    """A percentage as a share, and its number as it was written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = value * 100 if 0 < value <= 1 else value
        raise problem(f"{value} has no unit", "", f"Write {whole:g}%.")
    found = (
        re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*%\s*", value)
        if isinstance(value, str)
        else None
    )
    if found is None:
        raise problem(f"found {describe(value)}", f"a percentage, such as {example}")
    return float(found[1]) / 100, found[1]


def percent(value: object) -> float:
    """A share above 0 %.

    Raises:
        PydanticCustomError: it has no unit, is none, or out of range.
    """
    share, written = _share(value, "30%")
    if not 0 < share <= 1:
        raise problem(f"{written}% is out of range", "more than 0% and at most 100%")
    return share


def _percent_from_zero(value: object) -> float:
    share, written = _share(value, "10%")
    if share > 1:
        raise problem(f"{written}% is out of range", "at most 100%")
    return share


_PERCENT_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "description": "such as 30%"}
)
Percent = Annotated[float, PlainValidator(percent), _PERCENT_SCHEMA]
PercentFromZero = Annotated[float, PlainValidator(_percent_from_zero), _PERCENT_SCHEMA]

MAX_PER_SECOND = 10_000
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def _frequency(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise problem(f"{value} has no unit", "", f"Write {value}/s.")
    found = (
        re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*/\s*(s|min|h)\s*", value)
        if isinstance(value, str)
        else None
    )
    if found is None:
        raise problem(f"found {describe(value)}", "so many in a time, such as 50/s or 3000/min")
    rate = float(found[1]) / _SECONDS[found[2]]
    if not 0 < rate <= MAX_PER_SECOND:
        raise problem(f"{found[0].strip()} is out of range", f"up to {MAX_PER_SECOND}/s")
    return rate


# So many requests a second, from any unit of time.
Frequency = Annotated[
    float,
    PlainValidator(_frequency),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*\d+(\.\d+)?\s*/\s*(s|min|h)\s*$",
            "description": "so many in a time, such as 50/s or 3000/min",
        }
    ),
]


def _expression(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise problem(f"found {describe(value)}", "an expression, such as balance >= 0")


# Read in `checks/`, where the names are known; here it is only text.
ExpressionText = Annotated[
    str, PlainValidator(_expression), WithJsonSchema({"type": "string", "minLength": 1})
]

_VARIABLE = re.compile(_PLAIN)
RESERVED = ("n", "round", "rid", "variant", "port", "folder", "hops", "services")


def variable_name(value: str) -> str:
    """A name for a variable or capture.

    Raises:
        PydanticCustomError: it cannot stand in braces, or the harness fills it itself.
    """
    if value in RESERVED:
        raise problem(f"{value!r} is filled in by the harness itself", "another name")
    if not _VARIABLE.fullmatch(value):
        raise problem(f"{value!r} is no name for a variable", "letters, digits and _")
    return value


VariableName = Annotated[str, AfterValidator(variable_name)]


def _variable_value(value: object) -> object:
    if isinstance(value, list) and not value:
        raise problem("the list is empty", "a value for each request")
    return value


Variables = dict[VariableName, Annotated[Any, BeforeValidator(_variable_value)]]
