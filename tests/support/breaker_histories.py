"""Histories of a breaker, written call by call in virtual milliseconds, in the contract's letters.

``F`` a failing call (forwarded, 500), ``S`` a good one, ``I`` an ignored one (404), ``R`` rejected
(503, no arrival), ``B`` rejected with a fallback (200, no arrival), ``T`` given up by the service at its
call time-out, ``X`` cut by the fault, ``L`` left by its caller while it hung, ``H`` hung without any
end, ``U`` reset before the service, with no arrival.

A call that takes 5 is sent at 0, arrives at 1, ends at the hop at 4 and is answered at 5. What a test
does not say is as it must be for the invariant to be judged: a good baseline comes first, load is as
planned, faults are seen. A test then takes away what it is about.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.judge.breaker.judge import judge
from harness.judge.breaker.know import know
from harness.judge.breaker.known import Known
from harness.judge.breaker.registry import invariant
from harness.model.breaker_findings import BreakerFinding, BreakerResult
from harness.model.breaker_history import (
    Answer,
    Arrival,
    ArrivalEnd,
    BreakerHistory,
    Call,
    CallEnd,
    FaultSpan,
    Phase,
    Sample,
)
from tests.support.breaker_declared import declared_plan

MS = 1_000_000
_TOKEN = re.compile(r"(\d*)([A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What a letter stands for; spans in ms, None where the call has none of it."""

    status: int | None
    answer: Answer
    lasts: float | None
    arrives: float | None = 1
    arrival_status: int | None = None
    arrival_end: ArrivalEnd = "answered"
    end: CallEnd = "answered"


_KINDS: dict[str, _Kind] = {
    "F": _Kind(status=500, answer="other", lasts=5, arrival_status=500),
    "S": _Kind(status=200, answer="success", lasts=5, arrival_status=200),
    "I": _Kind(status=404, answer="other", lasts=5, arrival_status=404),
    "R": _Kind(status=503, answer="rejection", lasts=1, arrives=None),
    "B": _Kind(status=200, answer="fallback", lasts=1, arrives=None),
    "T": _Kind(status=504, answer="other", lasts=None, arrival_end="abandoned"),
    "X": _Kind(status=502, answer="other", lasts=5, arrival_end="cut"),
    "L": _Kind(status=None, answer="none", lasts=50, arrival_end="abandoned", end="left"),
    "H": _Kind(status=None, answer="none", lasts=None, arrival_end="open", end="open"),
    "U": _Kind(status=None, answer="none", lasts=1, arrives=None, end="reset"),
}


@dataclass(slots=True, kw_only=True)
class _Open:
    """The phase being written; instants in ms since the run's start."""

    id: str
    number: int
    name: str
    at: float
    round: int
    fault: str | None
    rate: float | None
    planned: int | None
    callers: int | None
    other: dict[str, Any]
    given: dict[str, Any]
    spans: list[FaultSpan] = field(default_factory=list)
    calls: int = 0
    hit: int = 0
    """Arrivals that a fault could have hit."""


class Story:
    """Writes one history. Times in ms; ``None`` for what is not declared.

    Beside ``BreakerPlan``'s own keys (given as they are), these are short for its parts: ``to_close``,
    ``to_reopen``, ``lost_after``, ``others``, ``factor``, ``at_most``, ``jitter``, ``window`` (calls, or
    ms for a time window), ``slow``, ``slow_share``, ``within``, ``rejection_status``, ``attempts``,
    ``budget``, ``around``, ``reaction``, ``recovers_within``. ``call_timeout="none"`` declares that there
    is none. ``baseline`` good calls come first; 0 leaves that phase out.
    """

    def __init__(
        self,
        *,
        threshold: int | None = 5,
        open: float | None = 1000,
        permits: int | None = 1,
        call_timeout: float | str | None = 300,
        rate: float = 100,
        baseline: int = 200,
        uncertainty: float = 0,
        instances_seen: int = 1,
        readable: bool = True,
        **declared: Any,
    ) -> None:
        self.declared = declared_plan(
            threshold=threshold,
            open_for=open,
            permits=permits,
            call_timeout=call_timeout,
            **declared,
        )
        self.timeout = call_timeout if isinstance(call_timeout, int | float) else 300
        self.rate = rate
        self.now: float = 0
        """The cursor: where the next call or phase begins, in ms since the run's start."""
        self._baseline = baseline
        self._uncertainty = uncertainty
        self._instances_seen = instances_seen
        self._readable = readable
        self._calls: list[Call] = []
        self._strays: list[Arrival] = []
        self._samples: list[Sample] = []
        self._gaps: list[tuple[int, int]] = []
        self._phases: list[Phase] = []
        self._faults: list[FaultSpan] = []
        self._phase: _Open | None = None
        self._last_end: float = 0
        self._conns = 0

    # Phases

    def baseline(self, calls: int = 200, *, letter: str = "S", **more: Any) -> None:
        """Phase 1: ``calls`` good ones at the rate."""
        self._baseline = 0
        self.phase(1, "baseline", **more)
        self.write(f"{calls}{letter}", every=1000 / self.rate)

    def phase(
        self,
        number: int,
        name: str,
        *,
        fault: str | None = None,
        round: int = 1,
        rate: float | None = None,
        planned: int | None = None,
        callers: int | None = None,
        given: Mapping[str, Any] | None = None,
        **other: Any,
    ) -> str:
        """Begins a phase at the cursor, once the calls before have ended; ``heal`` (6) goes on at once.

        ``latency`` and ``lag`` in ms; ``reached``, ``why``, ``capped`` as they are. Returns its id.
        """
        if self._baseline and number > 1:
            self.baseline(self._baseline)
        self._close()
        if number != 6:
            self.now = max(self.now, self._last_end + 10) if self._phases else self.now
        name_of_fault = f"-{fault}" if fault and name == "outage" else ""
        same = f"{name}{name_of_fault}"
        before = sum(phase.id.split("#")[0] == same for phase in self._phases)
        self._phase = _Open(
            id=same if not before else f"{same}#{before + 1}",
            number=number,
            name=name,
            at=self.now,
            round=round if round > 1 else before + 1,
            fault=fault,
            rate=rate,
            planned=planned,
            callers=callers,
            other=other,
            given=dict(given or {}),
        )
        return self._phase.id

    def fault(
        self,
        kind: str,
        *,
        applied: tuple[float, float] = (0, 0),
        undone: tuple[float, float] | None = None,
        injected: int = 1,
        needs_seen: bool = True,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """A fault at the hop in the present phase, in the place of the one that comes by itself.

        ``applied`` and ``undone`` are relative to the phase's start.
        """
        phase = self._present()
        phase.spans.append(
            FaultSpan(
                phase=phase.id,
                kind=kind,
                params=dict(params or {}),
                applied=(self._ns(applied[0]), self._ns(applied[1])),
                undone=None if undone is None else (self._ns(undone[0]), self._ns(undone[1])),
                injected=injected,
                needs_seen=needs_seen,
            )
        )

    def silence(self, ms: float) -> None:
        """Nobody calls for so long."""
        self.now += ms

    @property
    def at(self) -> float:
        """The cursor, relative to the present phase's start."""
        return self.now - self._present().at

    # Calls

    def write(
        self, text: str, *, every: float | None = None, gap: float = 0, **each: Any
    ) -> list[str]:
        """One call a letter, ``60R`` for sixty; spaces do not matter. Returns the ids.

        Sequential, the next ``gap`` after the one before has ended; or one ``every`` so many ms, whatever
        the ones before do. ``each``: as for ``call``.
        """
        rids = []
        if every is not None and self._present().rate is None:
            self._present().rate = 1000 / every
        for letter in letters(text):
            at = self.at
            rids.append(self.call(letter, at=at, **each))
            ended = self._calls[-1].ended
            if every is not None:
                self.now = self._present().at + at + every
            elif ended is not None:
                self.now = ended / MS + gap
        return rids

    def burst(
        self,
        callers: int,
        *,
        spread: float = 10,
        outcomes: str | Mapping[str, int] = "",
        lasts: Mapping[str, float] | None = None,
        given: bool = True,
        **each: Any,
    ) -> list[str]:
        """So many callers at once, sent evenly within ``spread``, the first of them first in ``outcomes``.

        ``outcomes``: ``{"S": 1, "R": 99}`` or ``"S99R"``. ``lasts``: ms by letter. The phase gets its
        ``callers`` and, if ``given``, the measured spread. The cursor moves to the last one's sending.
        """
        phase = self._present()
        phase.callers = callers
        if given:
            phase.given.setdefault("spread", round(spread * MS))
        text = outcomes if isinstance(outcomes, str) else _text(outcomes)
        course = letters(text)
        if len(course) != callers:
            raise ValueError(f"{callers} callers, but {len(course)} outcomes")
        start, gap = self.at, spread / max(1, callers - 1)
        rids = []
        for index, letter in enumerate(course):
            own = {"lasts": lasts[letter]} if lasts and letter in lasts else {}
            rids.append(self.call(letter, at=start + index * gap, due=start, **{**each, **own}))
        self.now = phase.at + start + spread
        return rids

    def call(
        self,
        letter: str,
        *,
        at: float | None = None,
        due: float | None = None,
        lasts: float | None = None,
        arrives: float | None = 1,
        answered: float | None = None,
        ended: float | None = None,
        key: str = "",
        status: int | None = None,
        answer: Answer | None = None,
        end: CallEnd | None = None,
        arrival_end: ArrivalEnd | None = None,
        arrival_status: int | None = None,
        arrivals: Sequence[Mapping[str, Any]] | None = None,
        instance: str | None = None,
        rid: str | None = None,
        method: str = "GET",
        began: bool | None = None,
        injected: tuple[str, ...] = (),
    ) -> str:
        """One call, exactly. ``at``, ``due``, ``answered`` and ``ended`` are instants, relative to the phase's start.

        ``lasts`` (until the caller's end) and ``arrives`` (until the head is at the hop; None: never)
        are spans from its sending. ``ended`` is when the arrival ended at the hop, else 1 before the
        caller's end (1 after it for one who left). ``arrivals`` replaces the one by several: each a map
        with ``at`` and ``ended`` (instants), and ``end``, ``status``, ``began``, ``conn`` or ``instance``.
        The cursor does not move.
        """
        phase = self._present()
        kind = _KINDS[letter]
        at = self.at if at is None else at
        if lasts is None:
            lasts = self.timeout + 1 if letter == "T" else kind.lasts
        over = answered if answered is not None else (None if lasts is None else at + lasts)
        rid = rid or f"r{len(self._calls) + 1:05d}"
        seen: list[Arrival] = []
        if arrivals is not None:
            seen = [self._attempt(rid, kind, method, one) for one in arrivals]
        elif kind.arrives is not None and arrives is not None:
            if ended is None:
                ended = _end_at_hop(letter, at, arrives, over)
            one = {"at": at + arrives, "ended": ended, "instance": instance, "injected": injected}
            one |= {"end": arrival_end or kind.arrival_end, "began": began}
            one["status"] = kind.arrival_status if arrival_status is None else arrival_status
            seen = [self._attempt(rid, kind, method, one)]
        self._calls.append(
            Call(
                rid=rid,
                phase=phase.id,
                due=self._ns(at if due is None else due),
                sent=self._ns(at),
                key=key,
                ended=None if over is None else self._ns(over),
                end=end or kind.end,
                status=kind.status if status is None else status,
                answer=answer or kind.answer,
                arrivals=tuple(seen),
            )
        )
        self._note(phase, letter, over, seen)
        return rid

    def stray(self, *, at: float, ended: float | None = None, status: int = 200) -> None:
        """An arrival that no call of ours made; relative to the phase's start."""
        over = at + 5 if ended is None else ended
        arrival = self._attempt(None, _KINDS["S"], "GET", {"at": at, "ended": over})
        self._strays.append(arrival)

    def gap(self, since: float, until: float) -> None:
        """The hop's log of this stretch was lost; relative to the phase's start."""
        self._gaps.append((self._ns(since), self._ns(until)))

    def sample(self, *, at: float | None = None, pid: int = 1, **read: Any) -> None:
        """A look at the service's process, at the cursor or relative to the phase's start."""
        when = self._ns(self.at if at is None else at)
        self._samples.append(Sample(at=when, phase=self._present().id, pid=pid, **read))

    # What comes of it

    def history(self) -> BreakerHistory:
        """The history so far; the story may go on after."""
        phases, faults = list(self._phases), list(self._faults)
        if self._phase is not None:
            phases.append(self._finished(self._phase))
            faults += self._spans(self._phase)
        return BreakerHistory(
            declared=self.declared,
            phases=tuple(phases),
            calls=tuple(sorted(self._calls, key=lambda call: call.sent)),
            strays=tuple(sorted(self._strays, key=lambda arrival: arrival.arrived)),
            faults=tuple(faults),
            samples=tuple(self._samples),
            gaps=tuple(self._gaps),
            uncertainty=round(self._uncertainty * MS),
            instances_seen=self._instances_seen,
            readable=self._readable,
        )

    def known(self) -> Known:
        return know(self.history())

    def judge(self, number: str) -> BreakerFinding:
        """The finding of one invariant, ``BRK-01``."""
        return invariant(number).judge(self.known())

    def result(self) -> BreakerResult:
        """All invariants, as a run is judged."""
        return judge(self.history())

    # Inside

    def _attempt(
        self, rid: str | None, kind: _Kind, method: str, one: Mapping[str, Any]
    ) -> Arrival:
        end: ArrivalEnd = one.get("end", kind.arrival_end)
        answered = end == "answered"
        ended = one.get("ended")
        self._conns += 1
        began = one.get("began")
        return Arrival(
            conn=one.get("conn", self._conns),
            seq=one.get("seq", 1),
            arrived=self._ns(one["at"]),
            rid=rid,
            ended=None if ended is None else self._ns(ended),
            end=end,
            status=one.get("status", kind.arrival_status) if answered else one.get("status"),
            began=answered if began is None else began,
            method=method,
            injected=tuple(one.get("injected") or ()),
            instance=one.get("instance"),
        )

    def _note(self, phase: _Open, letter: str, over: float | None, seen: Sequence[Arrival]) -> None:
        phase.calls += 1
        phase.hit += bool(seen) and letter not in "SI"
        ends = [arrival.ended / MS for arrival in seen if arrival.ended is not None]
        ends += [phase.at + over] if over is not None else []
        self._last_end = max([self._last_end, *ends])

    def _present(self) -> _Open:
        if self._phase is None:
            raise ValueError("no phase yet: story.phase(5, 'outage', fault='status') begins one")
        return self._phase

    def _ns(self, ms: float) -> int:
        return round((self._present().at + ms) * MS)

    def _close(self) -> None:
        if self._phase is None:
            return
        self._phases.append(self._finished(self._phase))
        self._faults += self._spans(self._phase)
        self._phase = None

    def _finished(self, phase: _Open) -> Phase:
        other = dict(phase.other)
        planned = phase.planned
        if planned is None and (phase.rate is not None or phase.callers is not None):
            planned = phase.calls
        return Phase(
            id=phase.id,
            number=phase.number,
            name=phase.name,
            entered=round(phase.at * MS),
            left=round(self.now * MS),
            round=phase.round,
            rate=phase.rate,
            planned=planned,
            callers=phase.callers,
            fault=phase.fault,
            latency=round(other.pop("latency", 0) * MS),
            lag=round(other.pop("lag", 0) * MS),
            given=phase.given,
            **other,
        )

    def _spans(self, phase: _Open) -> list[FaultSpan]:
        if phase.spans or phase.fault is None:
            return phase.spans
        start, end = round(phase.at * MS), round(self.now * MS)
        return [
            FaultSpan(
                phase=phase.id,
                kind=phase.fault,
                params={},
                applied=(start, start),
                undone=(end, end),
                injected=max(1, phase.hit),
            )
        ]


def letters(text: str) -> list[str]:
    """``5F 2R`` as one letter a call.

    Raises:
        ValueError: something in it is no letter of a call.
    """
    found = _TOKEN.findall(text)
    left_over = _TOKEN.sub("", text).strip()
    unknown = {letter for _, letter in found} - _KINDS.keys()
    if left_over or unknown:
        raise ValueError(f"{text!r}: {left_over or sorted(unknown)} is no call; {''.join(_KINDS)}")
    return [letter for count, letter in found for _ in range(int(count or 1))]


def _text(outcomes: Mapping[str, int]) -> str:
    return " ".join(f"{count}{letter}" for letter, count in outcomes.items())


def _end_at_hop(letter: str, at: float, arrives: float, over: float | None) -> float | None:
    if letter == "H" or over is None:
        return None
    return over + 1 if letter == "L" else max(at + arrives, over - 1)
