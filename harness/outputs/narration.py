"""Events in words, as ``-vv`` tells them while a run goes on. One sentence an event, or none."""

from typing import assert_never

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


def sentence(event: AnyEvent) -> str:  # noqa: PLR0911 - a case a group of events is the point
    """What happened, for a person who asked to hear of everything; empty for what is said elsewhere."""
    match event:
        case (
            OperationSent()
            | OperationReturned()
            | HopRequestArrived()
            | HopRequestEnded()
            | ProbeRead()
            | BurstWritten()
            | BurstReleased()
            | ArrivalsStarted()
            | ArrivalsFinished()
            | LoopLagged()
            | ProcessSampled()
            | HopRead()
            | RoundStarted()
            | RoundFinished()
            | Settled()
            | NeverSettled()
            | RunStarted()
            | RunFinished()
        ):
            return ""
        case ProcessIntended() | ProcessStarted() | ProcessEnded() | ServiceReady():
            return _process(event)
        case ContainerIntended() | ContainerStarted() | ContainerRemoved():
            return _container(event)
        case HopIntended() | HopOpened() | HopClosed() | HopCounted():
            return _hop(event)
        case FaultIntended() | FaultApplied() | FaultSeen() | FaultUndone():
            return _fault(event)
        case Prepared(operation=operation, status=status, captured=captured):
            kept = f", kept {', '.join(captured)}" if captured else ""
            return f"prepared: {operation} answered {status or 'nothing'}{kept}"
        case ResetDone() | SteadyStateJudged() | RoundsCutShort():
            return _course(event)
        case PhaseEntered() | PhaseLeft():
            return _phase(event)
        case (
            TargetFailed()
            | HarnessFailed()
            | SetupRefused()
            | LimitReached()
            | Interrupted()
            | FaultNotUndone()
        ):
            return ""
        case _:
            assert_never(event)


def _process(event: ProcessIntended | ProcessStarted | ProcessEnded | ServiceReady) -> str:
    match event:
        case ProcessIntended(name=name, argv=argv):
            return f"{name}: starting {' '.join(argv)}"
        case ProcessStarted(name=name, pid=pid):
            return f"{name}: started as process {pid}"
        case ProcessEnded(name=name, pid=pid, exit_code=code, expected=expected):
            how = "stopped" if expected else "ended"
            return f"{name}: process {pid} {how}" + ("" if code is None else f", exit code {code}")
        case ServiceReady(name=name, address=address, after=after):
            return f"{name}: ready at {address} after {after}"
        case _:
            assert_never(event)


def _container(event: ContainerIntended | ContainerStarted | ContainerRemoved) -> str:
    match event:
        case ContainerIntended(name=name, container=container, image=image):
            return f"{name}: making container {container} of {image}"
        case ContainerStarted(name=name, container=container):
            return f"{name}: started as container {container}"
        case ContainerRemoved(name=name, container=container, found=found):
            return f"{name}: container {container} {'removed' if found else 'was gone already'}"
        case _:
            assert_never(event)


def _hop(event: HopIntended | HopOpened | HopClosed | HopCounted) -> str:
    match event:
        case HopIntended(hop=hop, admin=admin):
            return f"hop {hop}: asking {admin} for a proxy"
        case HopOpened(hop=hop, listen=listen, upstream=upstream, observed=observed):
            where = "" if observed == "here" else ", watched by a hop before it"
            return f"hop {hop}: {listen} → {upstream}{where}"
        case HopClosed(hop=hop, found=found):
            return f"hop {hop}: closed" if found else f"hop {hop}: was gone already"
        case HopCounted(hop=hop):
            dropped = f", {event.dropped} too many to keep" if event.dropped else ""
            return (
                f"hop {hop}: {event.connections} connections, {event.turns} messages{dropped}, "
                f"{event.bytes_up} bytes up, {event.bytes_down} bytes down"
            )
        case _:
            assert_never(event)


def _fault(event: FaultIntended | FaultApplied | FaultSeen | FaultUndone) -> str:
    match event:
        case FaultIntended(kind=kind, words=words, on=on):
            return f"fault {event.fault}: about to put {words or kind} on {on}"
        case FaultApplied(fault=fault):
            return f"fault {fault}: in force"
        case FaultSeen(fault=fault, messages=messages, hit=hit, missed=missed, of=of):
            return f"fault {fault}: seen on {hit} of {messages} {of}s, {missed} without it"
        case FaultUndone(fault=fault, found=found, by=by):
            gone = "" if found else ", but it was gone already"
            return f"fault {fault}: undone by the {by}{gone}"
        case _:
            assert_never(event)


def _course(event: ResetDone | SteadyStateJudged | RoundsCutShort) -> str:
    match event:
        case ResetDone(round=number):
            return f"reset before {'the steady state' if number is None else f'round {number}'}"
        case RoundsCutShort(rounds=rounds, broken=broken):
            return f"no further round: {broken} of {rounds} rounds broke what was expected to break"
        case SteadyStateJudged():
            return _steady(event)
        case _:
            assert_never(event)


def _phase(event: PhaseEntered | PhaseLeft) -> str:
    match event:
        case PhaseEntered(phase=phase, rate=rate, planned=planned, callers=callers, fault=fault):
            calls = f"{planned} calls" if planned is not None else ""
            at = f"at {rate:g}/s" if rate is not None else ""
            together = f"{callers} at once" if callers is not None else ""
            load = " ".join(part for part in (calls, at) if part)
            told = ", ".join(part for part in (load, together, fault or "") if part)
            return f"phase {phase}: {told}" if told else f"phase {phase}"
        case PhaseLeft(phase=phase, reached=reached, why=why):
            return f"phase {phase}: over" if reached else f"phase {phase}: not reached: {why}"
        case _:
            assert_never(event)


def _steady(event: SteadyStateJudged) -> str:
    values = ", ".join(f"{name} = {value}" for name, value in event.values.items())
    with_values = f" ({values})" if values else ""
    if event.held:
        return f"steady state holds{with_values}"
    return f"steady state does not hold: {'; '.join(event.failing)}{with_values}"
