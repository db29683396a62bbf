"""Makes the stage of a breaker's script from a stack that is up."""

import dataclasses
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from msgspec.structs import replace

from harness.connections.secrets import Sources
from harness.experiment.breaker_script import derive
from harness.expressions.template import Template
from harness.faults.fault import HopOnProxy
from harness.model.breaker import BreakerPlan, IdCarrier
from harness.model.events import AnyEvent, OperationSent
from harness.model.plan import OperationPlan, Plan
from harness.runner.breaker.answers import answers_of
from harness.runner.breaker.faults import HopFaults
from harness.runner.breaker.hop_log import HopLog
from harness.runner.breaker.instances import Instances
from harness.runner.breaker.sampling import ProcessWatch
from harness.runner.breaker.stage import BreakerStage
from harness.runner.breaker.watch import Watch
from harness.runner.rollback import ActiveFaults
from harness.services.stack import Stack
from harness.traffic.caller import Caller, To
from harness.traffic.loop_watch import LoopWatch
from harness.traffic.operation import Operation
from harness.traffic.request_ids import carried, carrying


def make_stage(
    plan: Plan,
    *,
    stack: Stack,
    record: Callable[[AnyEvent], object],
    faults: ActiveFaults,
    values: Mapping[str, Any],
    hop: HopOnProxy,
    check_alive: Callable[[], None],
) -> BreakerStage:
    """The stage of ``plan.breaker``; its hop is ``hop``."""
    declared = plan.breaker
    assert declared is not None, "the plan judges no breaker"
    called = next(each for each in plan.target.operations if each.name == declared.calls)
    circuits = _circuits(declared, called, stack.sources)
    # All phases but one keep to one circuit, or their order would say nothing.
    pinned = replace(called, vars={**called.vars, **circuits[0].values})
    operation = Operation.compile(carrying(pinned, declared.id), sources=stack.sources)
    watch, ours = Watch(), dict[str, str]()
    recorded = _watched(record, watch, ours, declared.id)
    log = _log(plan, declared, stack, record=record, hop=hop, ours=ours)
    stage = BreakerStage(
        declared=declared,
        seed=plan.seed,
        record=recorded,
        caller=_caller(declared, operation, stack, record=recorded, values=values),
        log=log,
        faults=_faults(hop, faults, log, record=recorded),
        watch=watch,
        lag=LoopWatch(),
        process=None,
        check_alive=check_alive,
        derive=derive,
        circuits=circuits,
    )
    stage.process = _process(declared, stack, record=record, phase=lambda: stage.current)
    return stage


def _watched(
    record: Callable[[AnyEvent], object], watch: Watch, ours: dict[str, str], carrier: IdCarrier
) -> Callable[[AnyEvent], object]:
    """Records, and tells those who must know of each call: whose id it is, and how it ended."""

    def recorded(event: AnyEvent) -> object:
        if isinstance(event, OperationSent):
            ours[carried(event.rid, carrier)] = event.rid
        told = record(event)
        watch.take(event)
        return told

    return recorded


def _caller(
    declared: BreakerPlan,
    operation: Operation,
    stack: Stack,
    *,
    record: Callable[[AnyEvent], object],
    values: Mapping[str, Any],
) -> Caller:
    return Caller(
        operation,
        address=stack.address(operation.on),
        record=record,
        numbers=count(1),
        run=str(values["run"]),
        values=values,
        answer_of=answers_of(declared, operation),
        warm=stack.ready_call(operation.on),
    )


def _log(
    plan: Plan,
    declared: BreakerPlan,
    stack: Stack,
    *,
    record: Callable[[AnyEvent], object],
    hop: HopOnProxy,
    ours: Mapping[str, str],
) -> HopLog:
    source = next((each.source for each in plan.target.hops if each.name == declared.behind), None)
    return HopLog(
        hop=declared.behind,
        admin=hop.watch_admin,
        proxy=hop.watch_proxy,
        carrier=declared.id,
        ours=ours,
        record=record,
        instances=Instances(stack.pids.get(source or "")),
    )


def _faults(
    hop: HopOnProxy, faults: ActiveFaults, log: HopLog, *, record: Callable[[AnyEvent], object]
) -> HopFaults:
    """On the hop that sees the traffic, and for what any proxy can on the foreign one behind it."""
    here = dataclasses.replace(hop, admin=hop.watch_admin, proxy=hop.watch_proxy, observed="here")
    behind = hop if hop.observed == "before" else None
    return HopFaults(here=here, behind=behind, faults=faults, log=log, record=record)


def _process(
    declared: BreakerPlan,
    stack: Stack,
    *,
    record: Callable[[AnyEvent], object],
    phase: Callable[[], str],
) -> ProcessWatch | None:
    """None where none is named, or its process is not known, as of a service that runs elsewhere."""
    pid = stack.pids.get(declared.process or "")
    if declared.process is None or pid is None:
        return None
    return ProcessWatch(declared.process, pid, record=record, phase=phase)


def _circuits(declared: BreakerPlan, operation: OperationPlan, sources: Sources) -> tuple[To, To]:
    """Two circuits to call by, where the calls belong to several: by the variables that name them.

    A variable that is a list gives its first two values; of another one the second is made up.
    """
    if declared.key is None:
        return To(), To()
    template = Template.parse(declared.key)
    both = []
    for which in (0, 1):
        values = {name: _value(operation.vars.get(name), which) for name in template.names}
        circuit = template.fill(values, env=sources.env, file=sources.file)
        both.append(To(str(circuit), values))
    return both[0], both[1]


def _value(given: Any, which: int) -> Any:
    if isinstance(given, list) and len(given) > 1:
        return given[which]
    one = given[0] if isinstance(given, list) and given else given
    if isinstance(one, int) and not isinstance(one, bool):
        return one + which
    return one if not which else f"{one or 'a'}-2"
