"""Drafts without a problem to ``Plan``: defaults filled in, names resolved, ids given.

Nothing is checked here any more; expressions and templates stay as they were written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.experiment.checks_target import needs_of, reset_file, service_for
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import DEFAULT_HOLD, ViolatedBy, burst_parts
from harness.experiment.fault_parts import Fault
from harness.experiment.target_parts import Operation, Ready, Service
from harness.expressions.parse import parse
from harness.model.errors import HarnessBug
from harness.model.plan import (
    BurstPart,
    BurstStep,
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
_STARTING = Duration.of_s(120)
_READY_WITHIN = Duration.of_s(30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the command line said, or what stands for it."""

    seed: int
    rounds: int
    time_limit: Duration


def default_limit(experiment: ExperimentDraft, target: TargetDraft, rounds: int) -> Duration:
    """Ten minutes, or more where the rounds may honestly take longer: a generous sum of all limits."""
    a_round = experiment.settle.limit
    for step in experiment.method.values():
        if step.burst is None:
            continue
        named = [target.operations.get(part.operation) for _, part in burst_parts(step.burst, ())]
        timeouts = [operation.timeout for operation in named if operation is not None]
        a_round += max(timeouts, default=_READY_WITHIN) + _hold(step.burst)
    total = _STARTING + experiment.recovers_within + a_round * rounds
    return max(LEAST_LIMIT, total)


def plan(
    experiment: ExperimentDraft, target: TargetDraft, variant: str | None, chosen: Chosen
) -> Plan:
    """The plan of one run."""
    return Plan(
        experiment=experiment.name or "",
        title=experiment.title,
        file=experiment.file,
        target=_target(target),
        variant=variant,
        expected=_expected(experiment, variant),
        seed=chosen.seed,
        rounds=chosen.rounds,
        time_limit=chosen.time_limit,
        prepare=tuple(
            PreparePlan(operation=step.operation, vars=dict(step.vars), capture=dict(step.capture))
            for step in experiment.prepare.values()
        ),
        steady_state=tuple(source.strip() for source in experiment.steady_state.values()),
        recovers_within=experiment.recovers_within,
        method=tuple(_method(experiment)),
        invariants=tuple(_invariants(experiment)),
        settle=SettlePlan(gap=experiment.settle.gap, limit=experiment.settle.limit),
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


def _target(target: TargetDraft) -> TargetPlan:
    return TargetPlan(
        name=target.name or "",
        title=target.title,
        file=target.file,
        folder=str(Path(target.file).resolve().parent),
        services=tuple(_service(name, service) for name, service in target.services.items()),
        hops=tuple(
            HopPlan(name=name, source=hop.source, to=hop.to, listen=hop.listen)
            for name, hop in target.hops.items()
        ),
        resets=tuple(_resets(target)),
        operations=tuple(_operation(target, name, one) for name, one in target.operations.items()),
        probes=tuple(
            ProbePlan(
                name=name,
                kind=probe.kind,
                on=_on(target, ("probes", name), probe.on, probe.kind),
                params=probe.plain_params(),
            )
            for name, probe in target.probes.items()
        ),
        allow_hosts=tuple(target.allow_hosts),
    )


def _service(name: str, service: Service) -> ServicePlan:
    ready = service.ready
    if ready is None and service.kind == "run":
        ready = Ready()
    return ServicePlan(
        name=name,
        kind=service.kind,
        params=service.plain_params(),
        env=dict(service.env),
        ready=None if ready is None else _ready(ready),
    )


def _ready(ready: Ready) -> ReadyPlan:
    line = ready.http
    call = None if line is None else HttpCall(method=line.method, path=line.path)
    return ReadyPlan(http=call, limit=ready.within)


def _resets(target: TargetDraft) -> Iterator[ResetPlan]:
    for path, reset in target.resets:
        params = reset.plain_params()
        if reset.kind == "sql":
            script = str(reset.texts()["sql"])
            file = reset_file(target, (*path, "sql"), script)
            params = {"script": script} if file is None else {"file": str(file.resolve())}
        yield ResetPlan(kind=reset.kind, on=_on(target, path, reset.on, reset.kind), params=params)


def _operation(target: TargetDraft, name: str, operation: Operation) -> OperationPlan:
    return OperationPlan(
        name=name,
        on=_on(target, ("operations", name), operation.on, "http"),
        http=HttpCall(
            method=operation.http.method,
            path=operation.http.path,
            headers=dict(operation.headers),
            json=operation.payload,
            has_json=operation.has_json,
            body=operation.body,
        ),
        vars=dict(operation.vars),
        timeout=operation.timeout,
        acknowledged=operation.acknowledged,
        rejected=operation.rejected,
    )


def _on(target: TargetDraft, path: tuple[str | int, ...], on: str | None, kind: str) -> str:
    found = service_for(target, path, on, needs_of(kind))
    if found is None:  # pragma: no cover - reported by the checks before
        raise HarnessBug(f"{path} has no service, and no problem was reported")
    return found


# The experiment


def _method(experiment: ExperimentDraft) -> Iterator[Step]:
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


def _hold(burst: Any) -> Duration:
    hold: Duration = getattr(burst, "hold", DEFAULT_HOLD)
    return hold


def _invariants(experiment: ExperimentDraft) -> Iterator[InvariantPlan]:
    for name, invariant in experiment.invariants.items():
        params = invariant.params()
        source = str(invariant.texts()[invariant.kind]).strip()
        yield InvariantPlan(
            name=name,
            kind=invariant.kind,
            expression=source,
            probes=parse(source).names,
            every=getattr(params, "every", None),
        )
