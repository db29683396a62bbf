"""What a round needs in order to count for any invariant, and the words for what it lacks.

The order is that of the reasons: what explains the others comes first, as a hop that nobody dials
explains a fault that was never seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.judge.evidence import Call, Lack, unknown_in_words
from harness.judge.offered import OfferedLoad, lacks_of_load
from harness.model.events import (
    FaultApplied,
    FaultSeen,
    FaultUndone,
    HopCounted,
    NeverSettled,
    Settled,
)
from harness.model.plan import FaultStep, Plan

# Two requests at least must be under way together: a race needs two.
LEAST_OVERLAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HopTurns:
    """Messages of one hop since the release: those its server answered, and those it did not.

    What became of an answer on its way back makes no difference; nor does one that a fault made up.
    """

    served: int
    unserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFacts:
    """What the events of one round say, each by its burst, fault or hop."""

    finished: bool
    reset: bool
    settled: Settled | None
    never_settled: NeverSettled | None
    calls: tuple[Call, ...]
    overlap: int
    arrivals: tuple[OfferedLoad, ...] = ()
    applied: Mapping[str, FaultApplied]
    seen: Mapping[str, FaultSeen]
    undone: Mapping[str, FaultUndone]
    hops: Mapping[str, HopCounted]
    turns: Mapping[str, HopTurns]


def lacks_of(plan: Plan, facts: RoundFacts) -> tuple[Lack, ...]:
    """Everything that keeps a round from counting; empty if it counts."""
    return tuple(_lacks(plan, facts))


def _lacks(plan: Plan, facts: RoundFacts) -> Iterator[Lack]:
    if not facts.finished:
        yield Lack(short="not finished", detail="the round did not finish")
        return
    yield from _traffic(plan, facts)
    yield from lacks_of_load(facts.arrivals)
    for fault in plan.faults:
        yield from _hop(plan, fault, facts)
        yield from _fault(fault, facts)
    yield from _servers(plan, facts)
    yield from _settling(facts)


def _traffic(plan: Plan, facts: RoundFacts) -> Iterator[Lack]:
    if not facts.calls:
        yield Lack(short="no operation sent", detail="no operation was sent", about="traffic")
        return
    if not any(call.outcome in ("acknowledged", "rejected") for call in facts.calls):
        detail = (
            f"not one of {len(facts.calls)} requests was acknowledged or rejected: "
            f"{unknown_in_words(facts.calls)}; is the request right, and are its rules?"
        )
        yield Lack(short="all outcomes unknown", detail=detail, about="traffic")
        return
    if facts.overlap < LEAST_OVERLAP:
        of = len(facts.calls)
        detail = (
            f"at most {facts.overlap} of {of} requests that were acknowledged or rejected was in flight "
            "at a time, two are needed"
        )
        if unknown := sum(each.outcome not in ("acknowledged", "rejected") for each in facts.calls):
            detail += (
                f"; {unknown} outcomes are unknown: {unknown_in_words(facts.calls)}; an answer that has no "
                "effect belongs in a rule `rejected:`"
            )
        yield Lack(short=f"overlap under {LEAST_OVERLAP}", detail=detail, about="traffic")
    if not _acknowledged(facts) and not _rejected_by_rule(plan, facts):
        # A missing token, a mistyped path: the service said no before it came to the promise.
        detail = (
            f"not one of {len(facts.calls)} requests was acknowledged, and only the default rule calls "
            "their answers (4xx) rejected; if that is what they should be, say so in a rule `rejected:`"
        )
        yield Lack(short="nothing acknowledged", detail=detail, about="traffic")


def _acknowledged(facts: RoundFacts) -> bool:
    return any(call.outcome == "acknowledged" for call in facts.calls)


def _rejected_by_rule(plan: Plan, facts: RoundFacts) -> int:
    """How many were rejected by a rule that the user wrote for their operation."""
    ruled = {each.name for each in plan.target.operations if each.rejected is not None}
    return sum(call.outcome == "rejected" and call.operation in ruled for call in facts.calls)


def _servers(plan: Plan, facts: RoundFacts) -> Iterator[Lack]:
    """Where nothing was acknowledged, a server behind a faulted hop must have had a say in it."""
    rejected = _rejected_by_rule(plan, facts)
    if _acknowledged(facts) or not rejected:
        return
    if excuse := _by_faults_alone(plan, facts, rejected):
        detail = (
            f"not one of {len(facts.calls)} requests was acknowledged, and {excuse}: "
            "the rejections may be the fault's doing alone; let it spare some messages (`toxicity:`, `first:`)"
        )
        yield Lack(short="rejected by the fault alone", detail=detail, about="traffic")


def _by_faults_alone(plan: Plan, facts: RoundFacts, rejected: int) -> str:
    """Why all rejections may come from faults, which a service can pass on as its own; or nothing.

    Nobody can say which message belongs to which operation. A message that a fault answered, ended
    or kept may explain one rejection; those beyond that number are a server's.
    """
    to = {hop.name: hop.to for hop in plan.target.hops}
    faulted = dict.fromkeys(fault.on for fault in plan.faults if fault.on in to)
    turns = {hop: facts.turns.get(hop, HopTurns(served=0, unserved=0)) for hop in faulted}
    for hop, each in turns.items():
        if not each.served:
            return f"no message of hop {hop} was answered by {to[hop]}"
    # A connection that a fault refused or ended may stand for a message that never was one.
    seen = [facts.seen[fault.id] for fault in plan.faults if fault.id in facts.seen]
    ended = sum(each.hit for each in seen if each.of == "connection")
    unserved = ended + sum(each.unserved for each in turns.values())
    if rejected > unserved:
        return ""
    return (
        f"{unserved} messages or connections of {', '.join(turns)} came to no answer of the server"
    )


def _hop(plan: Plan, fault: FaultStep, facts: RoundFacts) -> Iterator[Lack]:
    if all(hop.name != fault.on for hop in plan.target.hops):
        return
    counted, seen = facts.hops.get(fault.on), facts.seen.get(fault.id)
    if counted is None:
        detail = f"nobody counted the bytes of hop {fault.on}"
        yield Lack(short="hop not counted", detail=detail, withheld=True, about="fault")
    elif counted.turns == 0 and not (seen is not None and seen.of == "connection"):
        detail = (
            f"no bytes passed hop {fault.on} during a burst: does the service dial {{hops.{fault.on}.url}} "
            f"or {{hops.{fault.on}.address}}?"
        )
        yield Lack(short=f"no bytes on hop {fault.on}", detail=detail, withheld=True, about="fault")
    elif counted.dropped:
        detail = f"hop {fault.on} saw {counted.dropped} more messages than were kept"
        yield Lack(short="messages not kept", detail=detail, withheld=True, about="fault")


def _fault(fault: FaultStep, facts: RoundFacts) -> Iterator[Lack]:
    what = f"fault {fault.id}"
    seen, undone = facts.seen.get(fault.id), facts.undone.get(fault.id)
    if fault.id not in facts.applied:
        yield Lack(
            short="fault not applied",
            detail=f"{what} was never applied",
            withheld=True,
            about="fault",
        )
    if undone is not None and not undone.found:
        how = undone.why or "somebody else removed it"
        detail = f"{what} was gone before it was undone: {how}"
        yield Lack(short="fault gone", detail=detail, withheld=True, about="fault")
    elif undone is not None and not undone.as_applied:
        detail = f"{what} was no longer as applied when it was undone: somebody else changed it"
        yield Lack(short="fault changed", detail=detail, withheld=True, about="fault")
    if seen is None:
        detail = f"nobody looked for {what} on the wire"
        yield Lack(short="fault not looked for", detail=detail, withheld=True, about="fault")
    elif seen.hit == 0:
        because = f": {seen.unseen}" if seen.unseen else ""
        if fault.first is not None and not because:
            # Counted from its step on, and connections are warmed by the ready check before the release.
            because = (
                f": `first: {fault.first}` may have been used up before the burst was released, "
                "by a ready check that passes this hop"
            )
        detail = f"{what} was never seen on the wire ({seen.messages} {seen.of}s while it lasted){because}"
        yield Lack(short="fault not seen", detail=detail, withheld=True, about="fault")
    elif seen.missed:
        detail = f"{what} left no trace on {seen.missed} of {seen.messages} messages"
        yield Lack(short="fault partly missed", detail=detail, withheld=True, about="fault")


def _settling(facts: RoundFacts) -> Iterator[Lack]:
    if facts.settled is not None:
        return
    never = facts.never_settled
    if never is None:
        detail = "nothing says whether the state settled"
        yield Lack(short="not settled", detail=detail, withheld=True, about="settling")
        return
    moving = [
        *([f"probes still changing: {', '.join(never.probes)}"] if never.probes else []),
        *([f"requests still in flight: {never.in_flight}"] if never.in_flight else []),
        *(["bytes still held back by a fault"] if never.held else []),
    ]
    told = "; ".join(moving) or "something still moved on the wire"
    detail = f"never settled within {never.limit} ({told})"
    yield Lack(short="never settled", detail=detail, about="settling")
