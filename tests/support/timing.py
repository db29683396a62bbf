"""Bounds on real time: lower ones are strict, upper ones leave a slow machine its time."""

import threading
import time

SLACK = 500.0
AT_ONCE = 100 + SLACK


def clock() -> float:
    """Milliseconds that only grow."""
    return time.monotonic_ns() / 1e6


def within(took: float, least: float, slack: float = SLACK) -> bool:
    """``took`` milliseconds: not less than ``least``, and at most ``slack`` more."""
    assert least <= took <= least + slack, f"{took:.1f} ms, expected {least} to {least + slack}"
    return True


def at_once(took: float) -> bool:
    """True if ``took`` milliseconds are what the contract calls less than 100, and a slow machine."""
    assert took <= AT_ONCE, f"{took:.1f} ms, expected at most {AT_ONCE}"
    return True


def pause(seconds: float) -> None:
    """Where the time itself is what is asked: until what is not held back has surely arrived."""
    threading.Event().wait(seconds)
