"""The clock: the one that the runner reads too."""

import time

from harness.model.units import Instant
from harness.proxy.clock import now


def test_now_when_read_then_is_on_the_machines_monotonic_clock():
    before = Instant.of_ns(time.monotonic_ns())
    assert before <= now() <= Instant.of_ns(time.monotonic_ns())
