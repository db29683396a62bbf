"""Redis and Valkey: one command at a time on one connection, and the reply as it came.

Past the client's own conversions, which turn an OK into True and INFO into a map: what is judged is
what the server said. Errors are in its words, and never hold a password.
"""

import asyncio
import contextlib
import os
import shlex
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from harness.connections.limits import CONNECT_LIMIT
from harness.connections.secrets import hidden, spellings
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

if TYPE_CHECKING:
    from redis.asyncio import Connection

Reply = None | int | str | list["Reply"]
"""Nil, an integer, a text (a status as well as a string), or an array of these."""

_SCHEMES = ("redis", "valkey")
_HOW = "Write redis://host:port/0, or redis://:password@host:port/0."


def words_of(command: str, *, what: str) -> list[str]:
    """A command such as ``SET points 0`` in words, split as a shell would; before it is filled.

    Raises:
        UserError: it is empty, or a quote is open.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(
            f"{what}: the command cannot be split into words: {error}.", hint="Close every quote."
        ) from None
    if not words:
        raise UserError(f"{what}: the command is empty.", hint="Write one, such as GET points.")
    return words


class RedisClient:
    """A client for one database of one server. Callers may share it: they have it one after the other."""

    def __init__(self, url: str, *, what: str) -> None:
        """Raises:
        UserError: it is no URL of a Redis. The URL itself is not shown, for it may hold a password.
        """
        self._what = what
        self._options, self._shown, self._secrets = _read(url, what)
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None

    async def call(self, words: Sequence[str], *, within: Duration) -> Reply:
        """One command and its reply; text is UTF-8, and bytes that are none come in hex.

        Raises:
            TargetError: the server refused it, in its words; it cannot be reached; or no reply within
                ``within``.
        """
        asked = words[0].upper()
        try:
            async with asyncio.timeout(within.in_s), self._turn:
                return _plain(await self._asked(words))
        except TargetError:
            raise
        except TimeoutError:
            raise TargetError(self._what, f"{asked} had no reply within {within}") from None
        except Exception as error:
            raise TargetError(self._what, f"{asked}: {self._words(error)}") from None

    async def close(self) -> None:
        """Closes the connection. Safe to repeat."""
        async with self._turn:
            await self._drop()

    async def _asked(self, words: Sequence[str]) -> Any:
        from redis.exceptions import ResponseError

        connection = await self._connected()
        try:
            await connection.send_command(*words, check_health=False)
            return await connection.read_response(disable_decoding=True)
        except ResponseError:
            raise  # an answer like any other: the connection is as good as before
        except BaseException:
            # A reply that is still on its way would be taken for that of the next command.
            await self._drop()
            raise

    async def _connected(self) -> "Connection":
        if self._connection is not None:
            return self._connection
        connection = _new(self._options, self._what)
        try:
            async with asyncio.timeout(CONNECT_LIMIT.in_s):
                connecting: Awaitable[None] = connection.connect()  # type: ignore[no-untyped-call]  # redis-py gives it no types
                await connecting
        except BaseException as error:
            await _cut(connection)
            if not isinstance(error, Exception):
                raise
            why = f"no answer within {CONNECT_LIMIT}"
            why = why if isinstance(error, TimeoutError) else self._words(error)
            raise TargetError(self._what, f"could not connect to {self._shown}: {why}") from None
        self._connection = connection
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _cut(connection)

    def _words(self, error: BaseException) -> str:
        return hidden(_said(error), self._secrets)


def _read(url: str, what: str) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """What a connection needs, the URL as people may see it, and what no message may hold."""
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
    except ValueError:
        raise UserError(f"{what}: its URL cannot be read.", hint=_HOW) from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise UserError(f"{what}: its URL is none of a Redis on TCP.", hint=_HOW)
    database = parts.path.strip("/") or "0"
    if not database.isdecimal():
        raise UserError(f"{what}: {database!r} in its URL is no number of a database.", hint=_HOW)
    password = unquote(parts.password) if parts.password else ""
    options = {
        "host": parts.hostname,
        "port": port,
        "db": int(database),
        "username": unquote(parts.username) if parts.username else None,
        "password": password or None,
    }
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return options, f"redis://{host}:{port}/{database}", spellings(password)


def _new(options: dict[str, Any], what: str) -> "Connection":
    try:
        from redis.asyncio import Connection
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ModuleNotFoundError as error:
        raise UserError(
            f"{what}: the client for Redis is not installed ({error.name}).",
            hint="Install it with: pip install redis",
        ) from None
    return Connection(
        **options,
        # RESP2: maps come as lists and doubles as text, so that every server answers alike.
        protocol=2,
        # The limits are ours, and a call that failed is told, never tried again behind our back.
        socket_timeout=None,
        socket_connect_timeout=None,
        retry=Retry(NoBackoff(), 0),
    )


async def _cut(connection: "Connection") -> None:
    """A connection that is given up may fail in any way while it is; there is nobody to tell."""
    with contextlib.suppress(Exception):
        await connection.disconnect(nowait=True)


def _plain(reply: Any) -> Reply:
    match reply:
        case bytes():
            return _text(reply)
        case list() | tuple():
            return [_plain(item) for item in reply]
        case Exception():
            # Within the reply to EXEC: one of its commands failed.
            raise reply
        case None | int() | str():
            return reply
        case _:
            return str(reply)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.hex()


def _said(error: BaseException) -> str:
    """What the server said, or why it could not be asked."""
    cause = error.__cause__ or error.__context__
    for found in (error, cause):
        if isinstance(found, OSError) and found.errno:
            return os.strerror(found.errno)
    return str(error).strip() or type(error).__name__
