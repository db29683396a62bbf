"""No more bookings than seats."""

from django.db import OperationalError, connection, transaction

from signup.models import Booking, Event

_ATTEMPTS = 100
_SERIALIZATION_FAILURE = "40001"


class SoldOut(Exception):
    pass


class Busy(Exception):
    """Given up; nothing was booked."""


def count_then_insert(event: int, customer: int) -> None:
    """A snapshot does not show the bookings that others are about to add: phantoms."""
    with transaction.atomic():
        _isolate("REPEATABLE READ")
        _book(event, customer)


def serializable(event: int, customer: int) -> None:
    """The database notices that two counts cannot both have been true, and refuses one."""
    for _ in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                _isolate("SERIALIZABLE")
                _book(event, customer)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _SERIALIZATION_FAILURE:
                raise
        else:
            return
    raise Busy


def _book(event: int, customer: int) -> None:
    seats = Event.objects.get(id=event).seats
    if Booking.objects.filter(event_id=event).count() >= seats:
        raise SoldOut
    Booking.objects.create(event_id=event, customer=customer)


def _isolate(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
