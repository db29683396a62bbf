"""A till that asks a bank for each sale: through a breaker, without one, or so that nobody can judge it.

sound    opens behind THRESHOLD failures in a row, for OPEN_MS; then one call at a time tries again
none     asks each time
no-ids   sound, and does not say whose sale it asks for
cached   sound, and asks for each second sale only
chatty   sound, and asks for itself as well, 50 times a second
fallback sound, and says 200 to whoever it does not ask for
mortal   sound, and dies behind 150 sales
lines    sound, and asks in lines of text
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

BANK = os.environ["BANK"]
VARIANT = os.environ["VARIANT"]
THRESHOLD = int(os.environ.get("THRESHOLD", "5"))
OPEN_FOR = int(os.environ.get("OPEN_MS", "1000")) / 1000
WITHIN = int(os.environ.get("CALL_TIMEOUT_MS", "400")) / 1000
ASKING = web.AppKey("asking", aiohttp.ClientSession)


class Open(Exception):
    """The bank is not asked."""


class Breaker:
    def __init__(self) -> None:
        self.failures = 0
        self.opened: float | None = None
        self.trial: object | None = None
        self.epoch = 0

    def admit(self) -> tuple[int, bool]:
        if self.opened is None:
            return self.epoch, False
        if self.trial is not None or time.monotonic() < self.opened + OPEN_FOR:
            raise Open
        self.trial = object()
        return self.epoch, True

    def settle(self, admitted: tuple[int, bool], good: bool | None) -> None:
        epoch, trial = admitted
        if epoch != self.epoch:
            return
        if trial:
            self.trial = None
        if good:
            self.failures = 0
            if trial:
                self.opened = None
                self.epoch += 1
        elif good is False:
            self.failures += 1
            if trial or self.failures >= THRESHOLD:
                self.opened, self.failures = time.monotonic(), 0
                self.epoch += 1


class Till:
    def __init__(self) -> None:
        self.breaker = Breaker()
        self.sales = 0

    async def sell(self, request: web.Request) -> web.Response:
        self.sales += 1
        if VARIANT == "mortal" and self.sales > 150:
            os._exit(3)
        if VARIANT == "cached" and self.sales % 2:
            return web.json_response({"paid": True})
        headers = {}
        if VARIANT != "no-ids":
            headers["X-Request-Id"] = request.headers.get("X-Request-Id", "")
        asked = ask(request.app[ASKING], headers)
        if VARIANT == "none":
            return web.Response(status=200 if await asked == 200 else 502)
        try:
            admitted = self.breaker.admit()
        except Open:
            asked.close()
            return web.Response(status=200 if VARIANT == "fallback" else 503)
        good: bool | None = None
        try:
            good = await asked == 200
        finally:
            self.breaker.settle(admitted, good)
        return web.Response(status=200 if good else 502)


async def ask(asking: aiohttp.ClientSession, headers: dict[str, str]) -> int:
    if VARIANT == "lines":
        return await ask_in_lines()
    limit = aiohttp.ClientTimeout(total=None if VARIANT == "none" else WITHIN)
    try:
        async with asking.get(f"{BANK}/pay", headers=headers, timeout=limit) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 599


async def ask_in_lines() -> int:
    host, _, port = BANK.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"pay\n")
    said = await reader.readline()
    writer.close()
    return 200 if said == b"yes\n" else 599


async def healthy(_: web.Request) -> web.Response:
    return web.Response()


async def beside(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        app[ASKING] = session
        async with asyncio.TaskGroup() as group:
            chat = group.create_task(chatter(session))
            yield
            chat.cancel()


async def chatter(session: aiohttp.ClientSession) -> None:
    while VARIANT == "chatty":
        await ask(session, {})
        await asyncio.sleep(0.02)  # noqa: TID251 - the rhythm of the chat


if __name__ == "__main__":
    app = web.Application()
    app.cleanup_ctx.append(beside)
    app.router.add_get("/healthz", healthy)
    app.router.add_post("/sell", Till().sell)
    web.run_app(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, handler_cancellation=True
    )
