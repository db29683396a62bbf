"""HTTP for resets, probes and ready checks: a bounded call, and the answer as it came.

A status is data here, never an error. Redirects are not followed, cookies not kept, and the
machine's proxy settings not read: the answer is the service's own.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

if TYPE_CHECKING:
    from aiohttp import ClientSession

MOST_BODY = 16 * 1024 * 1024
# Below the 5 s that common servers keep an idle connection: ours is gone before theirs is.
_KEEP_ALIVE = Duration.of_s(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """``headers`` have lower-case names; those sent twice are joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: Duration


class HttpClient:
    """A client for one service. ``close`` it in the loop that opened it."""

    def __init__(self, url: str, *, what: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserError(
                f"{what}: {url!r} is no address for HTTP; write http://host:port or https://host:port."
            )
        self._url = url
        self._what = what
        self._session: ClientSession | None = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        within: Duration,
    ) -> HttpAnswer:
        """One request and its whole answer; ``url`` may be a path of the service.

        Raises:
            TargetError: no whole answer within ``within``, a connection that fails, or a body
                beyond 16 MiB.
        """
        import aiohttp

        session = self._opened()
        address = urljoin(self._url, url)
        asked = time.monotonic_ns()
        try:
            async with (
                asyncio.timeout(within.in_s),
                session.request(
                    method, address, headers=headers, data=body, allow_redirects=False
                ) as response,
            ):
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > MOST_BODY:
                        raise TargetError(
                            self._what, f"{method} {address} answered with more than 16 MiB"
                        )
        except TimeoutError:
            detail = f"{method} {address} had no answer within {within}"
            raise TargetError(self._what, detail) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"{method} {address} failed: {_words(error)}"
            raise TargetError(self._what, detail) from None
        return HttpAnswer(
            status=response.status,
            headers=_joined(response.headers.items()),
            body=bytes(content),
            elapsed=Duration.of_ns(time.monotonic_ns() - asked),
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> "ClientSession":
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=16, keepalive_timeout=_KEEP_ALIVE.in_s)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                # Each call has its own limit; a session's would say less in its message.
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        known = joined.get(name.lower())
        joined[name.lower()] = value if known is None else f"{known}, {value}"
    return joined


def _words(error: Exception) -> str:
    cause = getattr(error, "os_error", None)
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return str(error) or type(error).__name__
