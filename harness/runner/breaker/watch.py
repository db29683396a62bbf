"""What became of the calls so far, as the driver needs it to go on: rejected, forwarded, or not yet known.

No verdict rests on it. The judge joins the whole journal anew; this only says when the next step is due.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.model.events import AnyEvent, OperationReturned, OperationSent
from harness.model.outcomes import Acknowledged
from harness.model.units import Instant
from harness.proxy.request_log import Request

Arrivals = Callable[[str], list[Request]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call that has ended. ``arrived`` is None for one that the downstream never got."""

    rid: str
    sent: Instant
    ended: Instant
    arrived: Instant | None
    good: bool
    """Forwarded, and acknowledged."""
    answered: bool
    attempts: int = 1
    """How often the downstream got it."""

    @property
    def rejected(self) -> bool:
        """It was answered, and the downstream never heard of it."""
        return self.answered and self.arrived is None


@dataclass(slots=True)
class Watch:
    """Takes the events of calls, and sorts each once the hop's log was fetched after its end."""

    seen: list[Seen] = field(default_factory=list)
    """In the order in which they were sorted, which is that of their ends."""
    _rejected: list[int] = field(default_factory=list)
    """Where in ``seen`` the rejections are."""
    _sent: dict[int, OperationSent] = field(default_factory=dict)
    _waiting: list[OperationReturned] = field(default_factory=list)

    def take(self, event: AnyEvent) -> None:
        match event:
            case OperationSent() if event.phase:
                self._sent[event.op] = event
            case OperationReturned() if event.phase:
                self._waiting.append(event)
            case _:
                pass

    def sort(self, arrivals: Arrivals, *, known_up_to: Instant) -> None:
        """Sorts all that ended before ``known_up_to``, up to which the hop's log is known."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            if event.last >= known_up_to:
                self._waiting.append(event)
                continue
            sent = self._sent.pop(event.op, None)
            if sent is None:
                continue
            came = arrivals(sent.rid)
            self.seen.append(
                Seen(
                    rid=sent.rid,
                    sent=sent.sent,
                    ended=event.last,
                    arrived=came[0].arrived if came else None,
                    good=bool(came) and isinstance(event.outcome, Acknowledged),
                    answered=event.how == "answered",
                    attempts=len(came),
                )
            )
            if self.seen[-1].rejected:
                self._rejected.append(len(self.seen) - 1)

    @property
    def mark(self) -> int:
        """A place in ``seen``; what comes behind it is new."""
        return len(self.seen)

    def since(self, mark: int) -> list[Seen]:
        return self.seen[mark:]

    def rejected_since(self, mark: int) -> list[Seen]:
        return [call for call in self.since(mark) if call.rejected]

    def good_in_a_row(self, mark: int) -> int:
        """How many of the last calls behind ``mark`` were good, without another between them."""
        at = len(self.seen)
        while at > mark and self.seen[at - 1].good:
            at -= 1
        return len(self.seen) - max(at, mark)

    def trip(self, mark: int) -> Instant | None:
        """When it opened, as nearly as can be told: the last forwarded call's end before the first rejection.

        Asked before each call of an open loop, so it does not go through all that were seen.
        """
        first = bisect_left(self._rejected, mark)
        if first == len(self._rejected):
            return None
        for at in range(self._rejected[first] - 1, mark - 1, -1):
            if self.seen[at].arrived is not None:
                return self.seen[at].ended
        return None

    def last_forwarded(self, mark: int) -> Instant | None:
        """When the last call that the downstream got ended: by then it had opened, if it has."""
        came = [call.ended for call in self.since(mark) if call.arrived is not None]
        return came[-1] if came else None

    def first_let_through(self, mark: int) -> Seen | None:
        """The first call that was forwarded although it was sent behind a rejection."""
        rejected: Instant | None = None
        for call in sorted(self.since(mark), key=lambda call: call.sent.ns):
            if call.rejected and rejected is None:
                rejected = call.sent
            elif call.arrived is not None and rejected is not None:
                return call
        return None
