"""Expressions and templates within the files: do they parse, and do they name what there is?

Only names are compared here; nothing is evaluated or filled in.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.experiment.draft import Draft
from harness.experiment.nodes import Path
from harness.experiment.report import nearest, unknown
from harness.expressions.parse import Expression, ExpressionProblem, parse
from harness.expressions.template import Placeholder, Template, TemplateProblem

ANSWER_NAMES = ("status", "json", "headers", "body", "elapsed")
COMMAND_NAMES = ("exit_code", "output", "errors", "elapsed")
IN_REQUESTS = ("n", "round", "rid")
EVERYWHERE = ("folder",)
PARTS_OF_ADDRESS = ("url", "address", "host", "port")


def expression(draft: Draft, path: Path, source: str) -> Expression | None:
    """The parsed expression at ``path``, None if it is none; that is reported."""
    try:
        return parse(source)
    except ExpressionProblem as problem:
        found, _, hint = problem.message.partition("; ")
        draft.wrong(path, found, "", sentence(hint), column=problem.column)
        return None


def answer_expression(
    draft: Draft, path: Path, source: str | None, names: Collection[str] = ANSWER_NAMES
) -> None:
    """An expression about one answer: an outcome rule, a capture, the value of an HTTP probe.

    ``names`` is what the answer has: that of a request, or that of a command.
    """
    parsed = expression(draft, path, source) if source is not None else None
    if parsed is None:
        return
    for name in parsed.names:
        if name not in names:
            found, expected, hint = unknown("name", name, names)
            draft.wrong(
                path, found, expected, hint or _elsewhere(name), column=parsed.column_of(name)
            )
    for operation in parsed.counted:
        draft.wrong(
            path,
            f"the count of {operation!r} stands in an expression about one answer",
            f"only {', '.join(names)}",
            column=parsed.column_of(operation),
        )


def _elsewhere(name: str) -> str:
    """A hint for a name that the other sort of answer has."""
    if name in COMMAND_NAMES:
        return f"Only a command has {name}."
    return f"Only an answer over HTTP has {name}." if name in ANSWER_NAMES else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateNames:
    """What an expression about the state may name."""

    probes: Collection[str]
    operations: Collection[str]


def state_expression(draft: Draft, path: Path, source: str, names: StateNames) -> Expression | None:
    """An expression about probes and counts; unknown names are reported."""
    parsed = expression(draft, path, source)
    if parsed is None:
        return None
    for name in parsed.names:
        if name in names.probes:
            continue
        found, expected, hint = unknown("probe", name, names.probes)
        if not hint and name in names.operations:
            hint = f"To count an operation, write acknowledged({name})."
        elif not hint and (near := nearest(name, names.operations)) is not None:
            hint = f"To count the operation {near}, write acknowledged({near})."
        draft.wrong(path, found, expected, hint, column=parsed.column_of(name))
    for operation in parsed.counted:
        if operation not in names.operations:
            found, expected, hint = unknown("operation", operation, names.operations)
            draft.wrong(path, found, expected, hint, column=parsed.column_of(operation))
    return parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A placeholder and the place of the text that holds it."""

    path: Path
    placeholder: Placeholder

    @property
    def root(self) -> str:
        """The name before the first dot."""
        return self.placeholder.name.partition(".")[0]


def placeholders(draft: Draft, path: Path, value: Any) -> Iterator[Found]:
    """The placeholders in a text, list or mapping at ``path``; a broken template is reported."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from placeholders(draft, (*path, key), below)
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from placeholders(draft, (*path, index), below)
    elif isinstance(value, str):
        try:
            template = Template.parse(value)
        except TemplateProblem as problem:
            found, _, hint = problem.message.partition("; ")
            draft.wrong(path, found, "", sentence(hint), column=problem.column)
            return
        for placeholder in template.placeholders:
            yield Found(path=path, placeholder=placeholder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a template may name: plain names, and addresses of hops and services."""

    names: Collection[str]
    hops: Collection[str]
    services: Collection[str]


def unknown_placeholder(draft: Draft, found: Found, known: Known, hint: str = "") -> bool:
    """Reports a placeholder that names nothing; True if it did."""
    placeholder = found.placeholder
    if placeholder.source != "name" or found.root in known.names:
        return False
    if found.root in ("hops", "services"):
        return _unknown_address(draft, found, known)
    words, expected, near = unknown("placeholder", placeholder.name, known.names)
    draft.wrong(found.path, words, expected, near or hint, column=placeholder.column)
    return True


def _unknown_address(draft: Draft, found: Found, known: Known) -> bool:
    parts = found.placeholder.name.split(".")
    there = known.hops if parts[0] == "hops" else known.services
    column = found.placeholder.column
    if len(parts) != 3:
        example = f"{{{parts[0]}.{next(iter(there), 'name')}.url}}"
        draft.wrong(
            found.path,
            f"{found.placeholder.name!r} names no address",
            f"such as {example}",
            column=column,
        )
    elif parts[1] not in there:
        draft.wrong(
            found.path, *unknown(parts[0].removesuffix("s"), parts[1], there), column=column
        )
    elif parts[2] not in PARTS_OF_ADDRESS:
        draft.wrong(
            found.path, *unknown(f"part of {parts[1]}", parts[2], PARTS_OF_ADDRESS), column=column
        )
    else:
        return False
    return True


def sentence(text: str) -> str:
    """A hint as the end of a message."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""
