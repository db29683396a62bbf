"""always: true of every reading taken while a round lasted. Why one probe only: decision 0003.

A reading stands for one unknown moment between its question and its answer, so outcomes count as
certain only if they were known before it was asked.
"""

from bisect import bisect_right
from collections.abc import Sequence

from harness.expressions.evaluate import Count, EvaluationProblem, TooManyAssignments, truths
from harness.expressions.parse import Expression, parse
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence, hidden_reading
from harness.judge.falsifiable import could_break, other_readings_could_break
from harness.judge.judgement import Broken, RoundJudgement, most_telling, number_of
from harness.judge.rounds_in_words import finding_over_rounds, verdict_of
from harness.judge.told import broken_by, problem_told
from harness.kinds import params
from harness.model.plan import InvariantPlan
from harness.model.units import Duration, Instant
from harness.model.verdicts import InvariantFinding

# Looking for one reading that could have been broken is worth so many tries a round, not more.
_MAX_TRIED = 50


@params
class _Params:
    expression: str
    every: Duration = Duration.parse("20ms")


class Always:
    """Broken if one reading fits none of the outcomes that were possible at its moment."""

    kind = "always"
    summary = "an expression that is true of every reading"
    Params = _Params

    def __init__(self, plan: InvariantPlan) -> None:
        self._plan = plan
        self._expression = parse(plan.expression)
        self._refused = _refused(self._expression)

    def judge(self, evidence: RoundEvidence) -> RoundJudgement:
        lack = self._refused or evidence.tainted
        if lack is not None:
            return RoundJudgement(round=evidence.round, finished=evidence.finished, lack=lack)
        (probe,) = self._expression.names
        readings = [
            reading
            for reading in evidence.readings
            if reading.purpose == "always" and reading.probe == probe
        ]
        if any(reading.hidden for reading in readings):
            lack = hidden_reading(probe)
            return RoundJudgement(round=evidence.round, finished=evidence.finished, lack=lack)
        known = [_Known(name, evidence.calls) for name in self._expression.counted]
        broken, error, undecided = self._look_at(readings, known, evidence.round)
        in_flight = _in_flight(readings, evidence)
        return RoundJudgement(
            round=evidence.round,
            finished=evidence.finished,
            broken=most_telling(broken) if broken else None,
            error=error,
            lack=self._lack(evidence, readings, in_flight, known, undecided),
            readings=len(readings),
            readings_in_flight=in_flight,
            readings_broken=len(broken),
        )

    def _look_at(
        self, readings: Sequence[Reading], known: "Sequence[_Known]", number: int
    ) -> tuple[list[Broken], str | None, str | None]:
        """The violations, the first reading without a value, the first with too many outcomes."""
        broken: list[Broken] = []
        error = undecided = None
        for reading in readings:
            counts = {each.operation: each.at(reading) for each in known}
            read = {reading.probe: reading}
            try:
                if truths(self._expression, {reading.probe: reading.exact}, counts).broken:
                    broken.append(broken_by(self._expression, number, read, counts))
            except TooManyAssignments as problem:
                undecided = undecided or str(problem)
            except EvaluationProblem as problem:
                error = error or problem_told(self._expression, problem, number, read)
        return broken, error, undecided

    def _lack(
        self,
        evidence: RoundEvidence,
        readings: Sequence[Reading],
        in_flight: int,
        known: "Sequence[_Known]",
        undecided: str | None,
    ) -> Lack | None:
        if not evidence.finished:
            return Lack(short="not finished", detail="the round did not finish")
        if not readings:
            detail = f"probe {self._expression.names[0]} was never read while the round lasted"
            return Lack(short="not read", detail=detail, withheld=True)
        if undecided is not None:
            return Lack(short="too many unknown outcomes", detail=undecided)
        if evidence.lacks:
            return evidence.lacks[0]
        short = detail = ""
        if not in_flight:
            short = "no reading in flight"
            of = number_of(len(readings), "reading")
            detail = f"none of {of} fell while requests were in flight"
        elif not known and not other_readings_could_break(
            self._expression, {readings[-1].probe: readings[-1].exact}
        ):
            short = "nothing could have broken it"
            detail = "no other reading would have broken it"
        elif known and not self._could_break(readings, known):
            short = "nothing could have broken it"
            detail = "no other outcome of the requests would have broken it at any reading"
        return Lack(short=short, detail=detail) if short else None

    def _could_break(self, readings: Sequence[Reading], known: "Sequence[_Known]") -> bool:
        # The last readings first: outcomes are best known there.
        step = max(1, len(readings) // _MAX_TRIED)
        return any(
            could_break(
                self._expression,
                {reading.probe: reading.exact},
                {each.operation: each.at(reading) for each in known},
            )
            for reading in list(readings)[::-step]
        )

    def finding(self, judgements: Sequence[RoundJudgement]) -> InvariantFinding:
        readings = sum(judgement.readings for judgement in judgements)
        counted = sum(judgement.readings for judgement in judgements if judgement.counts)
        every = f", one every {self._plan.every}" if self._plan.every is not None else ""
        held = f"held ({number_of(counted, 'reading')}{every})"
        found = finding_over_rounds(self._plan, judgements, held=held)
        in_flight = sum(judgement.readings_in_flight for judgement in judgements)
        evidence = {**found.evidence, "readings_in_flight": in_flight}
        evidence.pop("ci", None)
        summary = found.summary
        if verdict_of(judgements) == "violated":
            at = sum(judgement.readings_broken for judgement in judgements)
            rounds = sum(judgement.broken is not None for judgement in judgements)
            of = number_of(len(judgements), "round")
            summary = f"violated at {at} of {number_of(readings, 'reading')}, in {rounds} of {of}"
        return InvariantFinding(
            name=found.name,
            kind=found.kind,
            verdict=found.verdict,
            summary=summary,
            evidence=evidence,
            counterexample=found.counterexample,
        )


def _refused(expression: Expression) -> Lack | None:
    """What ``always`` cannot judge without a false alarm."""
    if len(expression.names) > 1:
        detail = (
            f"it reads {' and '.join(expression.names)}, and two probes are never read at one moment; "
            "ask for both in one probe"
        )
        return Lack(short="several probes", detail=detail, withheld=True)
    if not expression.names:
        detail = "it reads no probe, so there is nothing to sample; write it as at_end"
        return Lack(short="no probe", detail=detail, withheld=True)
    if any(expression.counts("unknown", operation) for operation in expression.counted):
        detail = "which outcomes are unknown is not known while requests are in flight; write it as at_end"
        return Lack(short="unknown outcomes", detail=detail, withheld=True)
    return None


def _in_flight(readings: Sequence[Reading], evidence: RoundEvidence) -> int:
    spans = evidence.in_flight
    starts = [span.start for span in spans]
    found = 0
    for reading in readings:
        at = bisect_right(starts, reading.asked) - 1
        found += at >= 0 and spans[at].holds(reading)
    return found


class _Known:
    """What was known of one operation's outcomes at any moment, from sorted instants."""

    def __init__(self, operation: str, calls: Sequence[Call]) -> None:
        self.operation = operation
        mine = [call for call in calls if call.operation == operation]
        self._sent = sorted(call.began or call.sent for call in mine)
        acknowledged = [call for call in mine if call.outcome == "acknowledged"]
        rejected = [call for call in mine if call.outcome == "rejected"]
        self._acknowledged = sorted(call.last for call in acknowledged if call.last is not None)
        self._rejected = sorted(call.last for call in rejected if call.last is not None)
        self._rejected_sent = sorted(call.began or call.sent for call in rejected)

    def at(self, reading: Reading) -> Count:
        """Certain is what was answered before the question; possible what was sent before the answer."""

        def until(instants: Sequence[Instant], moment: Instant) -> int:
            return bisect_right(instants, moment)

        acknowledged = until(self._acknowledged, reading.asked)
        rejected = until(self._rejected, reading.asked)
        rejecting = until(self._rejected_sent, reading.answered) - rejected
        sent = until(self._sent, reading.answered)
        return Count(
            acknowledged=acknowledged,
            rejected=rejected,
            unknown=sent - acknowledged - rejected - rejecting,
            rejecting=rejecting,
        )
