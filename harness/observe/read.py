"""Reads one probe: stamps before and after, and names the probe in whatever goes wrong.

What is asked, and of whom, is the kind's: ``sql.py``, ``http.py`` and their neighbours.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.connections.pool import Connections
from harness.expressions.plain import Plain
from harness.model.errors import TargetError
from harness.model.events import ProbeRead, Purpose
from harness.model.plan import ProbePlan
from harness.model.units import Duration, Instant

# Longer than a sound query takes on a busy machine; a probe that hangs must not hang the run.
PROBE_LIMIT = Duration.of_s(10)


class Question(Protocol):
    """What each kind of probe can do."""

    async def read(
        self, connections: Connections, on: str, values: Mapping[str, Any], /
    ) -> Plain: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The value was true of the state at some moment from ``asked`` to ``answered``."""

    probe: str
    asked: Instant
    answered: Instant
    value: Any
    exact: bool

    @property
    def exact_value(self) -> Any:
        """What expressions compute with."""
        return Plain(self.value, self.exact).exact_value

    def as_event(self, *, purpose: Purpose, round: int | None) -> ProbeRead:
        """The reading for the journal."""
        return ProbeRead(
            probe=self.probe,
            purpose=purpose,
            round=round,
            asked=self.asked,
            answered=self.answered,
            value=self.value,
            exact=self.exact,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question with its name, its service and the values for its placeholders."""

    name: str
    on: str
    question: Question
    values: Mapping[str, Any]

    @classmethod
    def of(cls, question: Question, plan: ProbePlan, values: Mapping[str, Any]) -> "Probe":
        return cls(name=plan.name, on=plan.on, question=question, values=values)

    async def read(self, connections: Connections) -> Reading:
        """One reading.

        Raises:
            TargetError: there is none; the message is the target's own.
        """
        asked = time.monotonic_ns()
        try:
            value = await self.question.read(connections, self.on, self.values)
        except TargetError as failure:
            raise TargetError(f"probe {self.name}", self._placed(failure), failure.hint) from None
        return Reading(
            probe=self.name,
            asked=Instant.of_ns(asked),
            answered=Instant.of_ns(time.monotonic_ns()),
            value=value.value,
            exact=value.exact,
        )

    def _placed(self, failure: TargetError) -> str:
        """The target's words, with whatever the client said of itself beyond the service's name."""
        known = (f"probe {self.name}", f"service {self.on}")
        return failure.detail if failure.what in known else f"{failure.what}: {failure.detail}"
