"""The same plan on a stack of containers: each service replaced by what its ``compose:`` names. Pure."""

from msgspec.structs import replace

from harness.model.errors import UserError
from harness.model.plan import HopPlan, Plan, ServicePlan

COMPOSE = "compose"


def on_containers(plan: Plan) -> Plan:
    """``plan`` for ``--stack compose``.

    Raises:
        UserError: names every service and hop that does not say what it is among containers.
    """
    target = plan.target
    lacking = [
        *[f"service {each.name}" for each in target.services if not _has_twin(each)],
        *[f"hop {each.name}" for each in target.hops if each.compose is None],
    ]
    if lacking:
        raise UserError(
            f"{target.file}: --stack compose asks for a container in place of each service and hop, "
            f"and {', '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no compose:.",
            hint="Add compose: docker-compose.yml#SERVICE to a service, "
            'compose: "proxy:15432" to a hop.',
        )
    services = tuple(_service(each) for each in target.services)
    hops = tuple(_hop(each) for each in target.hops)
    return replace(plan, target=replace(target, services=services, hops=hops))


def _has_twin(service: ServicePlan) -> bool:
    return service.kind == COMPOSE or service.compose is not None


def _service(service: ServicePlan) -> ServicePlan:
    if service.kind == COMPOSE:
        return service
    return replace(service, kind=COMPOSE, params={COMPOSE: service.compose})


def _hop(hop: HopPlan) -> HopPlan:
    """A pinned port is one of this machine's; among containers ``compose`` says what is dialled."""
    return replace(hop, listen=None)
