"""Refuses plans that somebody's Toxiproxy would carry out as something else, before anything starts.

A Toxiproxy ignores every key that it does not know: a fault for some requests would hit all of them,
and the run would pass for one that was never made.
"""

from collections.abc import Collection, Sequence

from harness.connections.blocking import in_thread
from harness.faults.known import extensions_needed
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.plan import Plan
from harness.model.units import Duration
from harness.proxy.client import ProxyCallFailed, ProxyServer, ProxyUnreachable
from harness.proxy.lease_client import LeaseServer

_TTL = Duration.of_s(1)
_LIMIT = Duration.of_s(10)


async def require_extensions(plans: Sequence[Plan], url: str, allowed: Collection[str]) -> None:
    """Passes if the plans need nothing beyond Toxiproxy, or the server at ``url`` has it.

    One that cannot be asked (unreachable, or on a host that is not allowed) is not refused here; the
    run will say so.

    Raises:
        UserError: names what each file needs.
    """
    needed = _needed(plans)
    if not needed:
        return
    server = ProxyServer(url)
    if not _may_be_asked(server.address, plans, allowed):
        return
    try:
        has_them = await in_thread(lambda: _has_leases(url))
    except (ProxyUnreachable, ProxyCallFailed):
        return
    if not has_them:
        raise UserError(
            f"--proxy {url}: this Toxiproxy lacks what these faults need:\n"
            + "\n".join(f"  {line}" for line in needed),
            hint="Leave --proxy out for the embedded proxy, or name the API of a `harness proxy`.",
        )


def _needed(plans: Sequence[Plan]) -> list[str]:
    """A line for each fault; the same file stands in a plan for each of its variants."""
    lines = [
        f"{plan.file}: {step.id} needs {', '.join(needs)}"
        for plan in plans
        for step in plan.faults
        if (needs := extensions_needed(step))
    ]
    return list(dict.fromkeys(lines))


def _may_be_asked(address: Address, plans: Sequence[Plan], allowed: Collection[str]) -> bool:
    named = {*allowed, *(host for plan in plans for host in plan.target.allow_hosts)}
    return address.is_loopback or address.host in named


def _has_leases(url: str) -> bool:
    leases = LeaseServer(url, timeout=_LIMIT)
    lease = leases.open(ttl=_TTL, owner="asking what there is")
    if lease is None:
        return False
    leases.close(lease)
    return True
