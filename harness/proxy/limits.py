"""How many connections all proxies of a server may have at a time, and what the machine allows.

A proxied connection costs two descriptors. The API and the listeners keep some for themselves, so
that a server full of connections can still be asked and told to let go.
"""

import contextlib
import resource

from harness.model.errors import UserError

DEFAULT_CONNECTIONS = 10_000
_EACH = 2
_KEPT_FREE = 128


class ConnectionLimit:
    """Counts; who is over it is the proxy's to send away."""

    __slots__ = ("most", "open")

    def __init__(self, most: int = DEFAULT_CONNECTIONS) -> None:
        self.most = most
        self.open = 0

    @property
    def full(self) -> bool:
        return self.open >= self.most

    def enter(self) -> None:
        """One more; whoever calls has looked whether it is full."""
        self.open += 1

    def leave(self) -> None:
        self.open -= 1


def allowed_connections(asked: int | None) -> int:
    """How many the server takes. Raises the soft limit of descriptors as far as that needs.

    Raises:
        UserError: ``asked`` needs more descriptors than this process can have.
    """
    wanted = DEFAULT_CONNECTIONS if asked is None else asked
    files = _raised_to(wanted * _EACH + _KEPT_FREE)
    possible = max(1, (files - min(_KEPT_FREE, files // 4)) // _EACH)
    if asked is not None and asked > possible:
        raise UserError(
            f"--max-connections {asked}: needs {asked * _EACH + _KEPT_FREE} open files, "
            f"and this process may have {files}.",
            hint=f"Ask for {possible} or fewer, or raise the limit (ulimit -n).",
        )
    return min(wanted, possible)


def _raised_to(needed: int) -> int:
    """How many descriptors there are, after the soft limit was raised to ``needed`` if it can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if most > soft:
        with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return min(needed, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
