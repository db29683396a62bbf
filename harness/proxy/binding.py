"""Getting the socket that a proxy needs, before anything else is changed."""

import errno
import socket

from harness.proxy.addresses import AddressProblem, Listen, UnknownHost, resolve
from harness.proxy.listener import ListenFailed, bind
from harness.proxy.proxy import Proxy
from harness.proxy.states import Refused

Bound = tuple[socket.socket, Listen]


async def resolved(listen: str) -> Listen:
    """The address to bind.

    Raises:
        Refused: 400 for what is no address, 500 for a host without one.
    """
    try:
        return await resolve(listen)
    except AddressProblem as problem:
        raise Refused(400, f"listen: {problem}") from None
    except UnknownHost as unknown:
        raise Refused(500, str(unknown)) from None


def bound(address: Listen) -> Bound:
    """A listening socket and the address it really has.

    Raises:
        Refused: 500, it cannot be had.
    """
    try:
        return bind(address)
    except ListenFailed as failed:
        raise Refused(500, str(failed)) from None


def bound_beside(proxy: Proxy, address: Listen) -> Bound:
    """Binds the new address before the old one is given up; one port may need it first.

    Raises:
        Refused: 500, and the proxy listens as before.
    """
    try:
        return bind(address)
    except ListenFailed as failed:
        if not (
            failed.errno == errno.EADDRINUSE
            and proxy.enabled
            and proxy.address.port == address.port
        ):
            raise Refused(500, str(failed)) from None
        return _swapped(proxy, address)


def _swapped(proxy: Proxy, address: Listen) -> Bound:
    proxy.refuse()
    try:
        return bind(address)
    except ListenFailed as failed:
        proxy.serve(bound(proxy.address))
        raise Refused(500, str(failed)) from None


def refuse_circle(address: Listen, upstream: str) -> None:
    """Raises ``Refused`` (400) when the proxy would dial itself."""
    if address.text() == upstream:
        raise Refused(400, f"upstream: {upstream} is the proxy's own listen address")
