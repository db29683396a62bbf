"""What invariants share that are judged by readings taken once a round has settled.

Whether the state stood still, and what was read then. What a kind makes of it is in ``invariants/``.
"""

from collections.abc import Collection, Mapping, Sequence

from harness.judge.evidence import Lack, Reading, RoundEvidence, hidden_reading
from harness.judge.judgement import Broken, RoundJudgement, plural


def settled_readings(
    evidence: RoundEvidence, probes: Sequence[str]
) -> Mapping[str, Reading] | Lack:
    """The last reading of each probe, or why the state at the end of the round is not known."""
    return unsettled(evidence, probes) or _readings(evidence, probes)


def unsettled(evidence: RoundEvidence, probes: Collection[str]) -> Lack | None:
    """Why nothing can be said of the state at the round's end, as these probes show it."""
    if not evidence.finished:
        return Lack(short="not finished", detail="the round did not finish")
    if evidence.tainted is not None or evidence.settled is not None:
        return evidence.tainted
    never = evidence.never_settled
    if never is None:
        detail = "nothing says whether the state settled"
        return Lack(short="not settled", detail=detail, withheld=True)
    moving = [probe for probe in never.probes if probe in probes]
    if never.in_flight:
        detail = f"{never.in_flight} requests were still in flight after {never.limit}"
    elif moving:
        what = f"{plural(len(moving), 'probe')} {', '.join(moving)}"
        detail = f"{what} gave no two equal readings within {never.limit}"
    else:
        # What kept moving is nothing that this invariant reads.
        return None
    return Lack(short="never settled", detail=detail, withheld=True)


def _readings(evidence: RoundEvidence, probes: Sequence[str]) -> Mapping[str, Reading] | Lack:
    read: dict[str, Reading] = {}
    for reading in evidence.readings:
        if reading.purpose != "at-end" or reading.probe not in probes:
            continue
        if reading.probe in read and read[reading.probe].value != reading.value:
            detail = f"probe {reading.probe} changed between two readings at the end"
            return Lack(short="never settled", detail=detail, withheld=True)
        if reading.hidden:
            return hidden_reading(reading.probe)
        read[reading.probe] = reading
    for probe in probes:
        if probe not in read:
            detail = f"probe {probe} was not read at the end"
            return Lack(short="not read", detail=detail, withheld=True)
    return read


def judged_once_settled(
    evidence: RoundEvidence, read: Mapping[str, Reading], *, broken: Broken | None, powerless: str
) -> RoundJudgement:
    """The judgement of a round at whose end ``read`` was read. ``powerless``: why it shows nothing.

    What is broken stands also in a round that does not count.
    """
    lack = evidence.lacks[0] if evidence.lacks else None
    if lack is None and broken is None and powerless:
        lack = Lack(short="nothing could have broken it", detail=powerless)
    return RoundJudgement(
        round=evidence.round,
        finished=True,
        broken=broken,
        lack=lack,
        readings=len(read),
        readings_broken=len(read) if broken is not None else 0,
    )
