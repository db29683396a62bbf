"""The evidence of a whole run, piece by piece, for ``conclude``. Says what is there; concludes nothing."""

from collections.abc import Callable, Iterable

from harness.expressions.values import show
from harness.judge.conclude import Conclusion, Evidence, Missing, Shown, conclude
from harness.judge.evidence import Lack
from harness.judge.judgement import lacks_in_words, number_of
from harness.judge.lacks import LEAST_OVERLAP
from harness.judge.run_view import RunView
from harness.model.events import SteadyStateJudged


def conclusion_of(view: RunView) -> Conclusion:
    """Hands every piece of evidence to the function that concludes."""
    return conclude(
        stops=view.stops,
        consistent=_consistent(view),
        finished=_finished(view),
        steady_before=steady(view, view.steady_before, "before the method"),
        steady_after=steady(view, view.steady_after, "after the last undo"),
        traffic=_traffic(view),
        overlap=_overlap(view),
        faults=_faults(view),
        settled=_settled(view),
        rounds_counted=_rounds_counted(view),
        undone=undone(view),
        invariants=view.invariants,
    )


def _consistent(view: RunView) -> Evidence:
    if view.contradictions:
        return Missing(
            tuple(f"the evidence contradicts itself: {each}" for each in view.contradictions)
        )
    return Shown("no two events contradict each other")


def _finished(view: RunView) -> Evidence:
    if view.finished is None:
        return None
    done, planned = len(view.finished_rounds), view.started.plan.rounds
    if view.cut_short is not None and done == view.cut_short.rounds:
        return Shown(f"{number_of(done, 'round')}, which were enough")
    if done != planned:
        return Missing((f"{done} of {number_of(planned, 'round')} were run to their end",))
    return Shown(f"{number_of(done, 'round')} as planned")


def steady_in_words(judged: SteadyStateJudged) -> str:
    """``balance == 100 is false (balance = 80)``."""
    values = ", ".join(f"{name} = {show(value)}" for name, value in judged.values.items())
    failing = ", ".join(judged.failing) or "the steady state"
    return f"{failing} is false ({values})" if values else f"{failing} is false"


def steady(view: RunView, judged: SteadyStateJudged | None, when: str) -> Evidence:
    if not view.started.plan.steady_state:
        return Shown("no steady state was declared")
    if judged is None:
        return None
    if judged.held:
        return Shown(f"the steady state held {when}")
    injected = "; nothing was injected" if judged.when == "before" else ""
    return Missing((f"the steady state was not there {when}: {steady_in_words(judged)}{injected}",))


def _traffic(view: RunView) -> Evidence:
    sent = sum(count.sent for count in view.traffic.values())
    return Shown(number_of(sent, "operation")) if sent else Missing(("no operation was sent",))


def _overlap(view: RunView) -> Evidence:
    most = max((max(each.overlaps.values(), default=0) for each in view.rounds), default=0)
    if most >= LEAST_OVERLAP:
        return Shown(f"{most} operations in flight together")
    if not any(each.overlaps for each in view.rounds):
        return Missing(("no requests overlapped, since none was sent",))
    return Missing(
        (
            "no two requests were in flight together in any of "
            + number_of(len(view.rounds), "round"),
        )
    )


def _faults(view: RunView) -> Evidence:
    if not view.started.plan.faults:
        return Shown("no fault was declared")
    if not view.finished_rounds:
        return Missing(("no fault was looked for in a round that finished",))
    lacks = _withheld(view, lambda lack: lack.about == "fault")
    return Missing(lacks) if lacks else Shown("every fault was seen in every round")


def _settled(view: RunView) -> Evidence:
    lacks = _withheld(view, lambda lack: lack.about == "settling")
    if lacks:
        return Missing(lacks)
    settled = sum(each.settled for each in view.finished_rounds)
    return (
        Shown(f"{number_of(settled, 'round')} settled")
        if settled
        else Missing(("no round settled",))
    )


def _rounds_counted(view: RunView) -> Evidence:
    others = _withheld(view, lambda lack: lack.about in ("round", "traffic"))
    if others:
        return Missing(others)
    counted = len(view.counted_rounds)
    if counted:
        return Shown(f"{number_of(counted, 'round')} that count")
    # A withheld fault or settling explains itself elsewhere.
    lacks = _in_words(view, lambda lack: not lack.withheld)
    return Missing(lacks or ("no round counts",))


def undone(view: RunView) -> Evidence:
    if view.not_undone:
        return Missing(tuple(f"not undone: {each}" for each in view.not_undone))
    return None if view.finished is None else Shown("every fault was undone")


def _withheld(view: RunView, which: Callable[[Lack], bool]) -> tuple[str, ...]:
    return _in_words(view, lambda lack: lack.withheld and which(lack))


def _in_words(view: RunView, which: Callable[[Lack], bool]) -> tuple[str, ...]:
    found: Iterable[tuple[int, Lack]] = (
        (each.round, lack)
        for each in view.finished_rounds
        for lack in each.all_lacks
        if which(lack)
    )
    return lacks_in_words(found)
