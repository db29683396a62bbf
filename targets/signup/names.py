"""One account for each name."""

from django.db import IntegrityError

from signup.models import Account, Member


class NameTaken(Exception):
    pass


def check_then_insert(name: str) -> None:
    """Between the two statements the name is free for everybody."""
    if Account.objects.filter(name=name).exists():
        raise NameTaken
    Account.objects.create(name=name)


def get_or_create(name: str) -> None:
    """Does the same two statements; only a unique constraint would make it safe."""
    _, created = Account.objects.get_or_create(name=name)
    if not created:
        raise NameTaken


def unique(name: str) -> None:
    """The database decides, and its refusal is an answer like any other."""
    try:
        Member.objects.create(name=name)
    except IntegrityError:
        raise NameTaken from None
