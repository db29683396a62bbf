"""The payments service: `POST /payments` answers 200 at once. What goes wrong goes wrong on the way here.

LATENCY_MS delays each answer. FRAGILE=20 makes it answer 503 while more than 20 wait for theirs, so that
whoever sends all at once what had piled up brings it down again.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web


class Load:
    """How many wait for their answer. ``most`` is how many can; None: any number."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._waiting = 0

    @contextmanager
    def one_more(self) -> Iterator[bool]:
        """False if that is too many."""
        self._waiting += 1
        try:
            yield self._most is None or self._waiting <= self._most
        finally:
            self._waiting -= 1


LOAD = web.AppKey("load", Load)
LATENCY = web.AppKey("latency", float)
routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@routes.post("/payments")
async def pay(request: web.Request) -> web.Response:
    with request.app[LOAD].one_more() as fits:
        # Also where there is none: so that whoever was read before this one counts as well.
        await asyncio.sleep(request.app[LATENCY])  # noqa: TID251 - the latency that was asked for
        if fits:
            return web.json_response({"paid": True})
        return web.json_response({"error": "too many at once"}, status=503)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    fragile = os.environ.get("FRAGILE")
    app = web.Application()
    app[LOAD] = Load(int(fragile) if fragile else None)
    app[LATENCY] = int(os.environ.get("LATENCY_MS") or 0) / 1000
    app.add_routes(routes)
    web.run_app(app, host=asked.host, port=asked.port, access_log=None)


if __name__ == "__main__":
    main()
