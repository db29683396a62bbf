"""BRK-24: memory is bounded. Rejections do not make the service's resident memory grow without end.

Growth alone accuses nobody: just-in-time compilers and lazily collected heaps grow for a long time. So
memory must have levelled under good calls first; then every window of rejections must grow, by a slope
and by an amount that are no noise (contract §5.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.judge.breaker.finding import Draft, Subject, counterexample, seconds
from harness.judge.breaker.known import Known, PhaseView
from harness.judge.breaker.statistics import theil_sen
from harness.model.breaker_findings import (
    BreakerFinding,
    Limit,
    Observed,
    Statistics,
    Tolerance,
)
from harness.model.breaker_history import Sample

MIB = 1 << 20
KIB = 1 << 10

SUBJECT = Subject(
    id="BRK-24",
    name="memory is bounded",
    severity="critical",
    condition=(
        "after levelling under good calls, resident memory does not grow in every window of"
        " rejections by more than 256 B a rejection and max(8 MiB, 5 %) in all"
    ),
    phases=(19,),
)

ENOUGH_REJECTIONS = 10_000
ENOUGH_WINDOWS = 5
LEVEL = 0.02
STEEP = 256
"""Bytes for each rejection."""
MOST_GROWTH = 8 * MIB
MOST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of all processes together at the end of each window; ``rejections`` counted from the first."""

    warming: Sequence[int]
    rss: Sequence[int]
    """Of the level, and after each window of rejections."""
    rejections: Sequence[int]
    began: int
    ended: int

    @property
    def windows(self) -> int:
        return len(self.rss) - 1

    @property
    def level(self) -> int:
        return self.rss[0]

    @property
    def growth(self) -> int:
        return self.rss[-1] - self.rss[0]

    @property
    def tolerated(self) -> int:
        return max(MOST_GROWTH, round(MOST_SHARE * self.level))

    @property
    def levelled(self) -> bool:
        """Each of the last two windows of good calls is at most 2 % above the one before."""
        last = self.warming[-3:]
        return len(last) == 3 and all(b <= a * (1 + LEVEL) for a, b in pairwise(last))

    @property
    def slope(self) -> float:
        """Bytes for each rejection."""
        return theil_sen(self.rejections, self.rss)

    @property
    def last_window(self) -> float:
        """The growth of the last window as a share."""
        return self.rss[-1] / self.rss[-2] - 1


def judge(known: Known) -> BreakerFinding:
    draft = Draft(subject=SUBJECT)
    views = known.phases_of(19)
    if not known.history.declared.process:
        return draft.not_applicable("breaker.process is not declared: whose memory is not known")
    if not views:
        return draft.not_applicable("phase 19 (memory) was not run")
    if known.barred:
        return draft.inconclusive(known.barred)
    memory = _memory(known, views)
    if isinstance(memory, str):
        return draft.inconclusive(memory)
    _measure(draft, memory)
    if _grows(memory):
        return _violated(draft, memory)
    return _held(draft, views, memory)


def _memory(known: Known, views: Sequence[PhaseView]) -> Memory | str:
    """The windows of the phase, or what is missing."""
    phases = {view.phase.id for view in views}
    by_process: dict[int, list[Sample]] = {}
    for sample in known.history.samples:
        if sample.phase in phases and (sample.warming or sample.rejections is not None):
            by_process.setdefault(sample.pid, []).append(sample)
    series = list(by_process.values())
    if not series:
        return "no window of the memory phase was sampled"
    kinds = [[sample.warming for sample in samples] for samples in series]
    if any(kind != kinds[0] for kind in kinds):
        return f"{len(series)} processes were sampled, not all in each window: one came or went"
    if any(sample.rss is None for samples in series for sample in samples):
        return "resident memory could not be read in every window"
    return _summed(series)


def _summed(series: Sequence[Sequence[Sample]]) -> Memory | str:
    windows = list(zip(*series, strict=True))
    warming = [_rss(window) for window in windows if window[0].warming]
    rejecting = [window for window in windows if not window[0].warming]
    level = warming[-1:]
    if rejecting and rejecting[0][0].rejections == 0:
        # Taken when it had opened: the level before the first window, no window that must grow.
        level = [_rss(rejecting.pop(0))]
    counts = [0]
    for window in rejecting:
        counts.append(counts[-1] + (window[0].rejections or 0))
    if not warming:
        return (
            "memory never levelled under good calls: no window of them came before the rejections,"
            f" over which it went {_course([_rss(window) for window in rejecting])}"
        )
    return Memory(
        warming=warming,
        rss=[*level, *(_rss(window) for window in rejecting)],
        rejections=counts,
        began=windows[0][0].at,
        ended=windows[-1][0].at,
    )


def _rss(window: Sequence[Sample]) -> int:
    return sum(sample.rss or 0 for sample in window)


def _grows(memory: Memory) -> bool:
    return (
        memory.levelled
        and memory.windows >= ENOUGH_WINDOWS
        and all(before < after for before, after in pairwise(memory.rss))
        and memory.slope > STEEP
        and memory.growth > memory.tolerated
    )


def _measure(draft: Draft, memory: Memory) -> None:
    draft.rounds = memory.windows
    draft.limit = Limit(value=STEEP, source="bytes for each rejection, default")
    draft.tolerance = Tolerance(
        value=memory.tolerated,
        parts=({"name": "growth", "value": memory.tolerated, "why": "max(8 MiB, 5 %) in all"},),
    )
    draft.samples.append(
        {
            "rss": list(memory.rss),
            "rejections": list(memory.rejections),
            "warming": list(memory.warming),
            "from": seconds(memory.began),
            "to": seconds(memory.ended),
        }
    )
    if memory.windows < 1 or memory.rejections[-1] == 0:
        return
    draft.observed = Observed(value=round(memory.slope), unit="B", per="rejection")
    draft.statistics = Statistics(method="theil-sen", m=memory.windows, bound=memory.slope)


def _violated(draft: Draft, memory: Memory) -> BreakerFinding:
    hourly = memory.slope * 100 * 3600 / (1 << 30)
    text = (
        f"{memory.slope / KIB:.1f} KiB per rejected call in each of {memory.windows} windows"
        f" ({_course((memory.rss[0], memory.rss[-1]))} over {memory.rejections[-1]:,}), after"
        f" levelling at {memory.level / MIB:.0f} MiB; at 100/s that is {hourly:.1f} GiB an hour"
    )
    return draft.violated(
        text,
        counterexample(
            text,
            (),
            interval=(memory.began, memory.ended),
            expected=f"growth of at most {memory.tolerated / MIB:.0f} MiB",
            got=f"{memory.growth / MIB:.1f} MiB, rising in every window",
        ),
    )


def _held(draft: Draft, views: Sequence[PhaseView], memory: Memory) -> BreakerFinding:
    if not memory.levelled:
        draft.lacks.append(
            "memory never levelled under good calls: each of the last two windows of three or more"
            f" at most 2 % above the one before; seen {_course(memory.warming)}"
        )
    draft.need("rejections", memory.rejections[-1], at_least=ENOUGH_REJECTIONS)
    enough = draft.need("windows of rejections", memory.windows, at_least=ENOUGH_WINDOWS)
    draft.lacks += [view.lack for view in views if view.lack]
    if enough and memory.growth > memory.tolerated:
        draft.lacks.append(
            f"it grew by {memory.growth / MIB:.1f} MiB, over {memory.tolerated / MIB:.0f} MiB, but"
            " not in every window or hardly for each rejection: a longer phase would tell"
        )
    elif enough and memory.last_window > LEVEL:
        draft.lacks.append(
            f"the last window grew by {memory.last_window:.1%}, over {LEVEL:.0%}: it had not levelled"
        )
    return draft.held_or_inconclusive(
        f"{memory.growth / MIB:+.1f} MiB over {memory.rejections[-1]:,} rejections, after levelling"
        f" at {memory.level / MIB:.0f} MiB; {memory.tolerated / MIB:.0f} MiB would be tolerated",
        power=(
            f"a growth of more than {memory.tolerated / max(1, memory.rejections[-1]):.0f} B a"
            " rejection would have shown"
        ),
    )


def _course(rss: Sequence[int]) -> str:
    return " → ".join(f"{value / MIB:.0f}" for value in rss) + " MiB"
