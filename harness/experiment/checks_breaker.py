"""Rules of a breaker: what it guards is there, its keys go together, and its script has the time it needs.

What a single key may look like is ``breaker_parts.py``; who fills the placeholders of the operation is
``checks_traffic.py``. How the keys of the block go together is ``checks_declared.py``.
"""

import math

from harness.experiment.breaker_parts import Breaker, IdHeader, IdQuery
from harness.experiment.breaker_plan import breaker_plan
from harness.experiment.breaker_script import derive, phases_of
from harness.experiment.checks_asked import service_for
from harness.experiment.checks_declared import check_declared
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.nodes import Path, child
from harness.experiment.report import unknown
from harness.experiment.schema import INSTEAD_OF_A_BREAKER
from harness.experiment.target_parts import STARTED, Operation
from harness.experiment.texts import IN_REQUESTS, placeholders
from harness.model.units import Duration

AT: Path = ("breaker",)
STARTING = Duration.of_s(10)
"""For the services to start, beside the script."""
MAX_BURSTS = 1_000

_INSTEAD = {
    "method": "the script of the breaker",
    "invariants": "BRK-01 to BRK-26, which are judged by themselves",
}


def check_breaker(
    experiment: ExperimentDraft, target: TargetDraft, limit: Duration, bursts: int | None
) -> None:
    """Reports what does not fit together; ``limit`` is the run's limit of time."""
    for key in INSTEAD_OF_A_BREAKER:
        if child(experiment.root, key) is not None:
            experiment.wrong(
                (key,),
                f"{key} stands beside breaker",
                _INSTEAD[key],
                "Write two experiments, one with breaker: and one with method:.",
                at_key=True,
            )
    block = experiment.breaker
    if block is None:
        return
    _guarded(experiment, target, block)
    _process(experiment, target, block)
    check_declared(experiment, block)
    _phases(experiment, block)
    _bursts(experiment, bursts)
    _time(experiment, block, limit, bursts)


def _guarded(experiment: ExperimentDraft, target: TargetDraft, block: Breaker) -> None:
    hops = target.names("hops")
    if block.behind not in hops:
        found, expected, hint = unknown("hop", block.behind, hops)
        behind = [name for name, hop in target.hops.items() if hop.to == block.behind]
        if not hint and behind:
            hint = f"{block.behind} is a service; the hop to it is {behind[0]}."
        experiment.wrong((*AT, "behind"), found, expected, hint)
    operation = target.operations.get(block.calls)
    if operation is None:
        return
    if operation.http is None:
        experiment.wrong(
            (*AT, "calls"),
            f"{block.calls} is a command, and a breaker is called over HTTP",
            "an operation with http:",
        )
        return
    _same_service(experiment, target, block, operation)
    _carrier(experiment, block, operation)
    _key(experiment, block, operation)
    timeout = block.call_timeout
    if isinstance(timeout, Duration) and timeout >= operation.timeout:
        experiment.wrong(
            (*AT, "call_timeout"),
            f"the service gives up after {timeout.text()}, and callers of {block.calls} already after "
            f"{operation.timeout.text()}",
            f"a longer timeout: of {block.calls} in the target file",
        )


def _same_service(
    experiment: ExperimentDraft, target: TargetDraft, block: Breaker, operation: Operation
) -> None:
    hop = target.hops.get(block.behind)
    on = service_for(target, ("operations", block.calls), operation.on, "http")
    if hop is None or hop.source is None or on is None or on == hop.source:
        return
    experiment.wrong(
        (*AT, "behind"),
        f"{block.calls} calls {on}, and the hop {block.behind} is dialled by {hop.source}",
        f"a hop from {on}, or an operation on {hop.source}",
    )


def _carrier(experiment: ExperimentDraft, block: Breaker, operation: Operation) -> None:
    """The id must get into the request, and nothing else into its place."""
    line = operation.http
    path = line.path.partition("?")[0] if line is not None else ""
    match block.id:
        case "path":
            if "{rid}" not in path.split("/"):
                experiment.wrong(
                    (*AT, "id"),
                    f"the path of {block.calls} is {path}, where no segment is the request's id",
                    "a path with {rid} as a segment of its own",
                )
        case "traceparent":
            _own_header(experiment, block, operation, "traceparent", "no header of that name")
        case IdQuery(query=name):
            query = line.path.partition("?")[2] if line is not None else ""
            if any(part.partition("=")[0] == name for part in query.split("&")):
                experiment.wrong(
                    (*AT, "id", "query"),
                    f"{block.calls} has a parameter {name} already",
                    "another name; the id is added to each request",
                )
        case IdHeader(header=name):
            _own_header(experiment, block, operation, name, "{rid} alone, or no such header")
        case _:
            _own_header(experiment, block, operation, "x-request-id", "{rid} alone, or another id:")


def _own_header(
    experiment: ExperimentDraft, block: Breaker, operation: Operation, name: str, expected: str
) -> None:
    for key, value in operation.headers.items():
        if key.lower() == name.lower() and value != "{rid}":
            place = (*AT, "id") if block.id is not None else (*AT, "calls")
            experiment.wrong(
                place, f"{block.calls} sets the header {key} itself, to {value!r}", expected
            )


def _key(experiment: ExperimentDraft, block: Breaker, operation: Operation) -> None:
    """The circuits are told apart by variables of the operation: of a list its first two values."""
    if block.key is None:
        return
    at: Path = (*AT, "key")
    named = [
        found
        for found in placeholders(experiment, at, block.key)
        if found.placeholder.source == "name"
    ]
    for found in named:
        name = found.root
        value = operation.vars.get(name)
        if name in IN_REQUESTS:
            what = f"{{{name}}} differs from call to call, so each would have a circuit of its own"
            experiment.wrong(at, what, f"a variable of {block.calls}")
        elif name not in operation.vars:
            words = unknown(f"variable of {block.calls}", name, operation.vars)
            experiment.wrong(at, *words, column=found.placeholder.column)
        elif isinstance(value, list) and len({*map(str, value[:2])}) < min(2, len(value)):
            experiment.wrong(at, f"the first two values of {name} are the same", "two values")
    if not named:
        experiment.wrong(
            at,
            f"{block.key!r} is one circuit for all calls",
            'a text with a variable, such as "{account}"',
        )


def _process(experiment: ExperimentDraft, target: TargetDraft, block: Breaker) -> None:
    name = block.process
    if name is None:
        return
    services = target.names("services")
    if name not in services:
        experiment.wrong((*AT, "process"), *unknown("service", name, services))
        return
    service = target.services.get(name)
    if service is not None and service.kind not in STARTED:
        experiment.wrong(
            (*AT, "process"),
            f"{name} is no process that a command of the target file starts",
            f"a service with {' or '.join(f'{word}:' for word in STARTED)}",
        )


def _phases(experiment: ExperimentDraft, block: Breaker) -> None:
    plan = breaker_plan(block)
    there = phases_of(plan)
    for name in plan.phases:
        if name not in there:
            index = next(i for i, word in enumerate(block.phases or ()) if word == name)
            experiment.wrong(
                (*AT, "phases", index),
                f"{name} is no phase of the {plan.script} script",
                f"one of {', '.join(there)}",
                "All phases are in the full one: script: full.",
            )


def _bursts(experiment: ExperimentDraft, bursts: int | None) -> None:
    if bursts is not None and bursts > MAX_BURSTS:
        experiment.wrong(
            ("rounds",) if experiment.says_rounds else (),
            f"each burst of trials is repeated {bursts} times",
            f"{MAX_BURSTS} times or less",
        )


def _time(experiment: ExperimentDraft, block: Breaker, limit: Duration, bursts: int | None) -> None:
    """A script that cannot come to its end is not begun; what is not declared is not reckoned with."""
    if block.open is None:
        return
    script = derive(breaker_plan(block, bursts))
    needed = script.lasts + STARTING
    if needed <= limit:
        return
    minutes = math.ceil(needed.in_s / 60)
    experiment.wrong(
        (*AT, "open"),
        f"with {script.open.text()} open the {script.name} script takes {minutes} min, and the run may "
        f"take {limit.text()}",
        f"time: {minutes}min, or --time {minutes}min",
        "Or configure a shorter open time in the service for the test.",
    )
