"""All kinds of faults, the toxics among them: their words, and the fault that a step asks for.

No kind is known here by name; what one does is its own module's.
"""

from collections.abc import Mapping
from typing import Any, cast

from harness.faults import FAULTS
from harness.faults.fault import Fault, HopOnProxy
from harness.faults.toxic import ToxicFault
from harness.kinds import Described, to_params
from harness.model.errors import UserError
from harness.model.plan import FaultStep
from harness.model.units import Duration
from harness.proxy.toxics import TOXICS
from harness.proxy.toxiproxy import beyond_toxiproxy


def kinds() -> dict[str, type[Described]]:
    """Everything that can stand behind ``fault:``, by its word.

    Raises:
        UserError: a toxic has the name of a fault.
    """
    twice = sorted(set(FAULTS) & set(TOXICS))
    if twice:
        raise UserError(
            f"harness.toxics: {twice[0]!r} is the name of a fault that is no toxic.",
            hint="Remove the distribution that brings this toxic.",
        )
    toxics = cast("Mapping[str, type[Described]]", TOXICS)
    return {**toxics, **FAULTS}


def begin(step: FaultStep, hop: HopOnProxy, *, round: int) -> Fault:
    """The fault that the step asks for, in this round; nothing has happened yet."""
    if step.kind in TOXICS:
        return ToxicFault(step, hop, round=round)
    make = cast("type[Any]", FAULTS[step.kind])
    return cast("Fault", make(step, hop, round=round))


def words(step: FaultStep) -> str:
    """The fault in its kind's own words, such as ``40 ms latency``."""
    kind = cast("Any", kinds()[step.kind])
    return str(kind.words(to_params(kind.Params, step.params)))


def longest_hold(step: FaultStep) -> Duration | None:
    """How long it can keep something back that was sent; None: that depends on what is sent."""
    if step.kind not in TOXICS:
        return Duration.ZERO
    kind = TOXICS[step.kind]
    return kind.trace(to_params(kind.Params, step.params)).longest


def extensions_needed(step: FaultStep) -> tuple[str, ...]:
    """What the step asks for that no Toxiproxy but ours has, in words; empty for most.

    Keys that follow from the kind or from ``match`` are not named: nobody wrote them.
    """
    if step.kind not in TOXICS:
        return ()
    kind = TOXICS[step.kind]
    asked = ("per", "codec", "skip", "first", "match", "seed")
    follow = {"per", "codec"} if step.match else {"per"} if step.per == kind.per else set[str]()
    return beyond_toxiproxy(
        step.kind,
        kind.attributes(to_params(kind.Params, step.params)),
        [key for key in asked if getattr(step, key) is not None and key not in follow],
    )
