"""The one place where the runner reads the machine's monotonic clock."""

import time

from harness.model.units import Instant


def now() -> Instant:
    return Instant.of_ns(time.monotonic_ns())
