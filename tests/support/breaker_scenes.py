"""Scenes that several tests of a breaker's half-open state begin with, on top of a ``Story``. Times in ms."""

from collections.abc import Sequence
from typing import Any

from tests.support.breaker_histories import Story

TRIP = "5FR"
LATENCY = 400


def tripped(
    story: Story, number: int, name: str, *, trip: str = TRIP, wait: float = 1200, **phase: Any
) -> None:
    """A phase in which it has tripped and nobody has called since, for ``wait``."""
    story.phase(number, name, fault="status", **phase)
    story.write(trip)
    story.silence(wait)


def bursts(
    story: Story,
    outcomes: str,
    *,
    windows: int = 5,
    name: str = "burst-good",
    callers: int = 100,
    spread: float = 10,
    trip: str = TRIP,
    wait: float = 1200,
    **burst: Any,
) -> None:
    """So many bursts of callers on a breaker that is due for a trial; forwarded ones take 400."""
    number = 8 if name == "burst-good" else 9
    for index in range(windows):
        tripped(story, number, name, trip=trip, wait=wait, round=index + 1, latency=LATENCY)
        lasts = {"S": LATENCY, "F": LATENCY}
        story.burst(callers, spread=spread, outcomes=outcomes, lasts=lasts, **burst)
        story.silence(4 * LATENCY)


def parked(
    story: Story,
    *,
    windows: int = 5,
    callers: int = 100,
    spread: float = 20,
    at_once: bool = True,
    released: int | None = None,
    trip: str = TRIP,
) -> None:
    """One trial, and the others wait for it: they arrive once it has been answered.

    All within ``spread``, or one after the other, each when the one before has ended; ``released``
    of them, the others stay unanswered.
    """
    for index in range(windows):
        tripped(
            story, 8, "burst-good", trip=trip, round=index + 1, latency=LATENCY, callers=callers
        )
        start = story.at
        story.call("S", at=start, lasts=LATENCY)
        others = callers - 1
        for other in range(others):
            sent = start + 10 * (other + 1) / others
            if released is not None and other >= released:
                story.call("U", at=sent, end="open", lasts=None)
                continue
            comes = start + LATENCY + (1 + spread * other / others if at_once else 10 * other)
            story.call("S", at=sent, arrives=comes - sent, lasts=comes - sent + 5)
        story.silence(3 * LATENCY)


def failed_trials(story: Story, after: str, *, windows: int = 2, every: float = 12.5) -> None:
    """A trial that fails, and what follows it at once, so many times."""
    for index in range(windows):
        tripped(story, 9, "burst-bad", round=index + 1)
        story.write("F")
        story.silence(every)
        story.write(after, every=every)
        story.silence(1500)


def good_trials(
    story: Story, after: str, *, closings: int = 2, trials: str = "S", every: float = 10
) -> None:
    """A trial that succeeds, and what follows it, so many times."""
    for index in range(closings):
        tripped(story, 8, "burst-good", round=index + 1)
        story.write(trials, gap=every)
        story.write(after, every=every)
        story.silence(1500)


def hung_trial(
    story: Story, after: Sequence[tuple[str, float]], *, letter: str = "H", **trial: Any
) -> None:
    """The trial gets no answer; then calls: ``("60R", 22)`` is sixty, one every 22.

    ``every`` is the phase's rate where it is not that of the first of them.
    """
    _lost_trial(story, 10, "hung-trial", after, letter, **trial)


def departed_trial(story: Story, after: Sequence[tuple[str, float]], **trial: Any) -> None:
    """The trial's caller leaves after 50; calls as above."""
    _lost_trial(story, 11, "departing-trial", after, "L", **trial)


def _lost_trial(
    story: Story,
    number: int,
    name: str,
    after: Sequence[tuple[str, float]],
    letter: str,
    **trial: Any,
) -> None:
    every = trial.pop("every", after[0][1] if after else 50)
    tripped(
        story, number, name, wait=1100, rate=1000 / every, planned=0, given={"trial": "the-trial"}
    )
    story.call(letter, rid="the-trial", injected=("blackhole",), **trial)
    for text, gap in after:
        story.silence(gap)
        story.write(text, every=gap)
