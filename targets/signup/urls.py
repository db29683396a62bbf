"""The endpoints, and which form of each the variant means."""

import json
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from signup import coupons, names, seats

NAMES: dict[str, Callable[[str], None]] = {
    "check-then-insert": names.check_then_insert,
    "get-or-create": names.get_or_create,
    "unique-name": names.unique,
}
COUPONS: dict[str, Callable[[str, int], None]] = {
    "read-then-mark": coupons.read_then_mark,
    "update-where": coupons.update_where,
}
SEATS: dict[str, Callable[[int, int], None]] = {
    "count-then-insert": seats.count_then_insert,
    "serializable": seats.serializable,
}

# A variant is about one endpoint; the others are as they should be.
take_name = NAMES.get(settings.VARIANT, names.unique)
redeem_coupon = COUPONS.get(settings.VARIANT, coupons.update_where)
book_seat = SEATS.get(settings.VARIANT, seats.serializable)


def healthz(_request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_POST
def sign_up(request: HttpRequest) -> JsonResponse:
    name = json.loads(request.body)["name"]
    try:
        take_name(name)
    except names.NameTaken:
        return JsonResponse({"error": "this name is taken"}, status=409)
    return JsonResponse({"name": name}, status=201)


@csrf_exempt
@require_POST
def redeem(request: HttpRequest, code: str) -> JsonResponse:
    try:
        redeem_coupon(code, json.loads(request.body)["customer"])
    except coupons.CouponUsed:
        return JsonResponse({"error": "this coupon was used"}, status=409)
    return JsonResponse({"coupon": code})


@csrf_exempt
@require_POST
def book(request: HttpRequest, event: int) -> JsonResponse:
    try:
        book_seat(event, json.loads(request.body)["customer"])
    except seats.SoldOut:
        return JsonResponse({"error": "sold out"}, status=409)
    except seats.Busy:
        return JsonResponse({"error": "busy, nothing was booked"}, status=503)
    return JsonResponse({"event": event}, status=201)


urlpatterns = [
    path("healthz", healthz),
    path("accounts", sign_up),
    path("coupons/<str:code>/redeem", redeem),
    path("events/<int:event>/book", book),
]
