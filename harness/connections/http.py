"""HTTP for resets, probes and ready checks: a bounded call, and the answer as it came.

A status is data here, never an error. Redirects are not followed, cookies not kept, and the
machine's proxy settings not read: the answer is the service's own.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.connections.answer import Headers, Seen
from harness.connections.limits import MOST_BODY, TOO_MUCH
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

if TYPE_CHECKING:
    from aiohttp import ClientSession

# Below the 5 s that common servers keep an idle connection: ours is gone before theirs is.
_KEEP_ALIVE = Duration.of_s(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    status: int
    headers: Headers
    body: bytes
    elapsed: Duration

    def values(self) -> Seen:
        """What the expression of a probe sees."""
        return Seen(status=self.status, headers=self.headers, body=self.body, elapsed=self.elapsed)


class HttpClient:
    """A client for one service. ``close`` it in the loop that opened it."""

    def __init__(self, url: str, *, what: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserError(
                f"{what}: {url!r} is no address for HTTP; write http://host:port or https://host:port."
            )
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._what = what
        self._session: ClientSession | None = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        within: Duration,
    ) -> HttpAnswer:
        """One request and its whole answer; ``path`` goes out as it stands, so it is encoded already.

        Raises:
            TargetError: no whole answer within ``within``, a connection that fails, or a body
                beyond 16 MiB.
        """
        import aiohttp
        from yarl import URL

        session = self._opened()
        address = self._origin + path
        asked = time.monotonic_ns()
        try:
            async with (
                asyncio.timeout(within.in_s),
                session.request(
                    method,
                    URL(address, encoded=True),
                    headers=headers,
                    data=body,
                    allow_redirects=False,
                ) as response,
            ):
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > MOST_BODY:
                        raise TargetError(
                            self._what, f"{method} {address} answered with {TOO_MUCH}"
                        )
        except TimeoutError:
            detail = f"{method} {address} had no answer within {within}"
            raise TargetError(self._what, detail) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"{method} {address} failed: {_words(error)}"
            raise TargetError(self._what, detail) from None
        came = Headers()
        for name, value in response.headers.items():
            came.append(name, value)
        return HttpAnswer(
            status=response.status,
            headers=came,
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


def _words(error: Exception) -> str:
    cause = getattr(error, "os_error", None)
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return str(error) or type(error).__name__
