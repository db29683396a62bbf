"""What invariants share that are judged by readings taken while a round lasts.

Which readings there are, which of them fell while requests were in flight, and what such a round
lacks. What a kind makes of the readings is in ``invariants/``.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression
from harness.expressions.values import intake
from harness.judge.evidence import Lack, Reading, RoundEvidence, hidden_reading
from harness.judge.judgement import Broken, RoundJudgement, most_telling, nothing_of, number_of
from harness.judge.rounds_in_words import finding_over_rounds, verdict_of
from harness.judge.told import problem_told
from harness.model.plan import InvariantPlan
from harness.model.verdicts import InvariantFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The readings of one probe in one round, in the order of the journal."""

    probe: str
    readings: tuple[Reading, ...]
    in_flight: tuple[Reading, ...]
    """Those that lie wholly within the time in which a request was in flight."""


def samples_to_judge(
    evidence: RoundEvidence, expression: Expression, refused: Lack | None
) -> Samples | RoundJudgement:
    """The samples of the expression's one probe, or the judgement that nothing can be told.

    ``refused`` is what the kind cannot judge of the expression in any round.
    """
    lack = refused or evidence.tainted
    if lack is not None:
        return nothing_of(evidence, lack)
    samples = samples_of(evidence, expression.names[0])
    return nothing_of(evidence, samples) if isinstance(samples, Lack) else samples


def samples_of(evidence: RoundEvidence, probe: str) -> Samples | Lack:
    """What was read of ``probe`` while the round lasted; a lack where the journal hides a reading."""
    readings = tuple(
        reading
        for reading in evidence.readings
        if reading.purpose == "always" and reading.probe == probe
    )
    if any(reading.hidden for reading in readings):
        return hidden_reading(probe)
    return Samples(probe=probe, readings=readings, in_flight=_in_flight(readings, evidence))


def _in_flight(readings: Sequence[Reading], evidence: RoundEvidence) -> tuple[Reading, ...]:
    spans = evidence.in_flight
    starts = [span.start for span in spans]
    found: list[Reading] = []
    for reading in readings:
        at = bisect_right(starts, reading.asked) - 1
        if at >= 0 and spans[at].holds(reading):
            found.append(reading)
    return tuple(found)


def sampling_lack(
    evidence: RoundEvidence,
    samples: Samples,
    *,
    least: int = 1,
    undecided: Lack | None = None,
    powerless: Callable[[], str] = lambda: "",
) -> Lack | None:
    """Why a round does not count for a sampled invariant; what explains the rest comes first.

    ``least`` readings in flight are needed. ``undecided`` is what kept readings from being judged;
    ``powerless`` says why nothing could have broken it, and is asked last.
    """
    if not evidence.finished:
        return Lack(short="not finished", detail="the round did not finish")
    if not samples.readings:
        detail = f"probe {samples.probe} was never read while the round lasted"
        return Lack(short="not read", detail=detail, withheld=True)
    if undecided is not None:
        return undecided
    if evidence.lacks:
        return evidence.lacks[0]
    if len(samples.in_flight) < least:
        return _too_few(samples, least)
    why = powerless()
    return Lack(short="nothing could have broken it", detail=why) if why else None


def _too_few(samples: Samples, least: int) -> Lack:
    of = number_of(len(samples.readings), "reading")
    found = len(samples.in_flight)
    if not found:
        detail = f"none of {of} fell while requests were in flight"
        return Lack(short="no reading in flight", detail=detail)
    detail = f"{found} of {of} fell while requests were in flight, and {least} are needed"
    return Lack(short=f"under {least} readings in flight", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """What an expression comes to at each reading that gives it a value."""

    pairs: tuple[tuple[Reading, object], ...]
    error: str | None


def values_at(expression: Expression, samples: Samples, number: int) -> Valued:
    """Evaluates the expression at every reading; ``error`` tells the first that has no value."""
    pairs: list[tuple[Reading, object]] = []
    error: str | None = None
    for reading in samples.readings:
        read: Mapping[str, Reading] = {reading.probe: reading}
        try:
            value = intake(evaluate(expression, {reading.probe: reading.exact}))
        except EvaluationProblem as problem:
            error = error or problem_told(expression, problem, number, read)
        else:
            pairs.append((reading, value))
    return Valued(pairs=tuple(pairs), error=error)


def judged_by_samples(
    evidence: RoundEvidence,
    samples: Samples,
    *,
    broken: Sequence[Broken],
    error: str | None,
    lack: Lack | None,
) -> RoundJudgement:
    """A reading is its own proof, so a violation stands in a round that does not count, too."""
    return RoundJudgement(
        round=evidence.round,
        finished=evidence.finished,
        broken=most_telling(broken) if broken else None,
        error=error,
        lack=lack,
        readings=len(samples.readings),
        readings_in_flight=len(samples.in_flight),
        readings_broken=len(broken),
    )


def finding_over_readings(
    plan: InvariantPlan, judgements: Sequence[RoundJudgement], *, enough: int | None
) -> InvariantFinding:
    """The finding of a sampled invariant. Its readings are no independent tries: no chance is told."""
    readings = sum(judgement.readings for judgement in judgements)
    counted = sum(judgement.readings for judgement in judgements if judgement.counts)
    every = f", one every {plan.every}" if plan.every is not None else ""
    held = f"held ({number_of(counted, 'reading')}{every})"
    found = finding_over_rounds(plan, judgements, held=held, enough=enough)
    in_flight = sum(judgement.readings_in_flight for judgement in judgements)
    evidence = {**found.evidence, "readings_in_flight": in_flight}
    evidence.pop("ci", None)
    summary = found.summary
    if verdict_of(judgements) == "violated":
        at = sum(judgement.readings_broken for judgement in judgements)
        rounds = sum(judgement.broken is not None for judgement in judgements)
        of = number_of(len(judgements), "round")
        stopped = "" if enough is None else ", then stopped"
        summary = (
            f"violated at {at} of {number_of(readings, 'reading')}, in {rounds} of {of}{stopped}"
        )
    return InvariantFinding(
        name=found.name,
        kind=found.kind,
        verdict=found.verdict,
        summary=summary,
        evidence=evidence,
        counterexample=found.counterexample,
    )
