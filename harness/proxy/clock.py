"""The proxy's clock: the machine's monotonic one, which the runner reads too."""

from time import monotonic_ns

from harness.model.units import Instant


def now() -> Instant:
    return Instant(monotonic_ns())
