"""BRK-23: retries do not amplify. What a failing downstream gets is no multiple of what callers sent.

Calls that met the fault before the breaker opened are counted with their deliberate attempts; what the
client library repeats by itself (``transport retries``) is shown apart. Once open, nothing that was
admitted before may be tried again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.judge.breaker.attempts import AT_ONCE, IDEMPOTENT
from harness.judge.breaker.finding import Draft, Subject, counterexample
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import MS, Joined, Known, Outage, PhaseView
from harness.judge.breaker.statistics import ACCUSING, poisson_at_least
from harness.judge.breaker.trends import arrivals_during
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics
from harness.model.breaker_history import Arrival

SUBJECT = Subject(
    id="BRK-23",
    name="retries do not amplify",
    severity="critical",
    condition=(
        "arrivals / forwarded calls <= retries.attempts while failing and closed, transport retries"
        " apart; none while open"
    ),
    phases=(3, 4, 5, 12, 17, 18),
)

PARTIAL = (3, 18)
UNDECLARED = 3.0
ENOUGH_BEFORE = 50
ENOUGH_PARTIAL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The calls of one phase that met its fault while the breaker was closed."""

    view: PhaseView
    forwarded: int
    """All that were forwarded then, failing or not."""
    calls: Sequence[Joined]
    opened: Outage | None

    @property
    def attempts(self) -> int:
        return sum(joined.attempts for joined in self.calls)

    @property
    def ratio(self) -> float:
        return self.attempts / len(self.calls) if self.calls else 0.0

    @property
    def with_transport(self) -> float:
        """Arrivals for each call, with those that the client library repeats."""
        if not self.calls:
            return 0.0
        return self.ratio + sum(joined.transport_retries for joined in self.calls) / len(self.calls)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if known.barred and known.phases_of(*SUBJECT.phases):
        return _counted(draft, known)
    finding = not_judgeable(draft, known, *SUBJECT.phases, opens=False)
    if finding is not None:
        return finding
    phases = [_failing(known, view) for view in known.phases_of(*SUBJECT.phases)]
    limit = _limit(draft, known)
    draft.rounds = len(phases)
    draft.notes += [note for one in phases if (note := _transport(one))]
    draft.samples += [_sample(one) for one in phases if one.calls]
    worst = max(phases, key=lambda one: one.ratio)
    draft.observed = Observed(
        value=round(worst.ratio, 3), unit="arrivals", per="failing call", worst_of=len(phases)
    )
    return (
        _too_many(draft, known, phases, limit)
        or _over_budget(draft, known, phases, limit)
        or _while_open(draft, known)
        or _held(draft, phases, worst, limit)
    )


def _counted(draft: Draft, known: Known) -> BreakerFinding:
    """Without ids: arrivals for each call sent, which accuses where Poisson leaves no doubt."""
    limit = _limit(draft, known)
    draft.notes.append("counted without ids, against all calls sent: rejected ones dilute it")
    for view in known.phases_of(*SUBJECT.phases):
        count, sent = len(arrivals_during(known, view)), len(view.calls)
        if poisson_at_least(count, limit * sent) <= 1 - ACCUSING:
            draft.observed = Observed(value=count, unit="arrivals", per=f"{sent} calls sent")
            draft.statistics = Statistics(method="poisson", x=count, m=sent, confidence=ACCUSING)
            text = (
                f"{count} arrivals for {sent} calls sent in {view.phase.id}, more than"
                f" {limit:g} for each with 99.9 % confidence"
            )
            return draft.violated(text, counterexample(text, view.calls))
    return draft.inconclusive(known.barred)


def _limit(draft: Draft, known: Known) -> float:
    attempts = known.terms.attempts
    if attempts.declared and attempts.known:
        draft.limit = Limit(value=attempts.number, source=attempts.source)
        return attempts.number
    draft.limit = Limit(value=UNDECLARED, source="retries.attempts not declared")
    return UNDECLARED


def _failing(known: Known, view: PhaseView) -> Failing:
    """Up to its first trip; a call that was forwarded once and well did not meet the fault."""
    opened = next((life for life in known.outages if life.phase == view.phase.id), None)
    until = None if opened is None else opened.tau.hi
    calls = [
        joined
        for joined in view.calls
        if joined.forwarded and (until is None or joined.call.sent <= until)
    ]
    return Failing(
        view=view,
        forwarded=len(calls),
        calls=[joined for joined in calls if joined.cls != "forwarded-ok" or joined.attempts > 1],
        opened=opened,
    )


def _too_many(
    draft: Draft, known: Known, phases: Sequence[Failing], limit: float
) -> BreakerFinding | None:
    declared = known.terms.attempts.declared
    for one in phases:
        # A declared number of attempts holds for each call, the bound for undeclared ones on average.
        over = [j for j in one.calls if j.attempts > limit and not _may_be_transport(one.view, j)]
        if not over or not (declared or one.ratio > limit):
            continue
        text = (
            f"{one.ratio:.2f} arrivals per failing call in {one.view.phase.id} ({_said(limit, declared)}):"
            f" e.g. {_course(over[0])}"
        )
        return draft.violated(
            text,
            counterexample(
                text,
                over,
                expected=f"at most {limit:g} for each call",
                got=f"{one.attempts} arrivals of {len(one.calls)} calls",
            ),
        )
    return None


def _said(limit: float, declared: bool) -> str:
    return f"declared {limit:g}" if declared else f"undeclared: at most {limit:.1f}"


def _may_be_transport(view: PhaseView, joined: Joined) -> bool:
    """One repeat after a cut, only a little too late for a transport retry: we may have been late."""
    if joined.attempts != 2 or len(joined.call.arrivals) != 2:
        return False
    first, second = joined.call.arrivals
    return (
        first.end in ("cut", "downstream-cut")
        and not first.began
        and first.ended is not None
        and second.method in IDEMPOTENT
        and second.arrived - first.ended < AT_ONCE + view.slack
    )


def _course(joined: Joined) -> str:
    """``r00004 arrived at +0, +52, +104 ms``."""
    arrivals = joined.call.arrivals
    since = arrivals[0].arrived
    steps = ", ".join(f"+{(arrival.arrived - since) / MS:.0f}" for arrival in arrivals[:10])
    return f"{joined.call.rid} arrived at {steps} ms"


def _over_budget(
    draft: Draft, known: Known, phases: Sequence[Failing], limit: float
) -> BreakerFinding | None:
    retries = known.history.declared.retries
    if retries is None or retries.budget is None:
        return None
    for one in phases:
        retried = [joined for joined in one.view.calls if joined.attempts > 1]
        spent = sum(joined.attempts - 1 for joined in retried)
        allowed = retries.budget * len(one.view.calls) + (limit - 1) * one.forwarded
        if spent > allowed:
            text = (
                f"{spent} retries in {one.view.phase.id}; the budget of {retries.budget:.0%} of"
                f" {len(one.view.calls)} calls and {limit - 1:g} for each of {one.forwarded} before"
                f" it opened allow {allowed:.0f}: e.g. {_course(retried[-1])}"
            )
            return draft.violated(text, counterexample(text, retried))
    return None


def _while_open(draft: Draft, known: Known) -> BreakerFinding | None:
    """A retry that was decided on and sent while open for certain, of a call admitted before."""
    for view in known.phases_of(*SUBJECT.phases):
        retried = [joined for joined in view.calls if joined.attempts > 1]
        if not retried:
            continue
        for life in known.outages:
            if life.phase != view.phase.id or life.open is None:
                continue
            leaked = [joined for joined in _before(retried, life) if _retries_in(joined, life)]
            if leaked:
                text = (
                    f"{len(leaked)} calls admitted before the trip were tried again while the circuit"
                    f" was open ({view.phase.id}): e.g. {_course(leaked[0])}"
                )
                interval = None if life.open.hi is None else (life.open.lo, life.open.hi)
                return draft.violated(text, counterexample(text, leaked, interval=interval))
    return None


def _before(calls: Sequence[Joined], life: Outage) -> Iterable[Joined]:
    assert life.open is not None, "asked of open ones only"
    until = bisect_right(calls, life.open.lo, key=lambda joined: joined.call.sent)
    return (
        joined
        for joined in calls[:until]
        if life.key in ("", joined.call.key) and joined.call.arrivals[0].arrived <= life.open.lo
    )


def _retries_in(joined: Joined, life: Outage) -> list[Arrival]:
    """Its attempts but the first that lie in O from the end of the one before on."""
    assert life.open is not None, "asked of open ones only"
    hi = life.until if life.open.hi is None else life.open.hi
    arrivals = joined.call.arrivals
    return [
        after
        for before, after in pairwise(arrivals)
        if before.ended is not None and before.ended >= life.open.lo and after.arrived <= hi
    ]


def _held(draft: Draft, phases: Sequence[Failing], worst: Failing, limit: float) -> BreakerFinding:
    partial = sum(one.forwarded for one in phases if one.view.number in PARTIAL)
    before = sum(len(one.calls) for one in phases if one.view.number not in PARTIAL)
    if partial >= ENOUGH_PARTIAL:
        draft.need("calls under a partial fault", partial, at_least=ENOUGH_PARTIAL, by_script=True)
    else:
        draft.need(
            "failing calls forwarded before opening", before, at_least=ENOUGH_BEFORE, by_script=True
        )
    draft.lacks += [one.view.lack for one in phases if one.view.lack and one.calls]
    counted = sum(len(one.calls) for one in phases)
    return draft.held_or_inconclusive(
        f"at most {worst.ratio:.2f} arrivals per failing call, {counted} looked at; limit {limit:g}",
        power=f"each of {counted} failing calls was joined with its arrivals: one more would have shown",
    )


def _transport(one: Failing) -> str:
    repeated = one.with_transport - one.ratio
    if not repeated:
        return ""
    return (
        f"transport retries in {one.view.phase.id}: {one.with_transport:.2f} arrivals per failing"
        " call with those that the service's client repeats below any breaker"
    )


def _sample(one: Failing) -> dict[str, object]:
    return {
        "phase": one.view.phase.id,
        "failing": len(one.calls),
        "arrivals": one.attempts,
        "ratio": round(one.ratio, 3),
        "with_transport_retries": round(one.with_transport, 3),
        "forwarded": one.forwarded,
    }
