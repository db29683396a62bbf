"""The collector: `POST /collect {"items": 500}` fetches so many items from the warehouse, all at once.

It answers with how many it got, and why it did not get the others. How it asks is in ``throttling.py``;
VARIANT names the way. README.md tells what goes wrong.
"""

import argparse
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator

from aiohttp import web

from throttle.throttling import WAYS, Collect

COLLECT = web.AppKey("collect", Collect)
BASKET = web.AppKey("basket", list[str])
routes = web.RouteTableDef()
log = logging.getLogger("collector")


async def ask_the_warehouse(app: web.Application) -> AsyncIterator[None]:
    async with WAYS[os.environ["VARIANT"]](os.environ["WAREHOUSE_URL"]) as collect:
        app[COLLECT] = collect
        yield


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@routes.post("/collect")
async def collect(request: web.Request) -> web.Response:
    wanted = (await request.json())["items"]
    answers = await request.app[COLLECT](range(1, wanted + 1))
    collected = [answer for answer in answers if isinstance(answer, str)]
    failed = Counter(
        f"{type(answer).__name__}: {answer}" for answer in answers if not isinstance(answer, str)
    )
    request.app[BASKET].extend(collected)
    for reason, times in failed.most_common():
        log.warning("%d of %d items: %s", times, wanted, reason)
    return web.json_response({"collected": len(collected), "failed": failed})


@routes.get("/basket")
async def basket(request: web.Request) -> web.Response:
    return web.json_response({"items": len(request.app[BASKET])})


@routes.post("/reset")
async def reset(request: web.Request) -> web.Response:
    request.app[BASKET].clear()
    return web.Response(status=204)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    app = web.Application()
    app[BASKET] = []
    app.cleanup_ctx.append(ask_the_warehouse)
    app.add_routes(routes)
    web.run_app(app, host=asked.host, port=asked.port, access_log=None)


if __name__ == "__main__":
    main()
