"""Drafts without a problem to ``Plan``: defaults filled in, names resolved, ids given.

Nothing is checked here any more; expressions and templates stay as they were written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from harness.experiment.breaker_plan import breaker_plan
from harness.experiment.breaker_script import derive
from harness.experiment.checks_asked import needs_of, service_for
from harness.experiment.checks_containers import container_of
from harness.experiment.checks_target import reset_file
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import (
    DEFAULT_HOLD,
    MAX_CONCURRENCY,
    Arrivals,
    Invariant,
    ViolatedBy,
    burst_parts,
)
from harness.experiment.fault_parts import Fault
from harness.experiment.target_parts import (
    CONTAINER,
    STARTED,
    Operation,
    Ready,
    Reset,
    Service,
)
from harness.expressions.parse import parse
from harness.kinds import main_attribute
from harness.model.errors import HarnessBug
from harness.model.plan import (
    ArrivalsStep,
    BurstPart,
    BurstStep,
    CommandCall,
    Expected,
    FaultStep,
    HopPlan,
    HttpCall,
    InvariantPlan,
    OperationPlan,
    Plan,
    PreparePlan,
    ProbePlan,
    ReadyPlan,
    ResetPlan,
    ServicePlan,
    SettlePlan,
    Step,
    TargetPlan,
)
from harness.model.units import Duration

LEAST_LIMIT = Duration.of_s(600)
LEAST_CAP = 500
# A chance of breaking below one half does so five times in a row in one of 32 tries.
ENOUGH_BROKEN = 5
_STARTING = Duration.of_s(120)
_READY_WITHIN = Duration.of_s(30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the command line said, or what stands for it."""

    seed: int
    rounds: int | None
    """None where nothing says a number."""
    time_limit: Duration
    full: bool = False
    """Whether all rounds run, also where fewer are enough."""


def default_limit(experiment: ExperimentDraft, target: TargetDraft, rounds: int | None) -> Duration:
    """Ten minutes, or more where the run may honestly take longer: a generous sum of all limits."""
    beside = _STARTING + experiment.recovers_within
    if experiment.breaker is not None:
        script = derive(breaker_plan(experiment.breaker, rounds))
        # Twice: a phase whose start does not come waits for it, and an open time may turn out longer.
        return max(LEAST_LIMIT, beside + script.lasts * 2)
    a_round = experiment.settle.limit
    for step in experiment.method.values():
        a_round += _longest(step, target)
    return max(LEAST_LIMIT, beside + a_round * (rounds or 1))


def _longest(step: Any, target: TargetDraft) -> Duration:
    """What a step that sends may take."""
    if step.burst is not None:
        named = [part.operation for _, part in burst_parts(step.burst, ())]
        lasts = _hold(step.burst)
    elif step.arrivals is not None:
        named, lasts = [step.arrivals.operation], step.arrivals.lasts
    else:
        return Duration.ZERO
    called = [target.operations[name] for name in named if name in target.operations]
    return lasts + max((operation.timeout for operation in called), default=_READY_WITHIN)


def plan(
    experiment: ExperimentDraft, target: TargetDraft, variant: str | None, chosen: Chosen
) -> Plan:
    """The plan of one run."""
    expected = _expected(experiment, variant)
    block = experiment.breaker
    rounds = 1 if block is not None else chosen.rounds or 1
    enough = expected.verdict == "violated" and rounds > ENOUGH_BROKEN and not chosen.full
    return Plan(
        experiment=experiment.name or "",
        title=experiment.title,
        file=experiment.file,
        target=_target(target, variant),
        variant=variant,
        expected=expected,
        seed=chosen.seed,
        rounds=rounds,
        stop_after=ENOUGH_BROKEN if enough else None,
        time_limit=chosen.time_limit,
        prepare=tuple(
            PreparePlan(operation=step.operation, vars=dict(step.vars), capture=dict(step.capture))
            for step in experiment.prepare.values()
        ),
        steady_state=tuple(source.strip() for source in experiment.steady_state.values()),
        recovers_within=experiment.recovers_within,
        method=tuple(_method(experiment, target)),
        invariants=tuple(_invariants(experiment)),
        settle=SettlePlan(gap=experiment.settle.gap, limit=experiment.settle.limit),
        breaker=None if block is None else breaker_plan(block, chosen.rounds),
    )


def variants_of(
    experiment: ExperimentDraft, target: TargetDraft, asked: Sequence[str]
) -> list[str | None]:
    """The variants to run, in the order of the file; those asked for by name, if any are."""
    declared = list(experiment.variants or target.variants)
    if not asked:
        return [*declared] or [None]
    return [*(v for v in declared if v in asked), *(v for v in asked if v not in declared)]


def _expected(experiment: ExperimentDraft, variant: str | None) -> Expected:
    told = experiment.variants
    said = told.get(variant or "") if isinstance(told, Mapping) else None
    if isinstance(said, ViolatedBy):
        return Expected(verdict="violated", invariants=tuple(dict.fromkeys(said.violated)))
    return Expected(verdict="violated" if said == "violated" else "held")


# The target


def _target(target: TargetDraft, variant: str | None) -> TargetPlan:
    form = target.variants.get(variant or "")
    env = dict(form.env) if form is not None else {}
    return TargetPlan(
        name=target.name or "",
        title=target.title,
        file=target.file,
        folder=str(Path(target.file).resolve().parent),
        services=tuple(_service(target, name, one, env) for name, one in target.services.items()),
        hops=tuple(
            HopPlan(name=name, source=hop.source, to=hop.to, listen=hop.listen, compose=hop.compose)
            for name, hop in target.hops.items()
        ),
        resets=tuple(_reset(target, path, reset) for path, reset in target.resets),
        operations=tuple(
            _operation(target, name, one, env) for name, one in target.operations.items()
        ),
        probes=tuple(
            ProbePlan(
                name=name,
                kind=probe.kind,
                on=_on(target, ("probes", name), probe.on, needs_of(probe)),
                params=probe.plain_params(),
            )
            for name, probe in target.probes.items()
        ),
        allow_hosts=tuple(target.allow_hosts),
        env=env,
    )


def _service(
    target: TargetDraft, name: str, service: Service, env: Mapping[str, str]
) -> ServicePlan:
    at = ("services", name)
    ready = service.ready
    if ready is None and service.kind in STARTED:
        ready = Ready()
    params = service.plain_params()
    if CONTAINER in params:
        params[CONTAINER] = container_of(target, at, params[CONTAINER])
    stand_in = service.stand_in
    return ServicePlan(
        name=name,
        kind=service.kind,
        params=params,
        env={**service.env, **(env if service.takes_env else {})},
        compose=None if stand_in is None else container_of(target, at, stand_in),
        ready=None if ready is None else _ready(ready),
    )


def _ready(ready: Ready) -> ReadyPlan:
    line = ready.http
    call = None if line is None else HttpCall(method=line.method, path=line.path)
    return ReadyPlan(http=call, limit=ready.within)


def _reset(target: TargetDraft, path: tuple[str | int, ...], reset: Reset) -> ResetPlan:
    params = reset.plain_params()
    if reset.kind == "sql":
        script = str(reset.texts()["sql"])
        file = reset_file(target, (*path, "sql"), script)
        params = {"script": script} if file is None else {"file": str(file.resolve())}
    on = _on(target, path, reset.on, needs_of(reset))
    return ResetPlan(kind=reset.kind, on=on, params=params)


def _operation(
    target: TargetDraft, name: str, operation: Operation, env: Mapping[str, str]
) -> OperationPlan:
    line, command = operation.http, operation.command
    return OperationPlan(
        name=name,
        on="" if line is None else _on(target, ("operations", name), operation.on, "http"),
        http=None
        if line is None
        else HttpCall(
            method=line.method,
            path=line.path,
            headers=dict(operation.headers),
            json=operation.payload,
            has_json=operation.has_json,
            body=operation.body,
        ),
        command=None if command is None else CommandCall(command=command, env=dict(env)),
        key=operation.key,
        vars=dict(operation.vars),
        timeout=operation.timeout,
        acknowledged=operation.acknowledged,
        rejected=operation.rejected,
    )


def _on(target: TargetDraft, path: tuple[str | int, ...], on: str | None, needs: str) -> str:
    found = service_for(target, path, on, needs)
    if found is None:  # pragma: no cover - reported by the checks before
        raise HarnessBug(f"{path} has no service, and no problem was reported")
    return found


# The experiment


def _method(experiment: ExperimentDraft, target: TargetDraft) -> Iterator[Step]:
    seen: Counter[str] = Counter()

    def unique(name: str) -> str:
        seen[name] += 1
        return name if seen[name] == 1 else f"{name}#{seen[name]}"

    for step in experiment.method.values():
        fault: Fault | None = step.fault
        if fault is not None:
            yield FaultStep(
                id=unique(f"{fault.kind}@{fault.on}"),
                kind=fault.kind,
                on=fault.on,
                params=fault.plain_params(),
                lasts=fault.lasts,
                **fault.in_a_step(),
            )
        if step.burst is not None:
            parts = [part for _, part in burst_parts(step.burst, ())]
            yield BurstStep(
                id=unique("+".join(dict.fromkeys(part.operation for part in parts))),
                parts=tuple(
                    BurstPart(
                        operation=part.operation, concurrency=part.concurrency, vars=dict(part.vars)
                    )
                    for part in parts
                ),
                hold=_hold(step.burst),
            )
        if step.arrivals is not None:
            yield _arrivals(step.arrivals, target, unique(step.arrivals.operation))


def _arrivals(arrivals: Arrivals, target: TargetDraft, id: str) -> ArrivalsStep:
    """Without a cap of its own there is room for all that a service can leave without an answer."""
    timeout = target.operations[arrivals.operation].timeout
    planned = round(arrivals.rate * arrivals.lasts.in_s)
    most = max(LEAST_CAP, ceil(arrivals.rate * timeout.in_s) + 1)
    return ArrivalsStep(
        id=id,
        operation=arrivals.operation,
        rate=arrivals.rate,
        lasts=arrivals.lasts,
        cap=arrivals.cap or max(1, min(MAX_CONCURRENCY, most, planned)),
        vars=dict(arrivals.vars),
    )


def _hold(burst: Any) -> Duration:
    hold: Duration = getattr(burst, "hold", DEFAULT_HOLD)
    return hold


def _invariants(experiment: ExperimentDraft) -> Iterator[InvariantPlan]:
    for name, invariant in experiment.invariants.items():
        source = str(invariant.texts()[invariant.kind]).strip()
        params = invariant.plain_params()
        del params[main_attribute(invariant.described.Params, invariant.kind)]
        params.pop("every", None)
        yield InvariantPlan(
            name=name,
            kind=invariant.kind,
            expression=source,
            probes=_probes(invariant, source),
            every=getattr(invariant.params(), "every", None),
            params=params,
        )


def _probes(invariant: Invariant, source: str) -> tuple[str, ...]:
    if invariant.word == "expression":
        return parse(source).names
    return () if invariant.keys is None else (invariant.keys,)
