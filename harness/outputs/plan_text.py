"""The dry run's words: what will be started, injected and checked, and about how long it takes.

Templates stay as they are written, so nothing secret is filled in. Words for a fault come from its
kind, through the caller; how long it takes is estimated in duration_estimate.py.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from harness.experiment.breaker_script import derive
from harness.model.breaker import BreakerPlan
from harness.model.plan import (
    ArrivalsStep,
    BurstPart,
    BurstStep,
    Expected,
    FaultStep,
    HopPlan,
    HttpCall,
    InvariantPlan,
    OperationPlan,
    Plan,
    ResetPlan,
    ServicePlan,
)
from harness.model.units import Duration
from harness.outputs.breaker_script_text import (
    beside_items,
    declared_items,
    phase_items,
    script_title,
)
from harness.outputs.duration_estimate import estimate
from harness.outputs.paragraphs import Paragraph, paragraph, render

Describe = Callable[[FaultStep], str]

WIDTH = 100
_LABEL = 14
# The user may be a template, and a password that is one says nothing.
_PASSWORD = re.compile(r"(://(?:\{[^}]*\}|[^/:@\s{}])*:)(?!\{)[^@\s]+(?=@)")


def plan_text(plans: Sequence[Plan], describe: Describe, *, at_once: int = 1) -> str:
    """All plans in words. Runs that differ in nothing but their variant are told once.

    ``at_once`` is how many may run side by side.
    """
    parts = [list(_group(group, describe)) for group in _alike(plans)]
    blank = paragraph("")
    lines = [line for part in parts for line in (*part, blank)]
    lines += _whole(plans, at_once)
    return render(lines, width=WIDTH, color=False)


def _alike(plans: Sequence[Plan]) -> list[list[Plan]]:
    groups: list[list[Plan]] = []
    for plan in plans:
        if groups and _bare(groups[-1][0]) == _bare(plan):
            groups[-1].append(plan)
        else:
            groups.append([plan])
    return groups


def _bare(plan: Plan) -> Plan:
    bare = replace(plan.target, env={})
    return replace(plan, variant=None, expected=Expected(), stop_after=None, target=bare)


def _group(plans: Sequence[Plan], describe: Describe) -> Iterator[Paragraph]:
    plan = plans[0]
    title = f" · {plan.title}" if plan.title else ""
    yield paragraph(f"{plan.experiment}{title}      seed {plan.seed}", hang=2)
    yield _said("from", f"{plan.file}, on target {plan.target.name} ({plan.target.file})")
    yield from _under("runs", [_expectation(each) for each in plans])
    yield from _section("starts", [*map(_service, plan.target.services), *_hops(plan.target.hops)])
    of = "rounds" if plan.breaker is None else "script"
    yield from _section(f"before the {of}", _before(plan))
    if plan.breaker is None:
        rounds = "in the one round" if plan.rounds == 1 else f"in each of {plan.rounds} rounds"
        yield from _section(rounds, _round(plan, describe))
    else:
        yield from _script(plan, plan.breaker)
    yield from _section(f"after the {of}", _after(plan))
    yield from _section("checks", [_invariant(invariant) for invariant in plan.invariants])
    yield from _section("takes", _takes(plans))


def _script(plan: Plan, declared: BreakerPlan) -> Iterator[Paragraph]:
    """What stands in the place of rounds and checks where a breaker is judged."""
    operations = {operation.name: operation for operation in plan.target.operations}
    call = _called(declared.calls, operations.get(declared.calls), {})
    script = derive(declared)
    yield from _section("breaker", list(declared_items(declared, call)))
    yield from _section(f"in {script_title(script)}", list(phase_items(script)))
    yield from _section("with it", list(beside_items(script)))


def _said(label: str, text: str) -> Paragraph:
    return paragraph(f"  {label:<{_LABEL}}{text}", hang=_LABEL + 2)


def _under(label: str, texts: Sequence[str]) -> Iterator[Paragraph]:
    for index, text in enumerate(texts):
        yield _said("" if index else label, text)


def _section(title: str, items: Sequence[tuple[str, str]]) -> Iterator[Paragraph]:
    if items:
        yield paragraph(f"  {title}")
        width = max([_LABEL - 2, *(len(label) + 2 for label, _ in items)])
        for label, text in items:
            yield paragraph(f"    {label:<{width}}{text}", hang=width + 4)


def _expectation(plan: Plan) -> str:
    expected = plan.expected
    by = f" by {' and '.join(expected.invariants)}" if expected.invariants else ""
    name = f"variant {plan.variant}" if plan.variant else "once, the target has no variants"
    word = "to hold" if expected.verdict == "held" else "to be violated"
    with_env = f" (with {_env(plan.target.env)})" if plan.target.env else ""
    enough = "" if plan.stop_after is None else f"; {plan.stop_after} such rounds are enough"
    return f"{name}{with_env}, expected {word}{by}{enough}"


def _env(env: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={_plain(value)}" for key, value in env.items())


def _service(service: ServicePlan) -> tuple[str, str]:
    params = ", ".join(
        _plain(value) if key in (service.kind, "run", "url") else f"{key}={_plain(value)}"
        for key, value in service.params.items()
        if value not in (None, "", {}, [])
    )
    text = f"{service.kind}: {params}" if params else service.kind
    if service.env:
        text += f"; with {_env(service.env)}"
    if service.ready is not None:
        how = (
            "it accepts connections" if service.ready.http is None else _answers(service.ready.http)
        )
        text += f"; ready when {how}, within {service.ready.limit}"
    return service.name, text


def _answers(call: HttpCall) -> str:
    return f"{call.method} {call.path} answers below 400"


def _hops(hops: Sequence[HopPlan]) -> Iterator[tuple[str, str]]:
    for hop in hops:
        where = f"on {hop.listen}" if hop.listen else "on a free port"
        who = (
            f"{hop.source} dials it instead of {hop.to}" if hop.source else f"in front of {hop.to}"
        )
        yield f"hop {hop.name}", f"a proxy {where}; {who}"


def _before(plan: Plan) -> list[tuple[str, str]]:
    items = []
    for prepare in plan.prepare:
        kept = f", keeping {', '.join(prepare.capture)}" if prepare.capture else ""
        items.append(("prepare", f"{prepare.operation}{kept}"))
    if plan.steady_state:
        items += [("reset", _reset(reset, plan)) for reset in plan.target.resets]
        text = f"{' and '.join(plan.steady_state)}; otherwise nothing is injected"
        items.append(("steady state", text))
    return items


def _after(plan: Plan) -> list[tuple[str, str]]:
    items = [("stop", "everything that was started")]
    if plan.steady_state:
        text = (
            f"{' and '.join(plan.steady_state)} again after a reset, within {plan.recovers_within}"
        )
        items.insert(0, ("steady state", text))
    return items


def _round(plan: Plan, describe: Describe) -> list[tuple[str, str]]:
    items = [("reset", _reset(reset, plan)) for reset in plan.target.resets]
    operations = {operation.name: operation for operation in plan.target.operations}
    for step in plan.method:
        match step:
            case FaultStep():
                items.append(("fault", _fault(step, describe, plan.target.hops)))
            case BurstStep():
                items.append(("burst", _burst(step, operations)))
            case ArrivalsStep():
                items.append(("arrivals", _arrivals(step, operations)))
    probes = dict.fromkeys(name for i in plan.invariants if i.every is None for name in i.probes)
    of = f" of {', '.join(probes)}" if probes else ""
    text = (
        f"until no request is in flight and two readings{of} are equal, "
        f"at least {plan.settle.gap} apart, for at most {plan.settle.limit}"
    )
    items.append(("settle", text))
    if plan.faults:
        items.append(("undo", "every fault"))
    return items


def _reset(reset: ResetPlan, plan: Plan) -> str:
    what = ", ".join(_plain(value) for value in reset.params.values() if value is not None)
    on = f" on {reset.on}" if reset.on else ""
    return f"{reset.kind}{on}: {what.removeprefix(f'{plan.target.folder}/')}"


def _fault(step: FaultStep, describe: Describe, hops: Sequence[HopPlan]) -> str:
    where = next(
        (f" ({hop.source or 'clients'} → {hop.to})" for hop in hops if hop.name == step.on), ""
    )
    stream = [] if step.stream is None else [step.stream]
    until = f"for {step.lasts}" if step.lasts is not None else "until the end of the round"
    said = [f"{describe(step)} on hop {step.on}{where}", *stream, *_whom(step), until]
    return ", ".join(said)


def _whom(step: FaultStep) -> Iterator[str]:
    """Whom the fault hits; nothing where it hits all."""
    unit = step.per or "connection"
    if step.match is not None:
        values = " or ".join(step.match.values)
        yield f"on requests whose {step.match.header} is {values}"
    counted = bool(step.skip) or step.first is not None
    if step.skip:
        yield f"lets {_number(step.skip, unit)} pass"
    if step.first is not None:
        yield f"hits {_number(step.first, unit)} and then none"
    if step.toxicity != 1:
        yield f"on {step.toxicity * 100:g} % of {unit}s"
    elif step.per == "request" and not (step.match or counted):
        yield "on each request"
    if step.codec is not None and step.match is None:
        yield f"read as {step.codec}"
    if step.seed is not None:
        yield f"seed {step.seed}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _burst(step: BurstStep, operations: dict[str, OperationPlan]) -> str:
    parts = " and ".join(_part(part, operations.get(part.operation)) for part in step.parts)
    called = [operations.get(part.operation) for part in step.parts]
    if any(operation is not None and operation.command is not None for operation in called):
        return (
            f"{parts}; all made ready but for their start or last byte, held {step.hold}, "
            f"then all {step.concurrency} released together"
        )
    return (
        f"{parts}; all written but for the last byte, held {step.hold}, "
        f"then {step.concurrency} last bytes released together"
    )


def _arrivals(step: ArrivalsStep, operations: dict[str, OperationPlan]) -> str:
    called = _called(step.operation, operations.get(step.operation), step.vars)
    return (
        f"{step.requests} × {called}, {step.rate:g} a second for {step.lasts} whatever became of those "
        f"before; at most {step.cap} in flight, then until all have ended"
    )


def _part(part: BurstPart, operation: OperationPlan | None) -> str:
    return f"{part.concurrency} × {_called(part.operation, operation, part.vars)}"


def _called(name: str, operation: OperationPlan | None, own: Mapping[str, Any]) -> str:
    """``withdraw (POST /withdraw on app with amount=10)``."""
    if operation is None:
        return name
    given = {**operation.vars, **own}
    values = (
        f" with {', '.join(f'{key}={_plain(value)}' for key, value in given.items())}"
        if given
        else ""
    )
    return f"{name} ({_call(operation)}{values})"


def _call(operation: OperationPlan) -> str:
    if operation.command is not None:
        return f"command {operation.command.command}"
    if operation.http is None:
        return operation.name
    return f"{operation.http.method} {operation.http.path} on {operation.on}"


def _invariant(invariant: InvariantPlan) -> tuple[str, str]:
    every = f", sampled every {invariant.every}" if invariant.every is not None else ""
    more = "".join(f", {key} {_plain(value)}" for key, value in invariant.params.items())
    return invariant.name, f"{invariant.kind}: {invariant.expression}{more}{every}"


def _takes(plans: Sequence[Plan]) -> list[tuple[str, str]]:
    guess = estimate(plans[0])
    each = " each" if len(plans) > 1 else ""
    return [
        ("estimate", f"{guess.text}{each}: {guess.because}"),
        (
            "time limit",
            f"{_minutes(plans[0].time_limit)}{each}; then everything is undone and the run is aborted",
        ),
    ]


def _minutes(limit: Duration) -> str:
    minutes, seconds = divmod(round(limit.in_s), 60)
    if minutes < 2:
        return str(limit)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def _whole(plans: Sequence[Plan], at_once: int) -> list[Paragraph]:
    if len(plans) < 2:
        return [paragraph("Nothing was started.")]
    total = estimate(*plans)
    told = f"{len(plans)} runs, one after another: {total.text}."
    if at_once > 1:
        told = (
            f"{len(plans)} runs, up to {at_once} at a time where they share nothing; "
            f"one after another: {total.text}."
        )
    return [paragraph(f"{told} Nothing was started.")]


def _plain(value: Any) -> str:
    """A value as a person would write it; a password written out in a URL is not repeated."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _PASSWORD.sub(r"\1•••", text)
