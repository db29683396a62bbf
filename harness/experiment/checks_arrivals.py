"""Rules of arrivals: what they send, for how long, and how many.

Placeholders and their values are ``checks_traffic.py``.
"""

from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import Arrivals
from harness.experiment.nodes import Path
from harness.model.units import Duration

LEAST_REQUESTS = 2
"""One request alone meets no other."""
MAX_REQUESTS = 1_000_000


def check_arrivals(
    experiment: ExperimentDraft,
    target: TargetDraft,
    at: Path,
    arrivals: Arrivals,
    limit: Duration,
) -> None:
    """Reports what cannot be sent so; ``limit`` is the run's limit of time."""
    operation = target.operations.get(arrivals.operation)
    if operation is not None and operation.command is not None:
        experiment.wrong(
            (*at, "operation"),
            f"{arrivals.operation} is a command, and arrivals are requests",
            "an operation with http:",
            "A command can be started by a burst.",
        )
    if arrivals.lasts > limit:
        experiment.wrong(
            (*at, "for"),
            f"the arrivals last {arrivals.lasts.text()}, longer than the whole run may take ({limit.text()})",
            "a shorter time, or a longer time:",
        )
    planned = round(arrivals.rate * arrivals.lasts.in_s)
    if planned < LEAST_REQUESTS:
        experiment.wrong(
            (*at, "for"),
            f"only {planned} request is due in {arrivals.lasts.text()}, which meets no other",
            "a higher rate, or a longer time",
        )
    elif planned > MAX_REQUESTS:
        experiment.wrong(
            (*at, "for"),
            f"{planned} requests are due in {arrivals.lasts.text()}",
            f"{MAX_REQUESTS} or less",
        )
