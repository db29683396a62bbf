"""What one round shows: its calls, its readings, and what it lacks to count. Plain frozen values.

Nothing here judges. ``collect.py`` makes it from events, ``invariants/`` look at it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from harness.expressions.plain import Plain
from harness.model.events import NeverSettled, ProbeRead, Purpose, Settled
from harness.model.outcomes import OutcomeWord
from harness.model.units import Duration, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation: ``last`` and ``outcome`` are None if it never returned."""

    op: int
    operation: str
    burst: str
    sent: Instant
    rid: str = ""
    key: str | None = None
    """What its operation's own template says that its effect is named by; None without one."""
    began: Instant | None = None
    """When its first bytes may have gone out; a service may act before the last one."""
    due: Instant | None = None
    """When an open loop had planned it."""
    first: Instant | None = None
    last: Instant | None = None
    outcome: OutcomeWord | None = None
    because: str = ""
    """Why the outcome is unknown, such as ``answered 422``."""

    @property
    def effect(self) -> str:
        """What names its effect in the state; what is unique to each request where nothing is said."""
        return self.rid if self.key is None else self.key


def late_effects_of(evidence: "RoundEvidence") -> "Lack | None":
    """What a round leaves behind for all later ones: requests whose work may still be going on.

    An answer is no end of that: a 504 says that somebody no longer waits for a store that goes on.
    """
    unknown = sum(call.outcome not in ("acknowledged", "rejected") for call in evidence.calls)
    if not unknown:
        return None
    detail = (
        f"{unknown} of {len(evidence.calls)} outcomes of round {evidence.round} are unknown "
        f"({unknown_in_words(evidence.calls)}), so their effects may have landed later"
    )
    return Lack(short="late effects of an earlier round", detail=detail, withheld=True)


def hidden_reading(probe: str) -> "Lack":
    """Hidden as a secret in the journal, a value cannot be judged from it."""
    detail = (
        f"probe {probe} read a text that holds a secret, which the journal hides; "
        "let it read something else, or do not take that text from {env:…}, {file:…} or capture:"
    )
    return Lack(short="reading hidden", detail=detail, withheld=True)


def unknown_in_words(calls: Sequence[Call]) -> str:
    """Why outcomes are unknown, the commonest reason first: ``answered 422 × 30``."""
    reasons = Counter(
        call.because or "no answer"
        for call in calls
        if call.outcome not in ("acknowledged", "rejected")
    )
    return ", ".join(f"{reason} × {count}" for reason, count in reasons.most_common(3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of one probe: ``value`` is what the journal has, ``exact`` its exact form."""

    probe: str
    purpose: Purpose
    asked: Instant
    answered: Instant
    value: Any
    exact: Any
    hidden: bool = False

    @classmethod
    def of(cls, event: ProbeRead) -> "Reading":
        return cls(
            probe=event.probe,
            purpose=event.purpose,
            asked=event.asked,
            answered=event.answered,
            value=event.value,
            exact=Plain(event.value, event.exact).exact_value,
            hidden=event.hidden,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A closed stretch of time."""

    start: Instant
    end: Instant

    def holds(self, other: "Span | Reading") -> bool:
        start, end = (
            (other.asked, other.answered)
            if isinstance(other, Reading)
            else (other.start, other.end)
        )
        return self.start.ns <= start.ns and end.ns <= self.end.ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One reason why a round shows nothing. ``short`` is the same for all rounds with that reason.

    ``withheld`` when something is not in the journal that a sound run always leaves there, or that
    puts the whole run in doubt: then no other round makes up for it.
    """

    short: str
    detail: str
    withheld: bool = False
    about: Literal["round", "traffic", "fault", "settling"] = "round"


@dataclass(frozen=True, kw_only=True)
class RoundEvidence:
    """All that is known of one round once no more will come.

    ``tainted`` says why its state may bear the effects of an earlier round; then neither a violation
    nor holding can be told from it.
    """

    round: int
    finished: bool
    calls: tuple[Call, ...]
    readings: tuple[Reading, ...]
    settled: Settled | None
    never_settled: NeverSettled | None
    lacks: tuple[Lack, ...]
    tainted: Lack | None
    late: Lack | None = None
    """Why effects of an earlier round's requests, whose outcomes are unknown, may land in this one:
    then it may hold, and what looks like a violation proves nothing."""
    overlaps: Mapping[str, int]
    """Peak overlap at the front, by burst."""
    hop_overlaps: Mapping[str, int]
    spreads: Mapping[str, Duration]
    """From the first last byte to the last one, by burst."""

    @property
    def counts(self) -> bool:
        """True if the round tested anything; an invariant may ask for more."""
        return not self.lacks and self.tainted is None

    @property
    def overlap(self) -> int:
        return max(self.overlaps.values(), default=0)

    @cached_property
    def in_flight(self) -> tuple[Span, ...]:
        """The stretches of time in which at least one operation was certainly in flight."""
        spans: list[Span] = []
        for call in sorted(self.calls, key=lambda call: call.sent):
            end = call.last or call.sent
            if spans and not spans[-1].end < call.sent:
                spans[-1] = Span(start=spans[-1].start, end=max(spans[-1].end, end))
            else:
                spans.append(Span(start=call.sent, end=end))
        return tuple(spans)
