"""The checkout: `POST /checkout/{account}/{order}` has the order paid for, through what VARIANT names.

README.md draws the states and tells what each variant does to the service behind. An answer says what
happened there: 502 it failed, 504 it was late, 503 it was not asked.
"""

import argparse
import os
import uuid
from collections.abc import AsyncIterator

from aiohttp import web

from breaker.circuit import CircuitOpen
from breaker.payments import PaymentFailed, PaymentLate, Payments, payments_at
from breaker.variants import VARIANTS, Guard, settings_of

PAYMENTS = web.AppKey("payments", Payments)
GUARD = web.AppKey[Guard]("guard")
routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@routes.post("/checkout/{account}/{order}")
async def checkout(request: web.Request) -> web.Response:
    account, order = request.match_info["account"], request.match_info["order"]
    request_id = request.headers.get("X-Request-Id") or uuid.uuid4().hex
    payments = request.app[PAYMENTS]
    try:
        answer = await request.app[GUARD](account, lambda: payments.pay(account, order, request_id))
    except CircuitOpen:
        return web.json_response({"error": "payments are out of service"}, status=503)
    except PaymentLate as error:
        return web.json_response({"error": f"payments: {error}"}, status=504)
    except PaymentFailed as error:
        return web.json_response({"error": f"payments: {error}"}, status=502)
    return web.Response(body=answer.body, status=answer.status, content_type="application/json")


async def ask_payments(app: web.Application) -> AsyncIterator[None]:
    variant = os.environ["VARIANT"]
    settings = settings_of(variant, os.environ)
    app[GUARD] = VARIANTS[variant](settings)
    async with payments_at(os.environ["PAYMENTS_URL"], settings.within) as app[PAYMENTS]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    app = web.Application()
    app.cleanup_ctx.append(ask_payments)
    app.add_routes(routes)
    # Who waits for a payment that nobody wants any more holds a permit for nothing.
    web.run_app(app, host=asked.host, port=asked.port, access_log=None, handler_cancellation=True)


if __name__ == "__main__":
    main()
