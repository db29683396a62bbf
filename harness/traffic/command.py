"""An operation that is a command: its words and its environment, filled for one run of it.

The command is split into words before its templates are filled, so no value can become a second
argument; there is no shell. Nothing is started here; ``gate.py`` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.connections.secrets import Sources
from harness.expressions.template import Template, TemplateProblem
from harness.model.errors import UserError
from harness.model.plan import CommandCall
from harness.model.units import Duration
from harness.processes.command import words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One run of an operation. ``env`` is what it has beyond that of all programs of the run."""

    operation: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    timeout: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTemplate:
    """A command with its placeholders found."""

    what: str
    words: Template
    env: Template
    sources: Sources

    @classmethod
    def compile(cls, call: CommandCall, *, what: str, sources: Sources) -> "CommandTemplate":
        """``what`` names it in errors; ``sources`` answer ``{env:…}`` and ``{file:…}``.

        Raises:
            UserError: an open quote, or a brace out of place.
        """
        try:
            words = Template.parse(words_of(call.command, what=what))
            env = Template.parse(call.env)
        except TemplateProblem as problem:
            raise UserError(f"{what}: {problem}") from problem
        return cls(what=what, words=words, env=env, sources=sources)

    def fill(self, values: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
        """The arguments, and the variables of its own.

        Raises:
            UserError: a placeholder without a value, or a value that is no text.
        """
        try:
            words, env = self._filled(self.words, values), self._filled(self.env, values)
            return tuple(map(as_text, words)), {key: as_text(each) for key, each in env.items()}
        except (TemplateProblem, UserError) as problem:
            raise UserError(f"{self.what}: {problem}") from problem

    def _filled(self, template: Template, values: Mapping[str, Any]) -> Any:
        return template.fill(values, env=self.sources.env, file=self.sources.file)


def as_text(value: Any) -> str:
    """A filled value as an argument or a key, spelt as it is within a text.

    Raises:
        UserError: a list, a map or nothing, or a text with a zero byte.
    """
    match value:
        case str():
            if "\0" in value:
                raise UserError(f"{value!r} holds a zero byte, which no argument can.")
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case None | list() | tuple() | Mapping():
            raise UserError(f"{value!r} is no text.", hint="Look at what fills its {placeholders}.")
        case _:
            text = getattr(value, "text", None)
            return str(text()) if callable(text) else str(value)
