"""Texts with ``{placeholders}``, alone or within lists and maps: parsed once, filled at the moment of use.

Nothing is evaluated in a template; a path such as ``{json.token}`` only looks into maps and lists.
Reading the environment or a file is the caller's: both come in as functions.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from harness.model.units import Duration, Size

MAX_DEPTH = 50

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_FILE = re.compile(r"file:(.+)")


class TemplateProblem(ValueError):
    """A template that cannot be read or filled.

    ``column`` counts from 1 within its text, None where the problem has no place in a text.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        self.message = message
        self.column = column
        super().__init__(message if column is None else f"{message} (column {column})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    source: Literal["name", "env", "file"]
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class _Text:
    """Literal texts and placeholders in turn."""

    parts: tuple[str | Placeholder, ...]


@dataclass(frozen=True, slots=True)
class _Plain:
    value: Any


@dataclass(frozen=True, slots=True)
class _Items:
    items: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Entries:
    entries: tuple[tuple[Any, "_Node"], ...]


_Node = Placeholder | _Text | _Plain | _Items | _Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A value of text, lists and maps with its placeholders found. Keys of maps are taken as they are."""

    root: _Node

    @classmethod
    def parse(cls, value: Any) -> "Template":
        """Finds the placeholders of ``value``.

        Raises:
            TemplateProblem: a brace without its partner, or no name between the two.
        """
        return cls(root=_parse(value, 1))

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """All placeholders in the order of the source."""
        return tuple(_placeholders(self.root))

    @property
    def names(self) -> tuple[str, ...]:
        """The names to be filled, with their paths, such as ``hops.db.url``; each once."""
        return self._of("name")

    @property
    def environment(self) -> tuple[str, ...]:
        """The environment variables it asks for."""
        return self._of("env")

    @property
    def files(self) -> tuple[str, ...]:
        """The files it asks for, as written."""
        return self._of("file")

    def _of(self, source: Literal["name", "env", "file"]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.name for p in self.placeholders if p.source == source))

    def fill(
        self,
        values: Mapping[str, Any],
        *,
        env: Callable[[str], str],
        file: Callable[[str], str],
    ) -> Any:
        """The value with every placeholder filled. A text that is one placeholder keeps its type.

        ``values`` may hold a dotted name as one key, or maps within maps.

        Raises:
            TemplateProblem: a name without a value, or a list or map in the middle of a text.
        """

        def look_up(placeholder: Placeholder) -> Any:
            match placeholder.source:
                case "env":
                    return env(placeholder.name)
                case "file":
                    return file(placeholder.name)
                case "name":
                    return _look_up(placeholder, values)

        return _fill(self.root, look_up)


def _parse(value: Any, depth: int) -> _Node:
    if depth > MAX_DEPTH:
        raise TemplateProblem(f"the value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, list | tuple):
        return _Items(tuple(_parse(item, depth + 1) for item in value))
    if isinstance(value, Mapping):
        return _Entries(tuple((key, _parse(item, depth + 1)) for key, item in value.items()))
    return _Plain(value)


def _parse_text(text: str) -> _Node:
    parts: list[str | Placeholder] = []
    at = 0
    while at < len(text):
        brace = re.compile(r"[{}]").search(text, at)
        if brace is None:
            parts.append(text[at:])
            break
        if brace.start() > at:
            parts.append(text[at : brace.start()])
        if text.startswith(brace[0] * 2, brace.start()):
            parts.append(brace[0])
            at = brace.start() + 2
            continue
        if brace[0] == "}":
            raise TemplateProblem(
                "'}' closes nothing; a brace itself is written }}", brace.start() + 1
            )
        end = text.find("}", brace.start())
        if end < 0:
            raise TemplateProblem(
                "'{' is never closed; a brace itself is written {{", brace.start() + 1
            )
        parts.append(_placeholder(text[brace.start() + 1 : end], brace.start() + 1))
        at = end + 1
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return parts[0]
    return (
        _Text(tuple(parts))
        if any(isinstance(p, Placeholder) for p in parts)
        else _Plain("".join(map(str, parts)))
    )


def _placeholder(inside: str, column: int) -> Placeholder:
    word = inside.strip()
    if found := _ENV.fullmatch(word):
        return Placeholder(source="env", name=found[1], column=column)
    if found := _FILE.fullmatch(word):
        return Placeholder(source="file", name=found[1], column=column)
    if _NAME.fullmatch(word):
        return Placeholder(source="name", name=word, column=column)
    raise TemplateProblem(
        f"{'{' + inside + '}'!r} names nothing; write {{name}}, {{env:NAME}} or {{file:PATH}}, "
        "and {{ and }} for braces themselves",
        column,
    )


def _placeholders(node: _Node) -> Iterator[Placeholder]:
    match node:
        case Placeholder():
            yield node
        case _Text(parts=parts):
            yield from (part for part in parts if isinstance(part, Placeholder))
        case _Items(items=items):
            for item in items:
                yield from _placeholders(item)
        case _Entries(entries=entries):
            for _, entry in entries:
                yield from _placeholders(entry)
        case _Plain():
            return


def _fill(node: _Node, look_up: Callable[[Placeholder], Any]) -> Any:
    match node:
        case Placeholder():
            return look_up(node)
        case _Text(parts=parts):
            return "".join(
                part if isinstance(part, str) else _as_text(part, look_up(part)) for part in parts
            )
        case _Items(items=items):
            return [_fill(item, look_up) for item in items]
        case _Entries(entries=entries):
            return {key: _fill(entry, look_up) for key, entry in entries}
        case _Plain(value=value):
            return value


def _look_up(placeholder: Placeholder, values: Mapping[str, Any]) -> Any:
    parts = placeholder.name.split(".")
    # The longest key first: hops.db.url may be one key, or maps within maps.
    for length in range(len(parts), 0, -1):
        key = ".".join(parts[:length])
        if key in values:
            return _descend(placeholder, values[key], parts[length:])
    known = ", ".join(sorted(values)) or "none"
    raise TemplateProblem(
        f"{placeholder.name!r} has no value; known are {known}", placeholder.column
    )


def _descend(placeholder: Placeholder, value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise TemplateProblem(
                f"{placeholder.name!r} has no value: nothing is called {part!r} there",
                placeholder.column,
            )
    return value


def _as_text(placeholder: Placeholder, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case Duration() | Size():
            return value.text()
        case _:
            what = "null" if value is None else f"a {type(value).__name__}"
            raise TemplateProblem(
                f"{placeholder.name!r} is {what} and cannot stand within a text", placeholder.column
            )
