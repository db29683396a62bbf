"""Free ports on this machine. A port found free may be taken a moment later: callers try again."""

import errno
import socket

from harness.model.address import Address
from harness.model.errors import UserError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that the system gives right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(address: Address, *, what: str) -> None:
    """Passes if something could listen at ``address``.

    Raises:
        UserError: the port is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still cooling down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UserError(
                    f"{what}: {address} is taken by another program.",
                    hint=f"Stop what listens there (ss -ltnp 'sport = :{address.port}'), or pin another port.",
                ) from None
            raise UserError(
                f"{what}: nothing can listen at {address}: {error.strerror or error}.",
                hint="Pin a port of this machine, such as 127.0.0.1:15432.",
            ) from None
