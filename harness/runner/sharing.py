"""What runs would have in common: two that share anything must not run side by side. Pure."""

import re
from collections.abc import Sequence
from pathlib import Path

from harness.model.plan import Plan

# Scheme, perhaps a user, then the place; a template in it is compared as it is written.
_PLACE = re.compile(r"^[a-z0-9+.]+://(?:[^/]*@)?(?P<place>[^/?#]+)", re.IGNORECASE)


def shared_things(plan: Plan, *, foreign_proxy: str | None = None) -> frozenset[str]:
    """All that another run must not touch meanwhile: target, pinned ports, services that run already.

    A foreign proxy is one for all: whoever steps on its toxics changes them for everybody.
    """
    target = plan.target
    things = {f"target {Path(target.file).resolve()}"}
    things |= {f"port {_port(hop.listen)}" for hop in target.hops if hop.listen}
    things |= {
        f"service {_place(str(service.params['url']))}"
        for service in target.services
        if service.kind == "url" and "url" in service.params
    }
    things |= {
        f"container {_beside(target.folder, str(service.params['compose']))}"
        for service in target.services
        if service.kind == "compose" and "compose" in service.params
    }
    if foreign_proxy is not None:
        things.add(f"proxy {foreign_proxy}")
    return frozenset(things)


def any_two_apart(plans: Sequence[Plan], *, foreign_proxy: str | None) -> bool:
    """True if two of them could run at one time at all."""
    things = {shared_things(plan, foreign_proxy=foreign_proxy) for plan in plans}
    return any(one.isdisjoint(other) for one in things for other in things)


def undisturbed(cores: int) -> int:
    """How many runs may go on at a time: two cores for each, one that sends and one that answers."""
    return max(1, cores // 2)


def _beside(folder: str, container: str) -> str:
    """``FILE#SERVICE`` with its file as one path, wherever the target lies that names it."""
    file, _, name = container.partition("#")
    return f"{(Path(folder) / file).resolve()}#{name}"


def _port(listen: str) -> str:
    return listen.rpartition(":")[2]


def _place(url: str) -> str:
    found = _PLACE.match(url)
    return found["place"] if found else url
