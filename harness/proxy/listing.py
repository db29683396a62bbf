"""A list of proxies that is entered as a whole or not at all: what stays, what is bound, what goes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from harness.proxy.addresses import Listen
from harness.proxy.binding import Bound, bound, refuse_circle, resolved
from harness.proxy.blueprint import Blueprint, checked
from harness.proxy.listener import same
from harness.proxy.proxy import Proxy
from harness.proxy.states import ProxySpec, Refused


@dataclass(slots=True, kw_only=True)
class Entry:
    """One proxy of the list. ``kept``: the one that is there already is left alone."""

    blueprint: Blueprint
    address: Listen
    present: Proxy | None
    here: bool
    """``present`` has the address that is asked for."""
    kept: bool
    bound: Bound | None = None

    def leases(self) -> tuple[str | None, ...]:
        """All that must run; the toxics of one that is kept are not made."""
        return (self.blueprint.lease,) if self.kept else self.blueprint.leases()

    @property
    def needs_socket(self) -> bool:
        taken_over = self.here and self.present is not None and self.present.enabled
        return self.blueprint.enabled and not self.kept and not taken_over


def blueprints(specs: Sequence[ProxySpec]) -> list[Blueprint]:
    """The list, checked.

    Raises:
        Refused: at its place.
    """
    found: dict[str, Blueprint] = {}
    for place, spec in enumerate(specs, start=1):
        with _at(place):
            blueprint = checked(spec, f" at proxy {place}")
            if blueprint.name in found:
                raise Refused(
                    400, f"name: {blueprint.name} is twice in the list, at proxy {place} again"
                )
            found[blueprint.name] = blueprint
    return list(found.values())


async def addresses(listed: Sequence[Blueprint]) -> list[Listen]:
    """Where each is to listen.

    Raises:
        Refused: at its place.
    """
    found: list[Listen] = []
    for place, blueprint in enumerate(listed, start=1):
        with _at(place):
            found.append(await resolved(blueprint.listen))
    return found


def entries(
    listed: Sequence[Blueprint], addresses: Sequence[Listen], present: Mapping[str, Proxy]
) -> list[Entry]:
    """The list beside the proxies that are ``present``.

    Raises:
        Refused: at its place.
    """
    found: list[Entry] = []
    for place, (blueprint, address) in enumerate(zip(listed, addresses, strict=True), start=1):
        with _at(place):
            refuse_circle(address, blueprint.upstream)
        there = present.get(blueprint.name)
        here = there is not None and same(address, there.listen)
        kept = there is not None and here and there.upstream == blueprint.upstream
        found.append(
            Entry(blueprint=blueprint, address=address, present=there, here=here, kept=kept)
        )
    return found


def require_leases(listed: Sequence[Entry], require: Callable[..., None]) -> None:
    """``require`` is given the leases of each entry.

    Raises:
        Refused: at its place.
    """
    for place, entry in enumerate(listed, start=1):
        with _at(place):
            require(*entry.leases())


def bind_all(listed: Sequence[Entry]) -> None:
    """Gets every socket that is needed, or none.

    Raises:
        Refused: at its place.
    """
    try:
        for place, entry in enumerate(listed, start=1):
            if entry.needs_socket:
                with _at(place):
                    entry.bound = bound(entry.address)
    except Refused:
        for entry in listed:
            if entry.bound is not None:
                entry.bound[0].close()
        raise


@contextmanager
def _at(place: int) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        refused.place = place
        raise
