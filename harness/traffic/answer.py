"""What came back for a request: an answer, or the reason why there is none. No socket enters here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.expressions.evaluate import EvaluationProblem
from harness.model.outcomes import Outcome, Unknown
from harness.model.units import Instant

_UNSORTED = Unknown("not sorted by an operation yet")


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
    """A rule asks for ``json``, and the body is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. ``sent`` is when its request's last byte went out."""

    status: int
    headers: Headers
    body: bytes
    sent: Instant
    first: Instant
    last: Instant
    outcome: Outcome = _UNSORTED

    def json(self) -> Any:
        """The body as JSON; numbers keep every digit.

        Raises:
            NotJson: it is none.
        """
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise NotJson("the body of the answer is not JSON") from error

    def values(self, names: tuple[str, ...] | None = None) -> Mapping[str, Any]:
        """What rules and captures may name; ``json`` is decoded only if ``names`` ask for it.

        Raises:
            NotJson: ``json`` is named, and the body is none.
        """
        values: dict[str, Any] = {"status": self.status, "headers": self.headers}
        if names is None or "body" in names:
            values["body"] = self.body.decode(errors="replace")
        if names is None or "elapsed" in names:
            values["elapsed"] = self.last - self.sent
        if names is not None and "json" in names:
            values["json"] = self.json()
        elif names is None:
            try:
                values["json"] = self.json()
            except NotJson:
                values["json"] = None
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer that counts. ``because`` is a short reason for people; what was seen of it stays."""

    because: str
    status: int | None = None
    first: Instant | None = None
    last: Instant
    outcome: Outcome = _UNSORTED
