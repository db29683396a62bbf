"""What an expression sees of an HTTP answer: the same for rules, captures and probes. No socket enters here."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from harness.expressions.evaluate import EvaluationProblem
from harness.model.units import Duration

_SHOWN = 200


class Headers(dict[str, str]):
    """Headers by lower-case name, found in any spelling; those sent twice are joined by a comma."""

    def __missing__(self, name: str) -> str:
        lower = name.lower()
        if lower == name:
            raise KeyError(name)
        return self[lower]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def append(self, name: str, value: str) -> None:
        lower = name.lower()
        self[lower] = f"{self[lower]}, {value}" if lower in self else value


class NotJson(EvaluationProblem):
    """An expression asks for ``json``, and the body is none."""


def json_of(body: bytes) -> Any:
    """The body as JSON; numbers keep every digit.

    Raises:
        NotJson: it is none.
    """
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise NotJson("the body of the answer is not JSON") from error


class Seen(Mapping[str, Any]):
    """``status``, ``headers``, ``body``, ``elapsed`` and ``json``, each made when it is asked for.

    Asking for ``json`` raises ``NotJson`` where the body is none.
    """

    def __init__(self, *, status: int, headers: Headers, body: bytes, elapsed: Duration) -> None:
        self._body = body
        self._known: dict[str, Any] = {"status": status, "headers": headers, "elapsed": elapsed}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            match name:
                case "body":
                    self._known[name] = self._body.decode(errors="replace")
                case "json":
                    self._known[name] = json_of(self._body)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("status", "headers", "body", "elapsed", "json"))

    def __len__(self) -> int:
        return 5


def start_of(body: bytes) -> str:
    """The first of a body for people, in quotes: a page of HTML tells no more than its title."""
    text = body[: 4 * (_SHOWN + 1)].decode(errors="replace")
    return repr(text[:_SHOWN] + ("…" if len(text) > _SHOWN else ""))
