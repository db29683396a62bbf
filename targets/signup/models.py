"""Tables as ``reset.sql`` makes them; what is unique there is what some variants rely on."""

from django.db import models


class Account(models.Model):
    """The name has no constraint: somebody meant to add it later."""

    name = models.TextField()

    class Meta:
        managed = False
        db_table = "accounts"


class Member(models.Model):
    """The same with the constraint."""

    name = models.TextField(unique=True)

    class Meta:
        managed = False
        db_table = "members"


class Coupon(models.Model):
    code = models.TextField(primary_key=True)
    used = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "coupons"


class Credit(models.Model):
    """What a redeemed coupon is worth to its customer."""

    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE)
    customer = models.IntegerField()

    class Meta:
        managed = False
        db_table = "credits"


class Event(models.Model):
    seats = models.IntegerField()

    class Meta:
        managed = False
        db_table = "events"


class Booking(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    customer = models.IntegerField()

    class Meta:
        managed = False
        db_table = "bookings"
