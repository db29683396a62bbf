"""The bank behind the till: says yes at once to whoever pays."""

import sys

from aiohttp import web


async def yes(_: web.Request) -> web.Response:
    return web.json_response({"paid": True})


if __name__ == "__main__":
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", yes)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None)
