"""The fold: event after event in, a ``Result`` out at any moment; live and from the file the same.

What an event means for a round is in ``collect.py``, what the rounds come to in ``run_evidence.py``;
here is only where each event goes. A judge that raises is an error of the run and hides nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, assert_never

from harness.judge.breaker.cases import cases
from harness.judge.breaker.from_journal import BreakerCollector
from harness.judge.breaker.judge import judge as judge_breaker
from harness.judge.breaker_run import as_findings
from harness.judge.collect import RoundCollector, RoundEvent
from harness.judge.conclude import Stop, stop_of
from harness.judge.contradictions import check_settled
from harness.judge.evidence import Lack, RoundEvidence, late_effects_of
from harness.judge.fault_ledger import FaultEvent, FaultLedger
from harness.judge.invariants import INVARIANTS
from harness.judge.judgement import Invariant, RoundJudgement
from harness.judge.judges import InvariantJudges
from harness.judge.result import result_of
from harness.judge.run_evidence import steady_in_words
from harness.judge.run_view import RoundSummary, RunView
from harness.judge.timing import Timing
from harness.model import events as ev
from harness.model.breaker_events import NO_ROUND
from harness.model.breaker_findings import BreakerResult
from harness.model.errors import UserError
from harness.model.verdicts import (
    Counterexample,
    InvariantFinding,
    Result,
    Verdict,
)

_MOST_CONTRADICTIONS = 10


class Judge:
    """Judges one run. ``feed`` never raises; what it could not digest makes the run an error."""

    def __init__(self, kinds: Mapping[str, type[Invariant]] | None = None) -> None:
        self._kinds = kinds
        self._started: ev.RunStarted | None = None
        self._finished: ev.RunFinished | None = None
        self._judges: InvariantJudges | None = None
        self._stops: list[Stop] = []
        self._contradictions: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._open: RoundCollector | None = None
        self._rounds: list[RoundSummary] = []
        self._tainted: Lack | None = None
        self._late: Lack | None = None
        self._reset_before: ev.ResetDone | None = None
        self._outstanding: set[int] = set()
        self._ledger = FaultLedger()
        self._timing = Timing()
        self._steady: dict[str, ev.SteadyStateJudged] = {}
        self._cut_short: ev.RoundsCutShort | None = None
        self._breaker: BreakerCollector | None = None

    def feed(self, event: ev.AnyEvent) -> None:
        """Takes the next event of the journal."""
        try:
            self._timing.take(event)
            if self._breaker is not None:
                self._breaker.take(event)
            # What is of a breaker's script belongs to no round; its faults must be undone all the same.
            if isinstance(event, ev.FaultIntended) or not getattr(event, "phase", ""):
                self._take(event)
        # The journal hands each event to all its subscribers: one that raises would take the run along.
        except Exception as problem:
            because = f"judging {type(event).__name__} (event {event.n}) failed: {problem!r}"
            self._stops.append(Stop(verdict=Verdict.ERROR, because=because))

    def enough_broken(self) -> bool:
        """True once all that is expected to break was broken in as many rounds as the plan calls enough.

        Only rounds that count are counted: the others show what is broken, and not how often it breaks.
        """
        if self._started is None or self._judges is None:
            return False
        plan, broken_rounds = self._started.plan, self._judges.broken_rounds
        if plan.stop_after is None:
            return False
        if plan.expected.invariants:
            broken = min(map(broken_rounds, plan.expected.invariants))
        else:
            broken = max((broken_rounds(each.name) for each in plan.invariants), default=0)
        return broken >= plan.stop_after

    def result(self) -> Result:
        """The result so far. A run without its end is an error.

        Raises:
            UserError: no run has begun.
        """
        if self._started is None or self._judges is None:
            raise UserError("The journal holds no run: its first event is missing.")
        contradictions = dict(self._contradictions)
        rounds, last = list(self._rounds), None
        if self._open is not None:
            evidence = self._open.evidence(finished=False)
            rounds.append(RoundSummary.of(evidence))
            last = self._judges.judge(evidence)
        judged = self._judged_breaker()
        failed = (judged,) if isinstance(judged, Stop) else ()
        breaker = None if isinstance(judged, Stop) else judged
        found = self._invariants(self._judges, last)
        return result_of(
            RunView(
                started=self._started,
                finished=self._finished,
                cut_short=self._cut_short,
                stops=(*self._all_stops(), *failed),
                contradictions=tuple(contradictions),
                rounds=tuple(rounds),
                invariants=found if breaker is None else (*as_findings(breaker), *found),
                breaker=breaker,
                faults=tuple(
                    self._ledger.finding(step, (each.round for each in rounds if each.finished))
                    for step in self._started.plan.faults
                ),
                steady_before=self._steady.get("before"),
                steady_after=self._steady.get("after"),
                not_undone=self._not_undone(),
                notes=tuple(self._notes),
                run_ms=self._timing.run_ms,
                round_ms_p50=self._timing.round_ms_p50,
            )
        )

    def _judged_breaker(self) -> BreakerResult | Stop | None:
        """A judge that fails is an error of the run, and hides nothing else."""
        if self._breaker is None:
            return None
        try:
            return judge_breaker(self._breaker.history())
        except Exception as problem:
            return Stop(verdict=Verdict.ERROR, because=f"judging the breaker failed: {problem!r}")

    def cases(self) -> Iterator[dict[str, Any]]:
        """The joined calls of a breaker's run; none of any other."""
        return iter(()) if self._breaker is None else cases(self._breaker.history())

    def _all_stops(self) -> tuple[Stop, ...]:
        torn = Stop(verdict=Verdict.ERROR, because="the journal ends before the run did")
        return tuple(self._stops) if self._finished is not None else (*self._stops, torn)

    def _invariants(
        self, judges: InvariantJudges, last: Mapping[str, RoundJudgement] | None
    ) -> tuple[InvariantFinding, ...]:
        cut, started = self._cut_short, self._started
        enough = started.plan.stop_after if cut is not None and started is not None else None
        findings = judges.findings(last, enough=enough)
        after = self._steady.get("after")
        # An effect that lands between the reset and the look is no fault of the service's recovery.
        if after is None or after.held or not after.final or self._late is not None:
            return findings
        summary = f"not back after the last undo: {steady_in_words(after)}"
        steady = InvariantFinding(
            name="steady-state",
            kind="steady-state",
            verdict="violated",
            summary=summary,
            evidence={},
            counterexample=Counterexample(round=None, summary=summary, values=dict(after.values)),
        )
        return (*findings, steady)

    def _not_undone(self) -> tuple[str, ...]:
        declared = self._finished.not_undone if self._finished is not None else ()
        remaining = self._ledger.remaining(finished=self._finished is not None)
        return tuple(dict.fromkeys((*declared, *remaining)))

    def _contradict(self, sentence: str) -> None:
        if len(self._contradictions) < _MOST_CONTRADICTIONS:
            self._contradictions.setdefault(sentence)

    def _take(self, event: ev.AnyEvent) -> None:  # noqa: C901, PLR0912 - one line for each kind of event
        match event:
            case ev.RunStarted():
                self._start(event)
            case ev.RunFinished():
                self._finished = event
            case (
                ev.LimitReached()
                | ev.Interrupted()
                | ev.TargetFailed()
                | ev.HarnessFailed()
                | ev.SetupRefused()
            ):
                self._stops.append(stop_of(event))
            case ev.SteadyStateJudged():
                self._steady[event.when] = event
            case ev.ResetDone():
                self._reset(event)
            case ev.RoundStarted():
                self._open_round(event)
            case ev.RoundFinished():
                self._finish_round(event)
            case ev.RoundsCutShort():
                self._cut(event)
            case ev.OperationReturned():
                self._returned(event)
            case ev.HopCounted():
                self._counted(event)
            case ev.HopRequestArrived() | ev.HopRequestEnded():
                self._of_hop(event)
            case (
                ev.FaultIntended()
                | ev.FaultApplied()
                | ev.FaultSeen()
                | ev.FaultUndone()
                | ev.FaultNotUndone()
            ):
                self._of_fault(event)
            case ev.ProbeRead(round=None):
                pass
            case (
                ev.Settled()
                | ev.NeverSettled()
                | ev.ArrivalsStarted()
                | ev.ArrivalsFinished()
                | ev.BurstWritten()
                | ev.BurstReleased()
                | ev.OperationSent()
                | ev.ProbeRead()
            ):
                self._of_round(event, event.round)
            case (
                ev.ProcessIntended()
                | ev.ProcessStarted()
                | ev.ProcessEnded()
                | ev.ServiceReady()
                | ev.ContainerIntended()
                | ev.ContainerStarted()
                | ev.ContainerRemoved()
                | ev.HopIntended()
                | ev.HopOpened()
                | ev.HopClosed()
                | ev.Prepared()
                | ev.PhaseEntered()
                | ev.PhaseLeft()
                | ev.LoopLagged()
                | ev.ProcessSampled()
                | ev.HopRead()
            ):
                pass
            case _:
                assert_never(event)

    def _start(self, event: ev.RunStarted) -> None:
        if self._started is not None:
            self._contradict("the run began twice")
            return
        self._started = event
        self._judges = InvariantJudges(
            event.plan.invariants, self._kinds or dict(INVARIANTS.items())
        )
        if event.plan.breaker is not None:
            self._breaker = BreakerCollector.of(event.plan, started=event.t)

    def _reset(self, event: ev.ResetDone) -> None:
        if self._open is not None and self._open.number == event.round:
            self._open.mark_reset(event.failing)
        elif event.round is not None:
            self._reset_before = event

    def _open_round(self, event: ev.RoundStarted) -> None:
        if self._started is None:
            self._contradict(f"round {event.round} began before the run")
            return
        if self._open is not None:
            self._contradict(f"round {event.round} began within round {self._open.number}")
            self._close(self._open, finished=False)
        if self._cut_short is not None:
            self._contradict(f"round {event.round} began after the rounds had been cut short")
        if any(each.round == event.round for each in self._rounds):
            self._contradict(f"round {event.round} began twice")
        self._open = RoundCollector(
            event.round,
            self._started.plan,
            reset=False,
            tainted=self._tainted,
            late=self._late,
        )
        if self._reset_before is not None and self._reset_before.round == event.round:
            self._open.mark_reset(self._reset_before.failing)

    def _finish_round(self, event: ev.RoundFinished) -> None:
        if self._open is None or self._open.number != event.round:
            self._contradict(f"round {event.round} finished without having begun")
            return
        self._close(self._open, finished=True)

    def _cut(self, event: ev.RoundsCutShort) -> None:
        """Only a run that has shown what it was to show may stop early; else rounds are missing."""
        finished = sum(each.finished for each in self._rounds)
        if self._open is not None or event.rounds != finished:
            self._contradict(
                f"the rounds were cut short after {event.rounds}, and {finished} were run"
            )
        elif not self.enough_broken():
            self._contradict(
                f"the rounds were cut short after {finished}, and what was expected had not been broken "
                f"in {event.broken} of them"
            )
        self._cut_short = event

    def _close(self, collector: RoundCollector, *, finished: bool) -> None:
        self._open = None
        evidence = collector.evidence(finished=finished)
        check_settled(evidence, self._contradict)
        if finished:
            collector.check_whole(self._contradict)
        self._rounds.append(RoundSummary.of(evidence))
        self._tainted = collector.taints_the_next()
        self._late = self._late or late_effects_of(evidence)
        self._outstanding.update(call.op for call in evidence.calls if call.last is None)
        self._judge(evidence)

    def _judge(self, evidence: RoundEvidence) -> None:
        if self._judges is not None:
            self._judges.add(self._judges.judge(evidence))

    def _of_fault(self, event: FaultEvent) -> None:
        self._ledger.take(event, self._contradict)
        inside = self._open is not None and self._open.number == event.round
        if event.round == NO_ROUND:
            return
        # A rollback may take back what a broken-off round left, after that round.
        if inside or not isinstance(event, ev.FaultUndone | ev.FaultNotUndone):
            self._of_round(event, event.round)

    def _of_round(self, event: RoundEvent, number: int | None) -> None:
        if self._open is None or self._open.number != number:
            self._contradict(f"{type(event).__name__} of round {number} lies outside that round")
            return
        self._open.take(event, self._contradict)

    def _of_hop(self, event: ev.HopRequestArrived | ev.HopRequestEnded) -> None:
        if self._open is not None:
            self._open.take(event, self._contradict)

    def _counted(self, event: ev.HopCounted) -> None:
        self._of_round(event, event.round)
        if event.dropped:
            note = f"hop {event.hop} saw more turns than were kept, so its overlap may be higher"
            self._notes.setdefault(note)

    def _returned(self, event: ev.OperationReturned) -> None:
        if event.op in self._outstanding:
            # Counted as unknown when its round closed; what came of it belongs to no round.
            self._outstanding.discard(event.op)
        else:
            self._of_round(event, event.round)


def judge(events: Iterable[ev.AnyEvent]) -> Result:
    """The result of a whole journal.

    Raises:
        UserError: it holds no run.
    """
    return folded(events).result()


def folded(events: Iterable[ev.AnyEvent]) -> Judge:
    """The judge of a whole journal."""
    followed = Judge()
    for event in events:
        followed.feed(event)
    return followed
