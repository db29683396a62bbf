"""A validator's errors in our words: what was found, what was expected, how to go on.

Where they stand in the file is ``report.py``.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from harness.experiment.nodes import Node, Path, child, find
from harness.experiment.report import Report, nearest, unknown
from harness.experiment.words import describe, problem

# Keys that stand in the other of the two files.
_ELSEWHERE = {
    **dict.fromkeys(("services", "hops", "reset", "operations", "probes", "allow_hosts"), "target"),
    **dict.fromkeys(
        (
            "steady_state",
            "recovers_within",
            "rounds",
            "method",
            "breaker",
            "invariants",
            "settle",
            "prepare",
            "time",
        ),
        "experiment",
    ),
}


class Strict(BaseModel):
    """A mapping whose keys are all known, and whose values are what they look like."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_known_keys(
        cls, data: Any, handler: ModelWrapValidatorHandler["Strict"]
    ) -> "Strict":
        """Gives an unknown key's error the keys that are known here, which pydantic does not keep,
        and refuses keys with nothing behind them: they would pass for keys that are not there."""
        empty = _empty_keys(data, cls)
        wrong = [
            InitErrorDetails(
                type=problem("there is nothing behind the colon", "a value, or no key", key=key),
                loc=(),
                input=None,
            )
            for key in empty
        ]
        made = None
        try:
            made = handler({k: v for k, v in data.items() if k not in empty} if empty else data)
        except ValidationError as error:
            wrong += [
                _with_known(detail, cls)
                for detail in error.errors(include_url=False)
                if detail["loc"] not in {(key,) for key in empty}
            ]
        if made is None or wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return made


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a model as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _empty_keys(data: Any, model: type[BaseModel]) -> list[str]:
    if not isinstance(data, dict):
        return []
    # A body of `json: null` is a body.
    return [key for key in keys_of(model) if key != "json" and key in data and data[key] is None]


def _with_known(detail: ErrorDetails, model: type[BaseModel]) -> InitErrorDetails:
    kind: str | PydanticCustomError = detail["type"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden" and len(detail["loc"]) == 1:
        kind = PydanticCustomError("unknown_key", "unknown key", {"known": keys_of(model)})
    elif kind in ("problem", "unknown_key"):
        kind = PydanticCustomError(kind, "{found}" if kind == "problem" else "unknown key", context)
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=context)


def report_errors(error: ValidationError, root: Node, path: Path, report: Report) -> None:
    """Reports every error of one validation of what stands at ``path``."""
    for detail in error.errors(include_url=False):
        loc = tuple(part for part in detail["loc"] if not str(part).startswith("<"))
        at_key = bool(loc) and loc[-1] == "[key]"
        where: Path = (*path, *(part for part in loc if part != "[key]"))
        found, expected, hint = words_of(detail)
        kind = detail["type"]
        if kind in ("unknown_key", "extra_forbidden"):
            at_key = True
            hint = hint or _comma_hint(root, where)
        if kind == "missing":
            where = where[:-1]
        if kind == "problem" and detail["ctx"]["key"]:
            where, at_key = (*where, detail["ctx"]["key"]), True
        report.at(root, where, found, expected, hint, at_key=at_key)


# Keys whose absence would only make more errors of names that then lack a value.
_NEEDED = frozenset(
    {"vars", "capture", "env", "headers", "json", "body", "operations", "on", "from", "listen"}
)


def without_wrong(value: Any, error: ValidationError) -> Any:
    """``value`` without the keys that are wrong by themselves, so that the rest can still be looked
    at; None if something is wrong that cannot be left out."""
    for detail in error.errors(include_url=False):
        loc = [part for part in detail["loc"] if not str(part).startswith("<")]
        if detail["type"] == "problem" and detail["ctx"]["key"]:
            loc.append(detail["ctx"]["key"])
        if detail["type"] == "missing" or not loc or _NEEDED.intersection(map(str, loc)):
            return None
        value = _without(value, loc)
    return value


def _without(value: Any, path: list[Any]) -> Any:
    if not isinstance(value, dict) or not path:
        return value
    first, *rest = path
    if first not in value:
        return _without(value, rest)
    if not rest or not isinstance(value[first], dict):
        return {key: below for key, below in value.items() if key != first}
    return {**value, first: _without(value[first], rest)}


def words_of(detail: ErrorDetails) -> tuple[str, str, str]:  # noqa: PLR0911 - one line for each sort
    """Found, expected and hint."""
    context: Mapping[str, Any] = detail.get("ctx", {})
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    value, kind = detail["input"], detail["type"]
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map({"expected": "another value", **context})
        return f"found {describe(value)}", expected, _hint(kind, value, expected)
    match kind:
        case "problem":
            return context["found"], context["expected"], context["hint"]
        case "unknown_key":
            return unknown_key(last, context["known"])
        case "missing":
            return f"the key {last!r} is missing", "", ""
        case "value_error":
            found, _, hint = str(context.get("error", detail["msg"])).partition("; ")
            return found, "", f"{hint[:1].upper()}{hint[1:]}." if hint else ""
        case "too_short":
            return "there is nothing in it", "at least one", ""
        case _:
            return str(detail["msg"]), "", ""


def _hint(kind: str, value: Any, expected: str) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "Put it in quotes."
    if kind == "literal_error" and isinstance(value, str):
        choices = re.findall(r"'([^']*)'", expected)
        near = nearest(value, choices) if len(choices) > 1 else None
        return f"Did you mean {near}?" if near else ""
    return ""


_EXPECTED = {
    "literal_error": "{expected}",
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), "a whole number"),
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping"),
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
}


def unknown_key(key: str, known: list[str]) -> tuple[str, str, str]:
    """Found, expected and hint for a key that is none of ``known``."""
    found, expected, hint = unknown("key", key, known)
    other = _ELSEWHERE.get(key)
    if not hint and other is not None:
        hint = f"This key belongs into the {other} file."
    return found, expected, hint


def _comma_hint(root: Node, path: Path) -> str:
    """Keys that are no words come from a comma in braces."""
    above = find(root, path[:-1])
    below = child(above, path[-1]) if path else None
    if below is not None and " " in str(path[-1]):
        return "Text with a comma inside braces must be in quotes."
    return ""
