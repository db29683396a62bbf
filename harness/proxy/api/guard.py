"""Who may not call the API: browsers, and pages that a browser was led to by a foreign host name."""

import ipaddress
from collections.abc import Mapping

from harness.proxy.api.answers import Answer, browser_refused, error


def refusal(headers: Mapping[str, str], *, loopback: bool) -> Answer | None:
    """The answer for a caller that is not served; None for one that is.

    ``loopback`` tells whether the API is bound to loopback; then no other host name reaches it
    honestly.
    """
    if headers.get("user-agent", "").startswith("Mozilla/"):
        return browser_refused()
    if "origin" in headers:
        return error(403, "calls that carry an Origin are not allowed")
    host = headers.get("host")
    if loopback and host is not None and not _is_loopback(host):
        return error(403, f"host {host} is not allowed, call 127.0.0.1 or localhost")
    return None


def _is_loopback(host: str) -> bool:
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    else:
        name = host.rpartition(":")[0] if ":" in host else host
    if name.lower().removesuffix(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
