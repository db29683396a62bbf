"""Rules of what an experiment sends: prepare, bursts, where faults stand, and every placeholder filled.

A fault by itself is ``checks_faults.py``, arrivals by themselves are ``checks_arrivals.py``; what is
judged, and what is expected, is ``checks_experiment.py``.
"""

from collections.abc import Collection, Mapping
from typing import Any

from harness.experiment.checks_arrivals import check_arrivals
from harness.experiment.checks_faults import check_fault
from harness.experiment.checks_services import addresses
from harness.experiment.checks_target import (
    answer_names,
    asked_placeholders,
    operation_placeholders,
)
from harness.experiment.draft import Draft, ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import (
    MAX_CONCURRENCY,
    Arrivals,
    BurstPart,
    burst_parts,
)
from harness.experiment.nodes import Path, child, find
from harness.experiment.report import unknown
from harness.experiment.target_parts import Operation, Probe, Reset
from harness.experiment.texts import (
    IN_REQUESTS,
    answer_expression,
    placeholders,
    unknown_placeholder,
)
from harness.experiment.words import RESERVED
from harness.model.units import Duration

_FOR_VALUE = "Give it a value in vars:, or capture it in the experiment's prepare:."
_HINTS = {
    "port": "Write {services.NAME.port}; {port} is what a service is told of itself.",
    "variant": "The target declares no variants.",
}


# One request alone meets no other.
LEAST_CONCURRENCY = 2


def check_traffic(experiment: ExperimentDraft, target: TargetDraft, limit: Duration) -> set[str]:
    """Reports on all that is sent or injected; returns the operations that some step sends."""
    captured = _prepare(experiment, target)
    _asked(target, captured)
    if experiment.judges_breaker:
        return _guarded(experiment, target, captured)
    return _method(experiment, target, captured, limit)


def _guarded(
    experiment: ExperimentDraft, target: TargetDraft, captured: Collection[str]
) -> set[str]:
    """The operation whose calls a breaker guards; its script sends nothing else."""
    block = experiment.breaker
    if block is None:
        return set()
    part = BurstPart(operation=block.calls, concurrency=1)
    _check_part(experiment, target, ("breaker",), part, captured, key="calls")
    return {block.calls}


def _prepare(experiment: ExperimentDraft, target: TargetDraft) -> list[str]:
    captured: list[str] = []
    for index, step in experiment.prepare.items():
        at: Path = ("prepare", index)
        part = BurstPart(operation=step.operation, concurrency=1, vars=step.vars)
        _check_part(experiment, target, at, part, captured)
        _values_of_burst(experiment, target, at, part)
        for name, source in step.capture.items():
            names = answer_names(target, step.operation)
            answer_expression(experiment, (*at, "capture", name), source, names)
            captured.append(name)
    # A step that was left out may have captured anything that stands there.
    root = find(experiment.root, ("prepare",))
    for index, _ in enumerate(experiment_items(experiment, "prepare")):
        if index not in experiment.prepare:
            node = child(child(root, index) or root, "capture")
            captured.extend(getattr(node, "entries", {}))
    return captured


def experiment_items(experiment: ExperimentDraft, key: str) -> tuple[Any, ...]:
    """The items of a list as they stand in the file, right or wrong."""
    items: tuple[Any, ...] = getattr(child(experiment.root, key), "items", ())
    return items


def _method(
    experiment: ExperimentDraft, target: TargetDraft, captured: Collection[str], limit: Duration
) -> set[str]:
    """Reports on the steps; the operations that some step sends."""
    for path, fault in experiment.faults():
        check_fault(experiment, target, path, fault, limit)
    sent: dict[str, int] = {}
    for index, step in experiment.method.items():
        at: Path = ("method", index)
        if step.burst is not None:
            named = _burst(experiment, target, (*at, "burst"), step.burst, captured)
        elif step.arrivals is not None:
            named = {step.arrivals.operation}
            at = (*at, "arrivals")
            check_arrivals(experiment, target, at, step.arrivals, limit)
            _check_part(experiment, target, at, step.arrivals, captured)
        else:
            continue
        sent.update(dict.fromkeys(named, index))
    last = max(sent.values(), default=0)
    for path, fault in experiment.faults():
        if sent and int(path[1]) > last:
            experiment.wrong(
                path, f"the fault {fault.kind} comes after the last burst", "a place before it"
            )
    items = experiment_items(experiment, "method")
    complete = 0 < len(items) == len(experiment.method)
    if complete and not sent:
        experiment.wrong(
            ("method",),
            "the method has no burst, so nothing would be tested",
            "a burst or arrivals step",
            at_key=True,
        )
    return {*sent} if complete and sent else {*sent, *target.names("operations")}


def _burst(
    experiment: ExperimentDraft,
    target: TargetDraft,
    at: Path,
    burst: Any,
    captured: Collection[str],
) -> set[str]:
    """Reports on one burst; the operations that it sends."""
    parts = burst_parts(burst, at)
    for path, part in parts:
        _check_part(experiment, target, path, part, captured)
        _values_of_burst(experiment, target, path, part)
    total = sum(part.concurrency for _, part in parts)
    if total < LEAST_CONCURRENCY:
        experiment.wrong(
            at,
            f"the burst has {total} request, which meets no other",
            f"{LEAST_CONCURRENCY} or more together",
        )
    if total > MAX_CONCURRENCY:
        experiment.wrong(
            at, f"the burst has {total} requests", f"{MAX_CONCURRENCY} or less together"
        )
    return {part.operation for _, part in parts}


def _check_part(
    experiment: ExperimentDraft,
    target: TargetDraft,
    at: Path,
    part: BurstPart | Arrivals,
    captured: Collection[str],
    *,
    key: str = "operation",
) -> None:
    """One operation as it is sent: it exists, and every placeholder of it has a value."""
    known = target.names("operations")
    if part.operation not in known:
        experiment.wrong((*at, key), *unknown("operation", part.operation, known))
        return
    for found in placeholders(experiment, (*at, "vars"), part.vars):
        unknown_placeholder(
            experiment, found, addresses(target, (*always_there(target), *captured))
        )
    operation = target.operations.get(part.operation)
    if operation is None:
        return
    used = _used(target, part.operation, operation)
    for name in part.vars:
        if name not in used and name not in operation.vars:
            experiment.wrong(
                (*at, "vars", name),
                *unknown(f"variable of {part.operation}", name, used),
                at_key=True,
            )
    values = addresses(target, (*operation.vars, *part.vars, *captured, *always_there(target)))
    for found in operation_placeholders(target, part.operation, operation):
        if found.root not in ("hops", "services"):
            unknown_placeholder(target, found, values, _HINTS.get(found.root, _FOR_VALUE))


def _values_of_burst(
    experiment: ExperimentDraft, target: TargetDraft, at: Path, part: BurstPart
) -> None:
    """In a burst no two requests share a value of a list; over time one comes round again."""
    operation = target.operations.get(part.operation)
    if operation is None:
        return
    _values_for_all(experiment, (*at, "vars"), part.vars, part.concurrency, "")
    for name, value in operation.vars.items():
        if name not in part.vars and isinstance(value, list):
            place = (*at, "concurrency") if child(find(experiment.root, at), "concurrency") else at
            _values_for_all(experiment, place, {name: value}, part.concurrency, part.operation)


def _variant(target: TargetDraft) -> tuple[str, ...]:
    return ("variant",) if target.names("variants") else ()


def always_there(target: TargetDraft) -> tuple[str, ...]:
    """What every request may name without a value in the files."""
    return (*IN_REQUESTS, *_variant(target))


def _asked(target: TargetDraft, captured: Collection[str]) -> None:
    """Probes and resets know the variant and what was captured, no request."""
    known = addresses(target, (*_variant(target), *captured))
    asked: list[tuple[Path, Probe | Reset]] = [*target.resets]
    asked += [(("probes", name), probe) for name, probe in target.probes.items()]
    for at, one in asked:
        for found in asked_placeholders(target, at, one):
            if found.root not in ("hops", "services"):
                unknown_placeholder(target, found, known, "A brace itself is written {{ or }}.")


def _used(target: TargetDraft, name: str, operation: Operation) -> list[str]:
    roots = [found.root for found in operation_placeholders(target, name, operation)]
    return [root for root in dict.fromkeys(roots) if root not in (*RESERVED, "hops", "services")]


def _values_for_all(
    experiment: Draft, at: Path, variables: Mapping[str, Any], requests: int, whose: str
) -> None:
    for name, value in variables.items():
        if isinstance(value, list) and len(value) < requests:
            of = f"the variable {name!r} of {whose}" if whose else f"the variable {name!r}"
            experiment.wrong(
                at if whose else (*at, name),
                f"{of} has {len(value)} value{'s' if len(value) != 1 else ''} for {requests} requests",
                "a value for each request",
            )
