"""A host and a port, and which hosts count as this machine."""

import ipaddress
from dataclasses import dataclass

from harness.model.errors import UserError


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens. ``host`` is a name or an IP without brackets."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads ``127.0.0.1:5432`` and ``[::1]:5432``.

        Raises:
            UserError: there is no port, or it is no number from 0 to 65535.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or int(port) > 65535 or not host:
            raise UserError(f"{text!r} is no address; write host:port, such as 127.0.0.1:15432.")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def text(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    __str__ = text

    @property
    def is_loopback(self) -> bool:
        """True for 127.0.0.0/8, ``::1`` and the name ``localhost``; no other name is trusted."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
