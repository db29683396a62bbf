"""How far a run is, folded from its events: phase, rounds done, what went wrong. Pure; draws nothing."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan
from harness.model.events import (
    AnyEvent,
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    ContainerIntended,
    ContainerRemoved,
    ContainerStarted,
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultSeen,
    FaultUndone,
    HarnessFailed,
    HopClosed,
    HopCounted,
    HopIntended,
    HopOpened,
    HopRead,
    HopRequestArrived,
    HopRequestEnded,
    Interrupted,
    LimitReached,
    LoopLagged,
    NeverSettled,
    OperationReturned,
    OperationSent,
    PhaseEntered,
    PhaseLeft,
    Prepared,
    ProbeRead,
    ProcessEnded,
    ProcessIntended,
    ProcessSampled,
    ProcessStarted,
    ResetDone,
    RoundFinished,
    RoundsCutShort,
    RoundStarted,
    RunFinished,
    RunStarted,
    ServiceReady,
    Settled,
    SetupRefused,
    SteadyStateJudged,
    TargetFailed,
)
from harness.model.verdicts import Verdict

Stage = Literal["starting", "steady state", "rounds", "steady state again", "stopping", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that went wrong: whose it was, its own words (untrusted), how to go on.

    ``told_by`` is the verdict whose reason tells the same.
    """

    what: str
    detail: str = ""
    hint: str = ""
    told_by: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run is. ``phase`` is in words for people; ``stage`` changes a handful of times a run."""

    run: str = ""
    experiment: str = ""
    title: str = ""
    label: str = ""
    seed: int = 0
    rounds: int = 0
    services: tuple[str, ...] = ()
    done: int = 0
    unit: str = "round"
    """What is counted; of a breaker's script its phases."""
    stage: Stage = "starting"
    phase: str = "starting"
    troubles: tuple[Trouble, ...] = ()

    @property
    def count(self) -> str:
        """`` 3/20``: as wide from the first round to the last."""
        return f"{self.done:>{len(str(self.rounds))}}/{self.rounds}"


def label_of(variant: str | None, experiment: str) -> str:
    """What a run is called beside the others of its experiment."""
    return variant or experiment


def step(progress: Progress, event: AnyEvent) -> Progress:  # noqa: C901, PLR0911, PLR0912 - a case an event is the point
    """The progress after ``event``; the same object when nothing a person watches has changed."""
    match event:
        case RunStarted():
            return _begun(event)
        case (
            ProcessIntended()
            | ProcessStarted()
            | ServiceReady()
            | ContainerIntended()
            | ContainerStarted()
            | HopIntended()
            | HopOpened()
        ):
            return _coming_up(progress, event)
        case Prepared(operation=operation):
            return replace(progress, phase=f"prepared {operation}")
        case ResetDone(round=None) | SteadyStateJudged():
            return _steady(progress)
        case RoundStarted(round=number):
            return replace(progress, stage="rounds", phase=f"round {number}")
        case RoundFinished():
            return replace(progress, done=progress.done + 1)
        case PhaseEntered(phase=phase):
            return replace(progress, stage="rounds", phase=phase)
        case PhaseLeft(phase=phase) if not phase.startswith("before-"):
            return replace(progress, done=min(progress.done + 1, progress.rounds))
        case RoundsCutShort(rounds=rounds):
            return replace(progress, rounds=rounds)
        case ProcessEnded() | ContainerRemoved() | HopClosed() if _stops(progress, event):
            return replace(progress, stage="stopping", phase="stopping")
        case RunFinished():
            return replace(progress, stage="done", phase="done")
        case (
            TargetFailed()
            | HarnessFailed()
            | SetupRefused()
            | LimitReached()
            | Interrupted()
            | FaultNotUndone()
        ):
            return replace(progress, troubles=(*progress.troubles, trouble(event)))
        case (
            ProcessEnded()
            | ContainerRemoved()
            | HopClosed()
            | ResetDone()
            | Settled()
            | NeverSettled()
            | FaultIntended()
            | FaultApplied()
            | FaultSeen()
            | FaultUndone()
            | ArrivalsStarted()
            | ArrivalsFinished()
            | PhaseLeft()
            | LoopLagged()
            | ProcessSampled()
            | HopRead()
            | BurstWritten()
            | BurstReleased()
            | OperationSent()
            | OperationReturned()
            | HopRequestArrived()
            | HopRequestEnded()
            | HopCounted()
            | ProbeRead()
        ):
            return progress
        case _:
            assert_never(event)


def _begun(event: RunStarted) -> Progress:
    plan = event.plan
    return Progress(
        run=event.run,
        experiment=plan.experiment,
        title=plan.title,
        label=label_of(plan.variant, plan.experiment),
        seed=plan.seed,
        rounds=plan.rounds if plan.breaker is None else _phases(plan.breaker),
        unit="round" if plan.breaker is None else "phase",
        services=tuple(service.name for service in plan.target.services),
    )


Arrival = (
    ProcessIntended
    | ProcessStarted
    | ServiceReady
    | ContainerIntended
    | ContainerStarted
    | HopIntended
    | HopOpened
)


def _coming_up(progress: Progress, event: Arrival) -> Progress:
    """A process of a service's own name is waited for; one named after it only prepares it."""
    if progress.stage != "starting":
        return progress
    match event:
        case ProcessIntended(name=name) if owner := _owner(name, progress.services):
            return replace(progress, phase=f"starting {owner}")
        case ContainerIntended(name=name):
            return replace(progress, phase=f"starting {name}")
        case ProcessStarted(name=name) | ContainerStarted(name=name) if name in progress.services:
            return replace(progress, phase=f"waiting for {name}")
        case HopIntended(hop=hop) | HopOpened(hop=hop):
            return replace(progress, phase=f"wiring hop {hop}")
        case ProcessIntended() | ProcessStarted() | ContainerStarted() | ServiceReady():
            return progress
        case _:
            assert_never(event)


def _owner(process: str, services: tuple[str, ...]) -> str:
    """``postgres-initdb`` is part of starting ``postgres``."""
    return next((name for name in services if process.startswith(f"{name}-")), "")


def _stops(progress: Progress, event: ProcessEnded | ContainerRemoved | HopClosed) -> bool:
    """True of a service that ends; the processes of commands and resets come and go in every round.

    One that ends by itself has its own TargetFailed, if it was still needed.
    """
    if progress.stage == "starting":
        return False
    return not isinstance(event, ProcessEnded) or event.name in progress.services


def _steady(progress: Progress) -> Progress:
    """Before the first round it is the first look; with all rounds over, the second."""
    if progress.stage in ("stopping", "done"):
        return progress
    stage: Stage = "steady state" if not progress.done else "steady state again"
    return replace(progress, stage=stage, phase=stage)


Failure = TargetFailed | HarnessFailed | SetupRefused | LimitReached | Interrupted | FaultNotUndone


def trouble(event: Failure) -> Trouble:
    """A failure's own event in the words of one shape."""
    match event:
        case TargetFailed(what=what, detail=detail, hint=hint):
            return Trouble(what=what, detail=detail, hint=hint)
        case HarnessFailed(what=what, detail=detail):
            return Trouble(what=what, detail=detail, hint="This says nothing about the target.")
        case SetupRefused(message=message):
            return Trouble(
                what="not as needed, nothing was injected", detail=message, told_by=Verdict.REFUSED
            )
        case LimitReached(limit=limit, during=during):
            what = f"the time limit of {limit} was reached during {during}"
            return Trouble(what=what, told_by=Verdict.ABORTED)
        case Interrupted(signal=signal, during=during):
            what = f"{signal} arrived during {during}, rolling back"
            return Trouble(what=what, told_by=Verdict.INTERRUPTED)
        case FaultNotUndone(fault=fault, because=because):
            return Trouble(what=f"{fault} could not be undone", detail=because)
        case _:
            assert_never(event)


def _phases(breaker: BreakerPlan) -> int:
    """How many there are to be. What no file can declare must not take the display along."""
    try:
        return len(derive(breaker).phases)
    except ArithmeticError:
        return 1
