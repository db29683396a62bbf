"""In which order services start: after those their hops lead to and their templates name. Pure."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from harness.expressions.template import Template, TemplateProblem
from harness.model.errors import UserError
from harness.model.plan import HopPlan, ServicePlan, TargetPlan


def start_order(target: TargetPlan) -> tuple[ServicePlan, ...]:
    """The services, each behind those it needs; otherwise as they stand in the file.

    Raises:
        UserError: services need each other in a circle, or a name leads nowhere.
    """
    services = {service.name: service for service in target.services}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for service in target.services:
        sorter.add(service.name, *sorted(_needs(service, services, target.hops)))
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise UserError(
            f"The services need each other in a circle: {circle}.",
            hint="Break it: one of them must start without a hop to, or the address of, the others.",
        ) from None
    position = {name: number for number, name in enumerate(services)}
    ordered: list[ServicePlan] = []
    ready: set[str] = set()
    while sorter.is_active():
        ready.update(sorter.get_ready())
        name = min(ready, key=position.__getitem__)
        ready.remove(name)
        ordered.append(services[name])
        sorter.done(name)
    return tuple(ordered)


def levels(target: TargetPlan) -> dict[str, int]:
    """How many services stand behind one another up to each: 0 for one that needs no other.

    Raises:
        UserError: as for ``start_order``.
    """
    services = {service.name: service for service in target.services}
    found: dict[str, int] = {}
    for service in start_order(target):
        needs = _needs(service, services, target.hops)
        found[service.name] = 1 + max((found[name] for name in needs), default=-1)
    return found


def names_in(service: ServicePlan) -> tuple[str, ...]:
    """What the templates of a service name, such as ``hops.db.url`` and ``port``.

    Raises:
        UserError: a template cannot be read.
    """
    ready = service.ready.http if service.ready else None
    values: list[Any] = [service.params, service.env]
    values.extend([ready.path, ready.headers, ready.json, ready.body] if ready else [])
    try:
        return Template.parse(values).names
    except TemplateProblem as problem:
        raise UserError(f"service {service.name}: {problem}.") from None


def _needs(service: ServicePlan, services: Iterable[str], hops: Sequence[HopPlan]) -> set[str]:
    behind = {hop.name: hop.to for hop in hops}
    needs = {hop.to for hop in hops if hop.source == service.name}
    for name in names_in(service):
        match name.split("."):
            case ["hops", hop, *_]:
                needs.add(_known(hop, behind, service, "hop") and behind[hop])
            case ["services", other, *_]:
                needs.add(_known(other, services, service, "service"))
    unknown = needs - set(services)
    if unknown:
        raise UserError(
            f"service {service.name}: a hop leads to {min(unknown)!r}, which is no service."
        )
    return needs - {service.name}


def _known(name: str, among: Iterable[str], service: ServicePlan, what: str) -> str:
    known = list(among)
    if name not in known:
        raise UserError(
            f"service {service.name}: a template names the {what} {name!r}; "
            f"there {'are' if known else 'is none'}{' ' + ', '.join(known) if known else ''}."
        )
    return name
