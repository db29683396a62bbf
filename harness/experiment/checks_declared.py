"""Rules of the keys of a breaker that only make sense together.

They need nothing but the block itself; what it names in the target is ``checks_breaker.py``.
"""

from collections.abc import Iterator

from harness.experiment.breaker_parts import Breaker, OpenTimes
from harness.experiment.breaker_statuses import ANSWER_NAMES
from harness.experiment.draft import ExperimentDraft
from harness.experiment.nodes import Mapping, child, find
from harness.experiment.texts import answer_expression
from harness.model.units import Duration

_WINDOWS = ("count-window", "time-window")
_NO_HALF_OPEN = ("in-flight", "eject")
_WITHOUT_NEEDED_KEYS = ("trials", "rejection", "fallback", "retries")

_Wrong = tuple[str, str, str, str]
"""The key to blame, what was found, what was expected, and a hint."""


def check_declared(experiment: ExperimentDraft, block: Breaker) -> None:
    """Reports keys of the block that contradict each other."""
    for rules in (_counting, _windows, _times, _circuits):
        for key, found, expected, hint in rules(block):
            experiment.wrong(("breaker", *key.split(".")), found, expected, hint)
    for key in _WITHOUT_NEEDED_KEYS:
        node = child(find(experiment.root, ("breaker",)), key)
        if isinstance(node, Mapping) and not node.entries:
            experiment.wrong(("breaker", key), "there is nothing in it", "at least one key")
    for key in ("failure", "ignored"):
        answer_expression(experiment, ("breaker", key), getattr(block, key), ANSWER_NAMES)


def _counting(block: Breaker) -> Iterator[_Wrong]:
    share = isinstance(block.threshold, float)
    if share and block.kind not in _WINDOWS:
        what = "without a kind" if block.kind is None else f"of the kind {block.kind}"
        yield (
            "threshold",
            f"{block.threshold:.0%} is a share, and the breaker is {what}",
            f"kind: {' or '.join(_WINDOWS)}",
            "A share is of the calls in a window: add kind: and window:, such as time-window and 10s.",
        )
    for key in ("minimum", "denominator"):
        if getattr(block, key) is not None and not share:
            yield (
                key,
                f"{key} is about a share, and the threshold is none",
                "threshold: 50%, say",
                "",
            )
    if block.opens is not None and block.threshold is None:
        yield "opens", "there is no threshold that it could be about", "threshold: 5, say", ""
    if block.kind in _NO_HALF_OPEN and block.trials is not None:
        yield "trials", f"a breaker of the kind {block.kind} has no half-open", "no trials", ""


def _windows(block: Breaker) -> Iterator[_Wrong]:
    window = block.window
    if window is None:
        return
    if block.kind not in _WINDOWS:
        kind = _WINDOWS[0] if window.time is None else _WINDOWS[1]
        what = "no kind is declared" if block.kind is None else f"the kind is {block.kind}"
        yield "window", f"{what}, which looks back at no window", f"kind: {kind}", ""
    elif (window.time is None) == (block.kind == "time-window"):
        of = "a duration, such as 10s" if block.kind == "time-window" else "calls, such as 100"
        yield "window", f"the kind is {block.kind}", of, ""
    if window.calls is not None and (block.minimum or 0) > window.calls:
        yield (
            "minimum",
            f"{block.minimum} calls never stand in a window of {window.calls}",
            f"{window.calls} or less",
            "",
        )


def _times(block: Breaker) -> Iterator[_Wrong]:
    opened = block.open
    if (
        isinstance(opened, OpenTimes)
        and opened.at_most is not None
        and opened.at_most < opened.first
    ):
        yield (
            "open.at_most",
            f"{opened.at_most.text()} is less than the first time ({opened.first.text()})",
            f"{opened.first.text()} or more",
            "",
        )
    timeout = block.call_timeout
    if block.slow is not None and isinstance(timeout, Duration) and block.slow.over >= timeout:
        yield (
            "slow.over",
            f"no call gets as slow as {block.slow.over.text()}: it is given up after {timeout.text()}",
            "less than call_timeout",
            "",
        )


def _circuits(block: Breaker) -> Iterator[_Wrong]:
    if block.key is not None and block.isolation is None:
        yield "key", "there is a key, and no isolation by it", "isolation: key", ""
    elif block.key is not None and block.isolation == "none":
        yield "key", "there is a key, and isolation: none", "isolation: key, or no key", ""
    elif block.isolation == "key" and block.key is None:
        yield (
            "isolation",
            "the key by which circuits are told apart is missing",
            'key: "{account}", say',
            "",
        )
