"""The warehouse: `GET /items/{item}` answers with an item. `GET /stats` tells the most lines it ever had.

A line is a connection on which somebody asked for an item, until it is closed: what a service pays for a
caller, idle or not. How many it can have is not written here; it is the limit of open files.
"""

import argparse
import asyncio

from aiohttp import web


class Lines:
    def __init__(self) -> None:
        self.peak = 0
        self._open: set[asyncio.BaseTransport] = set()

    def add(self, line: asyncio.BaseTransport) -> None:
        self._open = {known for known in (*self._open, line) if not known.is_closing()}
        self.peak = max(self.peak, len(self._open))


LINES = web.AppKey("lines", Lines)
routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@routes.get("/items/{item}")
async def item(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.app[LINES].add(request.transport)
    return web.json_response({"item": request.match_info["item"]})


@routes.get("/stats")
async def stats(request: web.Request) -> web.Response:
    return web.json_response({"peak": request.app[LINES].peak})


@routes.post("/reset")
async def reset(request: web.Request) -> web.Response:
    request.app[LINES].peak = 0
    return web.Response(status=204)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    app = web.Application()
    app[LINES] = Lines()
    app.add_routes(routes)
    web.run_app(app, host=asked.host, port=asked.port, access_log=None)


if __name__ == "__main__":
    main()
