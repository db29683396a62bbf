"""The client of the payments service. Each call is one request: nothing in here sends it again.

A POST, because aiohttp repeats a GET by itself when its connection was closed under it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector


class PaymentFailed(Exception):
    """Not known to be paid: it answered 5xx, or the connection broke."""


class PaymentLate(PaymentFailed):
    """No answer within the time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """200, or the 4xx of a service that is well."""

    status: int
    body: bytes


class Payments:
    """``within`` is how long a call may take, in seconds; None: for ever."""

    def __init__(self, session: ClientSession, within: float | None) -> None:
        self._session = session
        self._within = within

    async def pay(self, account: str, order: str, request_id: str) -> Answer:
        """Asks for one payment.

        Raises:
            PaymentFailed: also ``PaymentLate``.
        """
        body = {"account": account, "order": order}
        headers = {"X-Request-Id": request_id}
        try:
            async with (
                asyncio.timeout(self._within),
                self._session.post("/payments", json=body, headers=headers) as answer,
            ):
                got = Answer(answer.status, await answer.read())
        except TimeoutError:
            raise PaymentLate("no answer in time") from None
        except ClientError as error:
            raise PaymentFailed(f"no answer: {error}") from None
        if got.status >= 500:
            raise PaymentFailed(f"answered {got.status}")
        return got


@asynccontextmanager
async def payments_at(url: str, within: float | None) -> AsyncIterator[Payments]:
    """Keeps connections for the next call, any number: a limit would be a queue behind the breaker."""
    pool = TCPConnector(limit=0)
    async with ClientSession(url, connector=pool, timeout=ClientTimeout(total=None)) as session:
        yield Payments(session, within)
