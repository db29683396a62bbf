"""Effects by their keys: what the state listed before and after a round, beside what was sent in it.

Only numbers for each key; which of them are wrong is the invariant's to say.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.expressions.values import EvaluationProblem, intake, is_number, show, type_name
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence, hidden_reading
from harness.judge.told import first_few


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What became of the requests of one key, whatever operation sent them.

    ``elsewhere`` counts those that were acknowledged to other operations than the one that is judged.
    """

    acknowledged: int
    unknown: int
    rejected: int
    elsewhere: int = 0

    @property
    def most(self) -> int:
        """How often they may have taken effect together."""
        return 1 if self.acknowledged or self.unknown or self.elsewhere else 0

    @property
    def shared(self) -> bool:
        """Acknowledged to two operations: an effect that is listed may be that of either."""
        return bool(self.acknowledged and self.elsewhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """``listed`` are the effects of the round by key; ``nameless`` those that have none."""

    tries: Mapping[str, Tries]
    listed: Mapping[str, int]
    nameless: int


def tries_of(calls: Sequence[Call], operation: str) -> Mapping[str, Tries]:
    """The outcomes of each key of the operation; what never returned is unknown."""
    tries: dict[str, list[Call]] = {
        call.effect: [] for call in calls if call.operation == operation
    }
    for call in calls:
        if call.effect in tries:
            tries[call.effect].append(call)
    return {key: _counted(each, operation) for key, each in tries.items()}


def _counted(calls: Sequence[Call], operation: str) -> Tries:
    acknowledged = [call.operation for call in calls if call.outcome == "acknowledged"]
    rejected = sum(call.outcome == "rejected" for call in calls)
    own = acknowledged.count(operation)
    return Tries(
        acknowledged=own,
        rejected=rejected,
        unknown=len(calls) - len(acknowledged) - rejected,
        elsewhere=len(acknowledged) - own,
    )


def listed_before(evidence: RoundEvidence, probe: str) -> Reading | Lack:
    """The reading after the reset and before anything was sent: what it lists is nobody's effect."""
    began = min((call.began or call.sent for call in evidence.calls), default=None)
    for reading in reversed(evidence.readings):
        if reading.purpose != "reset" or reading.probe != probe:
            continue
        if began is None or reading.answered < began:
            return hidden_reading(probe) if reading.hidden else reading
    detail = f"probe {probe} was not read before the first request"
    return Lack(short="not read before", detail=detail, withheld=True)


def effects_of(
    evidence: RoundEvidence, operation: str, before: Reading, after: Reading
) -> Effects | Lack:
    """The effects of a round, or why nobody can say whose they are.

    Raises:
        EvaluationProblem: a probe listed something that is no key, or gave no list; a null is one
            without entries, as some languages write it.
    """
    sent = [call for call in evidence.calls if call.operation == operation]
    tries = tries_of(evidence.calls, operation)
    known = {call.effect for call in evidence.calls}
    there, found = (keys_in([] if r.exact is None else r.exact) for r in (before, after))
    if old := [key for key in tries if there[key]]:
        detail = (
            f"probe {after.probe} listed {first_few(old)} before {operation} was sent with "
            f"{'it' if len(old) == 1 else 'them'}; does the reset clear what it lists?"
        )
        return Lack(short="keys there before", detail=detail, withheld=True)
    new = found - there
    nameless = new.pop(None, 0)
    listed = {key: times for key, times in new.items() if key is not None}
    if lack := _strange(operation, after.probe, sent, listed, known):
        return lack
    if len(sent) < len(evidence.calls):
        # Another operation may leave no key behind.
        nameless = 0
    others = known - tries.keys()
    return Effects(
        tries=tries,
        listed={key: times for key, times in listed.items() if key not in others},
        nameless=nameless,
    )


def _strange(
    operation: str,
    probe: str,
    sent: Sequence[Call],
    listed: Mapping[str, int],
    known: set[str],
) -> Lack | None:
    """The likelier reason for a list that shares no key with what was sent is that it is of other things."""
    if known & listed.keys() or not sent:
        return None
    own = any(call.key is not None for call in sent)
    if listed:
        detail = (
            f"probe {probe} lists {first_few(list(listed))}, and {operation} was sent with "
            f"{first_few([call.effect for call in sent])}; "
            "does `key:` of the operation say what the service stores?"
        )
    elif not own:
        detail = (
            f"{operation} has no `key:`, and none of its requests' ids (such as {sent[0].effect}) is in "
            f"what probe {probe} lists; name what the service stores"
        )
    else:
        return None
    return Lack(short="no key in common", detail=detail, withheld=True)


def keys_in(value: Any) -> "Counter[str | None]":
    """How often each key is listed, as text; None for entries without one.

    Raises:
        EvaluationProblem: it is no list, or holds what is no key.
    """
    if not isinstance(value, list | tuple):
        raise EvaluationProblem(f"it is {show(value)}, and a list of keys is needed")
    return Counter(_as_text(item) for item in value)


def _as_text(item: Any) -> str | None:
    if item is None or isinstance(item, str):
        return item
    value = intake(item)
    if is_number(value) or isinstance(value, bool):
        return show(value)
    raise EvaluationProblem(f"it lists a {type_name(value)}, which is no key")
