"""BRK-14: a trial whose caller hangs up gives its permit back, whether or not the service notices."""

from harness.judge.breaker.finding import Draft, Subject
from harness.judge.breaker.judgeable import not_judgeable
from harness.judge.breaker.known import Known, PhaseView
from harness.judge.breaker.lives import first_arrival
from harness.judge.breaker.permit_back import Wait, judged, trial_of, wait_for
from harness.judge.breaker.times_in_words import in_seconds
from harness.model.breaker_findings import BreakerFinding

SUBJECT = Subject(
    id="BRK-14",
    name="a departed trial gives its permit back",
    severity="critical",
    condition="after the trial's caller has left some call is forwarded within "
    "call_timeout (else lost_after) + open + 1/rate + slack",
    phases=(11,),
)


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    if early := not_judgeable(draft, known, *SUBJECT.phases):
        return early
    waits: list[Wait] = []
    for view in known.phases_of(*SUBJECT.phases):
        draft.lacks.extend(lack for lack in (view.lack, view.timing) if lack)
        found = "" if view.timing else _wait(known, view)
        if isinstance(found, Wait):
            waits.append(found)
            draft.notes.append(_noticed(found))
        elif found:
            draft.lacks.append(found)
    draft.need("trials at the hop before their caller left", len(waits), at_least=1)
    return judged(known, draft, waits, what="the caller of the trial {} left")


def _wait(known: Known, view: PhaseView) -> Wait | str:
    trial = trial_of(view)
    if trial is None:
        return f"{view.phase.id}: no trial is on record"
    left = trial.call.ended
    if trial.call.end != "left" or left is None:
        return f"{view.phase.id}: the caller of {trial.call.rid} did not leave"
    if not trial.forwarded or first_arrival(trial) >= left:
        return f"{view.phase.id}: {trial.call.rid} was not seen at the hop before its caller left"
    return wait_for(known, view, trial, left)


def _noticed(wait: Wait) -> str:
    """Whether the service cancelled its call, which many servers do not."""
    trial, last = wait.trial.call, wait.trial.call.arrivals[-1]
    if last.end == "answered":
        return f"the call of {trial.rid} went on, and the downstream answered it"
    if last.end != "abandoned" or last.ended is None:
        return f"the service did not give up its call for {trial.rid}"
    after = max(0, last.ended - wait.since)
    return f"the service gave up its call for {trial.rid} {in_seconds(after)} after the caller left"
