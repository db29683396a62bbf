"""Who may not call the API: browsers, and pages that a browser was led to by a foreign host name."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from harness.proxy.api.answers import Answer, browser_refused, error


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """``loopback`` tells whether the API is bound to loopback; then no other host name reaches it
    honestly, but for those that are ``allowed``.
    """

    loopback: bool
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, loopback: bool, allowed: tuple[str, ...]) -> "Guard":
        """``allowed`` as a person wrote them, with a port or without."""
        return cls(loopback=loopback, allowed=frozenset(_name(host) for host in allowed))

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """The answer for a caller that is not served; None for one that is."""
        if headers.get("user-agent", "").startswith("Mozilla/"):
            return browser_refused()
        if "origin" in headers:
            return error(403, "calls that carry an Origin are not allowed")
        host = headers.get("host")
        if self.loopback and host is not None and not self._admits(_name(host)):
            return error(
                403,
                f"host {host} is not allowed, call 127.0.0.1 or localhost,"
                " or start the proxy with --allow-host",
            )
        return None

    def _admits(self, name: str) -> bool:
        if name == "localhost" or name in self.allowed:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _name(host: str) -> str:
    """Without port and brackets, in lower case."""
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        name = host.partition(":")[0]
    else:
        name = host
    return name.lower().removesuffix(".")
