"""BRK-13: a trial that is never answered does not wedge the breaker while all other calls would succeed.

A breaker without permits passes here and fails BRK-08; a note says so. How long callers wait meanwhile is
judged by BRK-05 and noted here.
"""

from harness.judge.breaker.finding import Draft, Subject
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Joined, Known, PhaseView
from harness.judge.breaker.lives import first_arrival
from harness.judge.breaker.permit_back import Wait, judged, trial_of, wait_for
from harness.model.breaker_findings import BreakerFinding

SUBJECT = Subject(
    id="BRK-13",
    name="a hung trial does not wedge",
    severity="critical",
    condition="after a trial that gets no answer some call is forwarded within "
    "call_timeout (else lost_after) + open + 1/rate + slack",
    phases=(10,),
)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases):
        return early
    waits: list[Wait] = []
    hit = 0
    for view in known.phases_of(*SUBJECT.phases):
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
        found = "" if view.timing else _wait(known, view)
        if isinstance(found, Wait):
            waits.append(found)
            hit += _hit_beside(found)
        elif found:
            draft.lacks.append(found)
    draft.need("trials hung", len(waits), at_least=1)
    draft.need("calls hit beside the trial", hit, at_most=0)
    return judged(known, draft, waits, what="the trial {} got no answer")


def _wait(known: Known, view: PhaseView) -> Wait | str:
    trial = trial_of(view)
    if trial is None or not trial.forwarded:
        return f"{view.phase.id}: no trial was let through, so none hung"
    if _answered(trial):
        return f"{view.phase.id}: the trial {trial.call.rid} was answered, so it did not hang"
    return wait_for(known, view, trial, first_arrival(trial))


def _answered(trial: Joined) -> bool:
    return trial.call.arrivals[-1].end == "answered"


def _hit_beside(wait: Wait) -> int:
    """Later calls that suffered as well, up to the first that was let through."""
    until = wait.deadline
    return sum(
        joined.forwarded
        and first_arrival(joined) <= until
        and (joined.outcome == "failure" or bool(joined.call.arrivals[0].injected))
        for joined in wait.later
    )
