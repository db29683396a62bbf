"""The variables of an operation or a burst, picked for one request. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.expressions.template import Template

Fill = Callable[[Template], Any]


@dataclass(frozen=True, slots=True)
class Variables:
    """A list gives each request its own value in turn and starts again at its end.

    Texts may hold placeholders for what is always there, such as ``{n}`` or ``{rid}``.
    """

    choices: Mapping[str, tuple[Any, ...]]

    @classmethod
    def compile(cls, variables: Mapping[str, Any]) -> "Variables":
        """Raises:
        TemplateProblem: a text with a brace out of place.
        """
        return cls(
            {
                name: tuple(map(_compiled, value if isinstance(value, list) and value else [value]))
                for name, value in variables.items()
            }
        )

    def pick(self, turn: int, fill: Fill) -> dict[str, Any]:
        """The values of the request number ``turn``, counted from 0."""
        picked: dict[str, Any] = {}
        for name, choices in self.choices.items():
            value = choices[turn % len(choices)]
            picked[name] = fill(value) if isinstance(value, Template) else value
        return picked


def _compiled(value: Any) -> Any:
    """A template, or the value itself where nothing is to be filled."""
    template = Template.parse(value)
    return template if template.placeholders or isinstance(value, str) else value
