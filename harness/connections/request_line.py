"""The method and the path of a request: as written, and with its placeholders filled.

A value stays within its segment of the path, whatever it holds; what was written by hand stays as it
was written. Nothing is sent from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.connections.secrets import Sources
from harness.expressions.template import Template
from harness.model.errors import UserError

# What may stand in a path as written by hand: RFC 3986's reserved and unreserved characters, and
# `%` for what is encoded already. `#` would be cut off by nobody, so it is encoded.
_IN_PATH = "/?:@!$&'()*+,;=-._~%[]"


def method_and_path(line: str, *, what: str) -> tuple[str, str]:
    """Reads ``POST /reset``; ``what`` names it in the error.

    Raises:
        UserError: it is no such line.
    """
    method, _, path = line.strip().partition(" ")
    path = path.strip()
    if not method.isalpha() or not path.startswith("/"):
        raise UserError(
            f"{what}: {line!r} is no request.",
            hint="Write a method and a path, such as GET /items.",
        )
    return method.upper(), path


def on_the_wire(path: str) -> str:
    """A path in which every character may be sent; what is encoded already stays."""
    return quote(path, safe=_IN_PATH)


def encoded(value: Any) -> Any:
    """A value for use within a path: text percent-encoded, so that a slash stays in its segment."""
    match value:
        case str():
            return quote(value, safe="")
        case Mapping():
            return {key: encoded(item) for key, item in value.items()}
        case list() | tuple():
            return [encoded(item) for item in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with its placeholders found. Made by ``parse``."""

    template: Template
    roots: frozenset[str]

    @classmethod
    def parse(cls, path: str) -> "PathTemplate":
        """Raises:
        TemplateProblem: a brace out of place.
        """
        template = Template.parse(path)
        return cls(template, frozenset(root for name in template.names for root in _roots(name)))

    def fill(self, values: Mapping[str, Any], sources: Sources) -> str:
        """The path to send.

        Raises:
            TemplateProblem: a placeholder without a value.
        """
        within = {
            name: encoded(value) if name in self.roots else value for name, value in values.items()
        }
        path = self.template.fill(
            within,
            env=lambda name: str(encoded(sources.env(name))),
            file=lambda name: str(encoded(sources.file(name))),
        )
        return on_the_wire(str(path))


def _roots(name: str) -> list[str]:
    """``a.b.c`` may be found under ``a``, ``a.b`` or ``a.b.c``."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
