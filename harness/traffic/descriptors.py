"""Room for open sockets: raises this process' soft limit where a burst needs it."""

import os
import resource
from pathlib import Path

from harness.model.errors import UserError

# Beside a burst: the loop, the journal, logs, pipes to children, clients of the probes.
_BESIDE = 128


def ensure_descriptors(sockets: int, *, what: str = "") -> None:
    """Makes room for ``sockets`` more; ``what`` asks for them, a burst unless it is said.

    Raises:
        UserError: the machine's hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sockets + _open_now() + _BESIDE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    subject = what or f"A burst of {sockets} requests"
    lower = "the number in flight" if what else "the burst's concurrency"
    hint = f"Raise it with: ulimit -n {needed}   or lower {lower}."
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UserError(
            f"{subject} needs {needed} open files; the limit of this shell is {hard}.", hint=hint
        )
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{subject} needs {needed} open files; raising the limit from {soft} failed: {error}.",
            hint=hint,
        ) from error


def _open_now() -> int:
    folder = Path("/dev/fd")
    try:
        return len(os.listdir(folder))  # noqa: PTH208 - names alone; a Path each would be waste
    except OSError:
        return _BESIDE
