"""BRK-18: while the circuit of one key is open, calls for another whose downstream is well go through."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds, zero_of
from harness.judge.breaker.judgeable import not_judgeable, not_run
from harness.judge.breaker.known import Interval, Joined, Known, Outage, PhaseView
from harness.judge.breaker.lives import index_of
from harness.judge.breaker.statistics import zero_bound
from harness.model.breaker_findings import BreakerFinding, Limit, Observed, Statistics

SUBJECT = Subject(
    id="BRK-18",
    name="one key's failure is not another's",
    severity="critical",
    condition="no call for a key whose own downstream is well is short-circuited while only another "
    "key's circuit is open",
    phases=(15,),
)

_LEAST_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """The calls for another key that were sent while ``life`` was open for certain."""

    life: Outage
    open: Interval
    key: str
    calls: Sequence[Joined]

    @property
    def rejected(self) -> list[Joined]:
        return [joined for joined in self.calls if joined.rejected]


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    declared = known.history.declared.isolation
    if declared not in ("key", "host"):
        if not known.phases_of(*SUBJECT.phases):
            return draft.not_applicable(f"isolation is not declared, and {not_run(15)}")
        what = "isolation is not declared" if declared is None else "isolation: none is declared"
        return draft.not_applicable(f"{what}; {_shared(known)}")
    if early := not_judgeable(draft, known, *SUBJECT.phases):
        return early
    found: list[_Beside] = []
    for view in known.phases_of(*SUBJECT.phases):
        if view.lack:
            draft.lacks.append(view.lack)
        found.extend(_beside(known, view))
    draft.limit = Limit(value=0, source=f"declared isolation: {declared}")
    draft.samples.extend(_sample(beside) for beside in found)
    for beside in found:
        if beside.rejected:
            return _violated(draft, beside)
    ok = [
        joined
        for beside in found
        for joined in beside.calls
        if joined.cls in ("forwarded-ok", "forwarded-slow")
    ]
    draft.need("calls for another key while one was open", len(ok), at_least=_LEAST_CALLS)
    draft.observed = Observed(value=0, unit="short-circuits", per=f"{len(ok)} calls")
    draft.statistics = Statistics(
        method="clopper-pearson",
        x=0,
        m=len(ok),
        bound=round(zero_bound(len(ok)), 4) if ok else None,
        confidence=0.95,
    )
    keys = ", ".join(sorted({beside.key for beside in found}))
    return draft.held_or_inconclusive(
        f"{len(ok)} of {len(ok)} calls for key {keys} were forwarded while another key was open",
        power=f"{zero_of(len(ok))} (a call short-circuited)" if ok else "",
    )


def _shared(known: Known) -> str:
    """Without isolation: what became of other keys' calls, told and not judged."""
    calls = [joined for view in known.phases_of(*SUBJECT.phases) for joined in view.calls]
    failed = {joined.call.key for joined in calls if joined.outcome == "failure"}
    others = [joined for joined in calls if joined.call.key not in failed]
    rejected = sum(joined.rejected for joined in others)
    return f"{rejected} of {len(others)} calls for keys that never failed were short-circuited"


def _beside(known: Known, view: PhaseView) -> list[_Beside]:
    """For each open circuit and each other key that did not fail itself in this phase."""
    failed = {joined.call.key for joined in view.calls if joined.outcome == "failure"}
    found = []
    for life in known.outages:
        if life.phase != view.phase.id or life.open is None or life.first_rejection is None:
            continue
        stretch = life.open
        by_key: dict[str, list[Joined]] = {}
        for joined in view.calls[index_of(view.calls, stretch.lo) :]:
            if stretch.hi is not None and joined.call.sent > stretch.hi:
                break
            by_key.setdefault(joined.call.key, []).append(joined)
        found += [
            _Beside(life=life, open=stretch, key=key, calls=calls)
            for key, calls in sorted(by_key.items())
            if key and key != life.key and key not in failed
        ]
    return found


def _sample(beside: _Beside) -> dict[str, object]:
    stretch = beside.open
    return {
        "open_key": beside.life.key,
        "open": [seconds(stretch.lo), None if stretch.hi is None else seconds(stretch.hi)],
        "key": beside.key,
        "calls": len(beside.calls),
        "short_circuited": [joined.call.rid for joined in beside.rejected][:50],
    }


def _violated(draft: Draft, beside: _Beside) -> BreakerFinding:
    rejected = beside.rejected
    draft.observed = Observed(
        value=len(rejected), unit="short-circuits", per=f"{len(beside.calls)} calls"
    )
    text = (
        f"{len(rejected)} of {len(beside.calls)} calls for key {beside.key} were short-circuited "
        f"while only key {beside.life.key} failed"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            rejected,
            around=beside.life.because,
            interval=(beside.open.lo, rejected[-1].call.sent),
            expected="forwarded",
            got=f"{len(rejected)} short-circuited",
        ),
    )
