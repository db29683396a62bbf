"""Spans of time as the breaker's report says them; nanoseconds in."""

from harness.judge.breaker.known import MS, SECOND


def in_seconds(ns: int) -> str:
    """``1.50 s``."""
    return f"{ns / SECOND:.2f} s"


def in_ms(ns: int) -> str:
    """``31 ms``; a tenth more where it is under ten."""
    ms = ns / MS
    return f"{ms:.1f} ms" if 0 < ms < 9.95 and round(ms, 1) != round(ms) else f"{ms:.0f} ms"
