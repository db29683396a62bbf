"""BRK-20: a call admitted before the trip does not decide anything when it ends after it.

(i) ok while open: nothing is let through; (ii) failed while open: the open time is not prolonged; (iii) ok
while a trial hangs: the permits still hold; (iv) failed after closing: it is not counted. The first and the
third hold for every breaker, the others for one whose stragglers are ignored.
"""

from collections.abc import Sequence

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Known, PhaseView
from harness.judge.breaker.late_settlers import Looked, Part, looked_at
from harness.judge.breaker.lives import shown_open
from harness.model.breaker_findings import BreakerFinding, Limit, Observed

SUBJECT = Subject(
    id="BRK-20",
    name="stragglers do not decide",
    severity="major",
    condition="a call admitted before the trip that settles later lets nothing through while open, does "
    "not prolong the open time, and does not lift the permits while a trial hangs",
    phases=(16,),
)

_LEAST_CALLS = 10
_IN_WORDS: dict[Part, str] = {
    "i": "ok while open",
    "ii": "failed while open",
    "iii": "ok while a trial hangs",
    "iv": "failed after closing",
}


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases):
        return early
    views = known.phases_of(*SUBJECT.phases)
    parts = _parts(known, views)
    if set(parts) <= {"iv"}:
        return draft.not_applicable("stragglers: counted is declared, and phase 16 had only (ii)")
    found: list[Looked] = []
    for view in views:
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
        if not view.timing:
            found.extend(_in_phase(known, view, parts))
    draft.limit = Limit(value=0, source=_source(known))
    draft.samples.extend(_sample(looked) for looked in found)
    wrong = [looked for looked in found if looked.wrong]
    if wrong:
        return _violated(draft, wrong)
    for part in parts:
        _need(draft, part, [looked for looked in found if looked.part == part])
    draft.lacks.extend(dict.fromkeys(looked.lack for looked in found if looked.lack))
    draft.observed = Observed(value=0, unit="decisions", per=f"{len(found)} stragglers")
    tried = ", ".join(f"({part}) {_IN_WORDS[part]}" for part in parts)
    least = min((_known_fates(looked) for looked in found), default=0)
    return draft.held_or_inconclusive(
        f"{len(found)} stragglers decided nothing: {tried}",
        power=f"at least {least} calls after each straggler would have shown what it decided",
    )


def _parts(known: Known, views: Sequence[PhaseView]) -> tuple[Part, ...]:
    """Those that the script had, as far as they apply to what is declared."""
    declared = known.history.declared.stragglers
    apply: dict[Part, bool] = {
        "i": True,
        "ii": declared != "counted",
        "iii": True,
        "iv": declared == "ignored",
    }
    scripted = {part for view in views for part in view.phase.given.get("parts", ())}
    # What failed after closing is looked at where it happens; no script makes it happen.
    wanted = scripted or {"i", "ii", "iii"}
    return tuple(part for part, applies in apply.items() if applies and part in {*wanted, "iv"})


def _in_phase(known: Known, view: PhaseView, parts: Sequence[Part]) -> list[Looked]:
    return [
        looked
        for life in known.outages
        if life.phase == view.phase.id and shown_open(known, life)
        for looked in looked_at(known, view, life, parts)
    ]


def _source(known: Known) -> str:
    declared = known.history.declared.stragglers
    return "stragglers not declared" if declared is None else f"declared stragglers: {declared}"


def _need(draft: Draft, part: Part, found: Sequence[Looked]) -> None:
    if part == "iv":
        return
    draft.need(f"stragglers {_IN_WORDS[part]}", len(found), at_least=1)
    if found:
        most = max(_known_fates(looked) for looked in found)
        draft.need(f"calls after one {_IN_WORDS[part]}", most, at_least=_LEAST_CALLS)


def _known_fates(looked: Looked) -> int:
    return sum(joined.forwarded or joined.rejected for joined in looked.after)


def _sample(looked: Looked) -> dict[str, object]:
    settled = looked.settled
    return {
        "part": looked.part,
        "straggler": looked.straggler.call.rid,
        "settled": [seconds(settled.lo), None if settled.hi is None else seconds(settled.hi)],
        "trip": [
            seconds(looked.life.tau.lo),
            None if looked.life.tau.hi is None else seconds(looked.life.tau.hi),
        ],
        "trial": looked.beside[0].call.rid if looked.beside else None,
        "calls_after": len(looked.after),
        "forwarded": [joined.call.rid for joined in looked.after if joined.forwarded][:50],
    }


def _violated(draft: Draft, wrong: Sequence[Looked]) -> BreakerFinding:
    first = wrong[0]
    text = f"({first.part}): {first.wrong}"
    more = {looked.part: looked for looked in wrong[1:] if looked.part != first.part}
    for looked in more.values():
        text += f"; ({looked.part}): {looked.wrong}"
    if first.part == "i":
        draft.notes.append("the same calls leaked while open: BRK-04")
    if "iii" in (first.part, *more):
        draft.notes.append("the same calls were more than the permits: BRK-08")
    draft.observed = Observed(value=len(wrong), unit="decisions")
    return draft.violated(
        text,
        counterexample(
            text,
            [first.straggler, *first.deciding],
            around=[*(j for looked in more.values() for j in looked.deciding), *first.after],
            interval=(
                first.settled.lo,
                first.after[-1].call.sent if first.after else first.settled.lo,
            ),
            expected="as if it had not ended",
            got=first.wrong,
        ),
    )
