"""Sequential calls, told as spells: what a breaker had counted since it was last certainly even.

A spell begins after a success and ends with a short-circuit, a success or the phase. Between its failures
stand calls of one odd kind (departed, or ignored), whose worth is read off the number of failures after
the last of them. Order must be certain for that, so a call that settles after the next is none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.judge.breaker.known import Joined


@dataclass(slots=True, kw_only=True)
class Spell:
    """``before`` and ``after``: failures on either side of the last odd call; ``odd`` all odd ones.

    ``rejection`` ended it; None where nothing was short-circuited. ``unclear`` is why nothing may be
    concluded from it.
    """

    odd: list[Joined] = field(default_factory=list)
    before: list[Joined] = field(default_factory=list)
    after: list[Joined] = field(default_factory=list)
    rejection: Joined | None = None
    unclear: str = ""
    alone: int = 0
    """So many odd ones came before any failure."""

    @property
    def rows(self) -> list[Joined]:
        """Those that decide, in the order in which they were sent."""
        ending = [] if self.rejection is None else [self.rejection]
        return [*self.before, *self.odd, *self.after, *ending]


def spells(calls: Sequence[Joined], is_odd: Callable[[Joined], bool]) -> Iterator[Spell]:
    """The spells of one phase that have an odd call in them."""
    spell, last, open_still = Spell(), None, False
    for joined in calls:
        if joined.outcome == "success" and not is_odd(joined):
            if spell.odd and not open_still:
                yield spell
            spell, last, open_still = Spell(), joined, False
            continue
        if open_still:
            # Rejections and trials of the open breaker, until one succeeds.
            continue
        if joined.rejected:
            spell.rejection = joined
            if spell.odd:
                yield spell
            open_still = True
            continue
        _take(spell, joined, is_odd(joined), last)
        last = joined
    if spell.odd and not open_still:
        yield spell


def _take(spell: Spell, joined: Joined, odd: bool, last: Joined | None) -> None:
    if not spell.unclear:
        spell.unclear = _out_of_order(last, joined)
    if odd:
        spell.alone += not spell.before and not spell.after
        spell.odd.append(joined)
        spell.before.extend(spell.after)
        spell.after.clear()
    elif joined.outcome == "failure":
        spell.after.append(joined)
    elif not spell.unclear:
        spell.unclear = f"what became of {joined.call.rid} is not known"


def _out_of_order(last: Joined | None, joined: Joined) -> str:
    """The breaker must have learned of the one before by the time it can learn of this one."""
    if last is None:
        return ""
    if last.call.ended is None or last.call.ended > joined.call.sent:
        return f"{joined.call.rid} was sent before {last.call.rid} had ended"
    before = None if last.settled is None else last.settled.hi
    if before is not None and joined.settled is not None and before > joined.settled.lo:
        return f"it is not certain that {last.call.rid} settled before {joined.call.rid} did"
    return ""
