"""Listen and upstream addresses as Toxiproxy writes them: ``127.0.0.1:0``, ``:http``, ``[::1]:80``.

Reading, resolving and writing them; binding is the listener's business.
"""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass

_NUMBER = re.compile(r"[+-]?[0-9]+")


class AddressProblem(ValueError):
    """The text is no address; the message says why, in the words of Toxiproxy's runtime."""


class UnknownHost(OSError):
    """The name has no address."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen. No host means every interface; port 0 means any free one."""

    host: str
    port: int

    @property
    def pinned(self) -> bool:
        return self.port != 0

    def text(self) -> str:
        return written(self.host or "::", self.port)


def split(text: str) -> tuple[str, int]:
    """Host (perhaps empty) and port of an address.

    Raises:
        AddressProblem: there is no port, or it is no number and no known service; or a NUL, which
            no host has.
    """
    if not text:
        return "", 0
    if "\0" in text:
        raise AddressProblem(f"address {text!r}: a NUL cannot be in an address")
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise AddressProblem(f"address {text}: missing port in address")
        return inside, _port(rest[1:])
    if not colon:
        raise AddressProblem(f"address {text}: missing port in address")
    if ":" in host:
        raise AddressProblem(f"address {text}: too many colons in address")
    return host, _port(port)


def _port(text: str) -> int:
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        if len(text) > 8 or not 0 <= int(text) <= 65535:
            raise AddressProblem(f"address {text}: invalid port")
        return int(text)
    try:
        return socket.getservbyname(text, "tcp")
    except (OSError, ValueError):  # the latter for a text that no name can be, half a pair say
        raise AddressProblem(f"lookup tcp/{text}: unknown port") from None


async def resolve(text: str) -> Listen:
    """The address to bind for ``text``, with an IP as host.

    Raises:
        AddressProblem: it is no address.
        UnknownHost: its host has no IP.
    """
    host, port = split(text)
    if not host:
        return Listen("", port)
    try:
        return Listen(ipaddress.ip_address(host).compressed, port)
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownHost(f"listen tcp: lookup {host}: no such host") from None
    # IPv4 first, as Toxiproxy does for a name that has both.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return Listen(str(found[0][4][0]), port)


def written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
