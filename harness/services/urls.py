"""URLs of services: where they lead, and the same URL leading to a hop instead. Pure."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from harness.model.address import Address
from harness.model.errors import UserError

_PORTS = {
    "http": 80,
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "valkey": 6379,
}


def address_of(url: str, *, what: str) -> Address | None:
    """Where ``url`` leads; None for one that leads to a file, such as ``sqlite:///path``.

    Raises:
        UserError: it is no URL, or names no port and its scheme has no usual one.
    """
    parts = _split(url, what=what)
    if parts.hostname is None:
        if parts.scheme.startswith("sqlite"):
            return None
        raise UserError(
            f"{what}: its URL names no host.", hint="Write it as http://127.0.0.1:8000."
        )
    port = parts.port or _PORTS.get(scheme_of(url))
    if port is None:
        raise UserError(
            f"{what}: its URL names no port, and {parts.scheme}: has no usual one.",
            hint="Write it as http://127.0.0.1:8000.",
        )
    return Address(parts.hostname, port)


def anchored(url: str, folder: Path) -> str:
    """A ``sqlite:///data.db`` below ``folder``, where the target's own processes look for it too."""
    scheme, found, path = url.partition(":///")
    if not found or path.startswith(("/", ":memory:")) or not path:
        return url
    return f"{scheme}:///{folder / path}"


def with_address(url: str, address: Address) -> str:
    """``url`` leading to ``address``; user, password, path and query are kept as they are."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{credentials}{at}{address.text()}").geturl()


def password_in(url: str) -> str | None:
    """The password as it is spelled in ``url``."""
    credentials, at, _ = urlsplit(url).netloc.rpartition("@")
    _, colon, password = credentials.partition(":")
    return password if at and colon and password else None


def scheme_of(url: str) -> str:
    """Without the driver that may stand behind it, as in ``postgresql+asyncpg``."""
    return url.partition("://")[0].partition("+")[0].lower()


def _split(url: str, *, what: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UserError(
            f"{what}: its URL cannot be read: {error}.", hint="Write it as http://127.0.0.1:8000."
        ) from None
    if not parts.scheme:
        raise UserError(
            f"{what}: its URL has no scheme.", hint="Write it as http://127.0.0.1:8000."
        )
    return parts
