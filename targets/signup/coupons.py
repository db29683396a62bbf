"""A coupon is worth something once."""

from django.db import transaction

from signup.models import Coupon, Credit


class CouponUsed(Exception):
    pass


def read_then_mark(code: str, customer: int) -> None:
    """Everybody who reads before the first one saves holds an unused coupon."""
    coupon = Coupon.objects.get(code=code)
    if coupon.used:
        raise CouponUsed
    coupon.used = True
    coupon.save()
    Credit.objects.create(coupon=coupon, customer=customer)


def update_where(code: str, customer: int) -> None:
    """One statement compares and marks; its row count tells who was first."""
    with transaction.atomic():
        if not Coupon.objects.filter(code=code, used=False).update(used=True):
            raise CouponUsed
        Credit.objects.create(coupon_id=code, customer=customer)
