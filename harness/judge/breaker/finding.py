"""How an invariant says what it found. The forms refuse a verdict without what it must rest on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from harness.judge.breaker.known import SECOND, Joined
from harness.judge.breaker.statistics import zero_bound
from harness.model.breaker_findings import (
    BreakerCounterexample,
    BreakerFinding,
    Limit,
    Need,
    Observed,
    Severity,
    Statistics,
    Tolerance,
)

MOST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An invariant's own words: the same in each of its findings."""

    id: str
    name: str
    severity: Severity
    condition: str
    phases: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Draft:
    """Gathers what a finding rests on; one of the four verbs ends it."""

    subject: Subject
    limit: Limit | None = None
    observed: Observed | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    needs: list[Need] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    """What else is missing, a sentence each, beside needs that are not met."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    notes: list[str] = field(default_factory=list)
    rounds: int = 0

    def need(
        self,
        what: str,
        had: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        by_script: bool = False,
    ) -> bool:
        """Notes one need; True if it is met. ``by_script``: the script chooses how many there are."""
        one = Need(what=what, had=had, at_least=at_least, at_most=at_most, by_script=by_script)
        self.needs.append(one)
        return one.met

    @property
    def missing(self) -> tuple[str, ...]:
        """Everything that stands between this and ``held``."""
        return tuple(dict.fromkeys([*(n.words for n in self.needs if not n.met), *self.lacks]))

    def violated(self, summary: str, counterexample: BreakerCounterexample) -> BreakerFinding:
        return self._made("violated", summary, counterexample=counterexample)

    def held_or_inconclusive(self, summary: str, *, power: str) -> BreakerFinding:
        """Held if nothing is missing, else inconclusive with what is."""
        if self.missing:
            return self._made("inconclusive", "; ".join(self.missing))
        return self._made("held", summary, power=power)

    def inconclusive(self, because: str) -> BreakerFinding:
        self.lacks.append(because)
        return self._made("inconclusive", "; ".join(self.missing))

    def not_applicable(self, note: str) -> BreakerFinding:
        """``note`` names the key or the phase that it would need."""
        self.notes.append(note)
        return self._made("not-applicable", note)

    def _made(
        self,
        verdict: Any,
        summary: str,
        *,
        power: str = "",
        counterexample: BreakerCounterexample | None = None,
    ) -> BreakerFinding:
        return checked(
            BreakerFinding(
                id=self.subject.id,
                name=self.subject.name,
                verdict=verdict,
                severity=self.subject.severity,
                condition=self.subject.condition,
                summary=summary,
                limit=self.limit,
                observed=self.observed,
                tolerance=self.tolerance,
                needs=tuple(self.needs),
                missing=self.missing if verdict == "inconclusive" else (),
                power=power,
                statistics=self.statistics,
                samples=tuple(self.samples[:MOST_ROWS]),
                counterexample=counterexample,
                phases=self.subject.phases,
                rounds=self.rounds,
                notes=tuple(self.notes),
            )
        )


def exercised(finding: BreakerFinding, script: str) -> BreakerFinding:
    """The finding; where the quick script by itself has too little for it, it was not exercised.

    That is no lack of the run: a longer script has more. What was broken is broken all the same.
    """
    unmet = [need for need in finding.needs if not need.met]
    planned = {need.words for need in unmet if need.by_script}
    if script != "quick" or finding.verdict != "inconclusive" or set(finding.missing) != planned:
        return finding
    note = f"not exercised enough by the quick script: {'; '.join(finding.missing)}"
    return checked(
        replace(
            finding,
            verdict="not-applicable",
            summary=note,
            missing=(),
            notes=(*finding.notes, note),
        )
    )


def checked(finding: BreakerFinding) -> BreakerFinding:
    """The finding, if it rests on what its verdict must rest on (contract §7).

    Raises:
        ValueError: it does not, which is a mistake of the invariant that made it.
    """
    wrong = ""
    match finding.verdict:
        case "held" if finding.missing or not finding.power:
            wrong = "held without power"
        case "held" if not finding.needs:
            wrong = "held without a word of what it needed"
        case "violated" if finding.counterexample is None and finding.statistics.method == "none":
            wrong = "violated without a counterexample"
        case "inconclusive" if not finding.missing:
            wrong = "inconclusive without what was missing"
        case "not-applicable" if not finding.notes:
            wrong = "not applicable without a note"
        case _:
            return finding
    raise ValueError(f"{finding.id}: {wrong}")


def counterexample(
    text: str,
    deciding: Sequence[Joined],
    *,
    around: Iterable[Joined] = (),
    interval: tuple[int, int] | None = None,
    expected: str = "",
    got: str = "",
) -> BreakerCounterexample:
    """The deciding calls first, then those around them, each once, at most 50 rows.

    ``interval`` in nanoseconds.
    """
    chosen = list({joined.call.rid: joined for joined in [*deciding, *around]}.values())
    return BreakerCounterexample(
        text=text,
        rows=tuple(row(joined) for joined in chosen[:MOST_ROWS]),
        rows_left_out=max(0, len(chosen) - MOST_ROWS),
        interval=None if interval is None else (seconds(interval[0]), seconds(interval[1])),
        expected=expected,
        got=got,
    )


def row(joined: Joined) -> dict[str, Any]:
    """One joined call as the evidence shows it; times in seconds."""
    call = joined.call
    return {
        "rid": call.rid,
        "key": call.key,
        "phase": call.phase,
        "due": seconds(call.due),
        "sent": seconds(call.sent),
        "answered": None if call.ended is None else seconds(call.ended),
        "end": call.end,
        "status": call.status,
        "class": joined.cls,
        "flags": sorted(joined.flags),
        "arrivals": [
            {
                "conn": arrival.conn,
                "seq": arrival.seq,
                "attempt": attempt,
                "arrived": seconds(arrival.arrived),
                "ended": None if arrival.ended is None else seconds(arrival.ended),
                "end": arrival.end,
                "status": arrival.status,
                "injected": list(arrival.injected),
            }
            for attempt, arrival in enumerate(call.arrivals, 1)
        ],
    }


def seconds(ns: int) -> float:
    """Since the run's start, to the microsecond."""
    return round(ns / SECOND, 6)


def zero_of(count: int) -> str:
    """The sentence of power for none found in ``count`` (contract §5.2)."""
    if count < 1:
        return ""
    return (
        f"0 of {count}: a chance of {zero_bound(count):.1%} or more each would have shown "
        "with 95 % confidence"
    )
