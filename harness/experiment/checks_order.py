"""Rules of the order in which services start, and of the variables that a variant lays over theirs.

A service waits for those whose address it is given, in its own texts or in those of a variant.
"""

from collections.abc import Iterable, Iterator

from harness.experiment.checks_commands import check_env
from harness.experiment.checks_services import addresses, texts_of
from harness.experiment.draft import TargetDraft
from harness.experiment.nodes import Path
from harness.experiment.target_parts import Variant
from harness.experiment.texts import Found, placeholders, unknown_placeholder

_Waits = dict[str, dict[str, Found | str]]
"""Whom each service waits for, and because of which text or hop."""


def check_order(target: TargetDraft) -> None:
    """Reports what no variant's variables may be, and services that wait for each other."""
    waits = _waits(target)
    _circles(target, waits)
    for name, variant in target.variants.items():
        if not variant.env:
            continue
        _variant(target, name, variant)
        at: Path = ("variants", name, "env")
        also = dict(_waited(target, placeholders(target, at, variant.env)))
        getting = [each for each, service in target.services.items() if service.takes_env]
        _circles(
            target,
            {each: {**(also if each in getting else {}), **waits[each]} for each in waits},
        )


def _variant(target: TargetDraft, name: str, variant: Variant) -> None:
    at: Path = ("variants", name, "env")
    check_env(target, at, variant.env)
    for found in placeholders(target, at, variant.env):
        unknown_placeholder(
            target,
            found,
            addresses(target, ("variant",)),
            "{port} is what a service is told of itself." if found.root == "port" else "",
        )
    services = [target.services.get(each) for each in target.names("services")]
    started = any(s is None or s.takes_env or s.stand_in is not None for s in services)
    commands = any(operation.command is not None for operation in target.operations.values())
    commands = commands or any(reset.kind == "command" for _, reset in target.resets)
    if not (started or commands):
        target.wrong(
            at,
            "nothing is started here that could get these variables",
            "a service with run:, or a command",
            at_key=True,
        )


def _waits(target: TargetDraft) -> _Waits:
    waits: _Waits = {name: {} for name in target.services}
    for name, hop in target.hops.items():
        if hop.source in waits and hop.to in waits and hop.source != hop.to:
            waits[hop.source].setdefault(hop.to, name)
    for name in target.services:
        for waited, found in _waited(target, texts_of(target, name)):
            waits[name].setdefault(waited, found)
    return waits


def _waited(target: TargetDraft, every: Iterable[Found]) -> Iterator[tuple[str, Found]]:
    """The services whose addresses these placeholders are, or that the hops lead to."""
    for found in every:
        parts = found.placeholder.name.split(".")
        if found.placeholder.source != "name" or len(parts) < 2:
            continue
        dialled = target.hops.get(parts[1]) if parts[0] == "hops" else None
        waited = dialled.to if dialled is not None else parts[1] if parts[0] == "services" else None
        if waited in target.services:
            yield waited, found


def _circles(target: TargetDraft, waits: _Waits) -> None:
    """Nobody may wait for himself."""
    done: set[str] = set()
    for name in waits:
        _walk(target, name, waits, [], done)


def _walk(
    target: TargetDraft,
    name: str,
    waits: _Waits,
    above: list[str],
    done: set[str],
) -> None:
    if name in done:
        return
    for waited, found in waits[name].items():
        if waited in (*above, name):
            chain = [*above, name][[*above, name].index(waited) :]
            own = len(chain) == 1 and not isinstance(found, str) and found.path[0] == "services"
            hint = "Its own port is {port}." if own else ""
            target.wrong(
                ("hops", found) if isinstance(found, str) else found.path,
                f"a circle: {' waits for '.join([*chain, waited])}",
                "an order in which the services can start",
                hint,
                column=None if isinstance(found, str) else found.placeholder.column,
                at_key=isinstance(found, str),
            )
        else:
            _walk(target, waited, waits, [*above, name], done)
    done.add(name)
