"""URLs and addresses of the target: which protocol, which host, no password, no host without leave.

A host that is filled in later (``{env:…}``) cannot be judged here; whoever fills it in asks again.
"""

import re
from collections.abc import Collection
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from harness.experiment.draft import Draft
from harness.experiment.nodes import Path
from harness.model.address import Address
from harness.model.errors import UserError

SQL_SCHEMES = ("postgresql", "mysql", "sqlite")
Speaks = Literal["http", "sql", "redis", "nothing", "unknown"]

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# Stands for what is filled in later; no URL holds it by itself.
_LATER = "\N{SYMBOL FOR SUBSTITUTE}"
_PASSWORD = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:?#]*:(?P<password>[^\s/@?#]+)@")


def speaks(url: str) -> Speaks:
    """The protocol that a URL's scheme promises."""
    scheme = url.partition("://")[0].partition("+")[0].lower()
    if scheme in ("http", "redis"):
        return "http" if scheme == "http" else "redis"
    if scheme == "tcp":
        # Something that a hop can lead to, and that is asked nothing directly.
        return "nothing"
    return "sql" if scheme in SQL_SCHEMES else "unknown"


def check_url(draft: Draft, path: Path, url: str, allowed: Collection[str]) -> None:
    """A service's ``url``: a known protocol, no password, a host that may be reached."""
    if url.startswith("{"):
        return
    scheme, there, _ = url.partition("://")
    expected = (
        "http://host:port, postgresql://…, mysql://…, sqlite:///file, redis://host:port "
        "or tcp://host:port"
    )
    if not there:
        draft.wrong(path, f"{url!r} is no URL", expected)
        return
    if scheme == "https":
        draft.wrong(
            path,
            "https is not supported yet",
            expected,
            "Point the URL at the service's HTTP port.",
        )
        return
    if speaks(url) == "unknown":
        draft.wrong(path, f"unknown protocol {scheme!r}", expected)
        return
    check_password(draft, path, url)
    if scheme.partition("+")[0] == "sqlite":
        return
    host = _host(draft, path, url)
    if host is not None:
        check_host(draft, path, host, allowed)
    if scheme == "http" and host is not None:
        _check_no_path(draft, path, url)


def _check_no_path(draft: Draft, path: Path, url: str) -> None:
    rest = url.partition("://")[2]
    below = rest[len(rest.partition("/")[0]) :]
    if below not in ("", "/"):
        draft.wrong(
            path,
            f"the URL has a path, {below!r}, which no request would get",
            "http://host:port",
            "Write the path in front of those of the operations, probes and resets.",
        )


def _host(draft: Draft, path: Path, url: str) -> str | None:
    later = _PLACEHOLDER.sub(_LATER, url)
    try:
        parts = urlsplit(later)
        host = parts.hostname
        if _LATER not in parts.netloc.rpartition("@")[2]:
            _ = parts.port
    except ValueError as problem:
        draft.wrong(path, f"the URL cannot be read: {problem}", "such as http://127.0.0.1:8000")
        return None
    if not host:
        draft.wrong(path, f"{url!r} names no host", "such as http://127.0.0.1:8000")
        return None
    return None if _LATER.lower() in host.lower() else host


def check_host(draft: Draft, path: Path, host: str, allowed: Collection[str]) -> None:
    """Only this machine, unless a host was allowed by name."""
    if Address(host, 0).is_loopback or host.lower() in {name.lower() for name in allowed}:
        return
    draft.wrong(
        path,
        f"the host {host!r} is not this machine",
        "127.0.0.1, ::1 or localhost",
        f"If you may test it, add it to allow_hosts: in the target file, or pass --allow-host {host}.",
    )


def check_password(draft: Draft, path: Path, text: str) -> None:
    """No password in plain text: it would stand in the file, and in whatever shows the file."""
    # A placeholder has a colon of its own, and a path may have slashes: it goes first.
    later = _PLACEHOLDER.sub(_LATER, text)
    literal = any(_LATER not in found["password"] for found in _PASSWORD.finditer(later))
    if not literal and "://" in text:
        try:
            query = parse_qsl(urlsplit(later).query)
        except ValueError:
            query = []
        literal = any(
            name.lower() in ("password", "passwd") and _LATER not in value for name, value in query
        )
    if literal:
        draft.wrong(
            path,
            "the URL holds a password in plain text",
            "the password from the environment or a file",
            "Write {env:NAME} or {file:PATH} in its place.",
        )


def check_listen(draft: Draft, path: Path, listen: str, allowed: Collection[str]) -> Address | None:
    """A pinned address of a hop."""
    try:
        address = Address.parse(listen)
    except UserError:
        draft.wrong(path, f"{listen!r} is no address", "host:port, such as 127.0.0.1:15432")
        return None
    if address.port == 0:
        draft.wrong(path, "port 0 pins nothing", "a port from 1 to 65535, or no listen:")
        return None
    check_host(draft, path, address.host, allowed)
    return address
