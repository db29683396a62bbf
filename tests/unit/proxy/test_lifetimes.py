"""Lifetimes in virtual time: each ends once, when it was said to, and not when it was forgotten."""

import asyncio

from harness.model.units import Duration
from harness.proxy.lifetimes import Lifetimes
from tests.support import virtual_time


def of_ms(value):
    return Duration.of_ms(value)


def played(*steps):
    """(time in ms, name) of each end; ``steps`` are (ms, what to do with the lifetimes)."""
    ended = []

    async def main():
        began = virtual_time.now()
        lifetimes = Lifetimes(
            lambda name: ended.append(((virtual_time.now() - began).in_ms, name)),
            loop=asyncio.get_running_loop(),
            clock=virtual_time.now,
        )
        for at, act in steps:
            await asyncio.sleep(at / 1_000 - (virtual_time.now() - began).in_s)  # noqa: TID251 - virtual time
            act(lifetimes)
        await asyncio.sleep(100)  # noqa: TID251 - virtual time

    virtual_time.run(main())
    return [(round(at), name) for at, name in ended]


def test_lifetime_when_over_then_is_told_once():
    assert played(
        (0, lambda x: x.start("a", of_ms(300))), (10, lambda x: x.start("b", of_ms(5)))
    ) == [
        (15, "b"),
        (300, "a"),
    ]


def test_lifetime_when_started_again_then_counts_from_there():
    assert played(
        (0, lambda x: x.start("a", of_ms(300))), (200, lambda x: x.start("a", of_ms(200)))
    ) == [(400, "a")]


def test_lifetime_when_forgotten_then_never_ends():
    assert played((0, lambda x: x.start("a", of_ms(300))), (299, lambda x: x.forget("a"))) == []
    assert played((0, lambda x: x.start("a", of_ms(300))), (1, lambda x: x.forget_all())) == []
    assert played((0, lambda x: x.forget("none"))) == []


def test_lifetime_when_asked_for_then_says_what_is_left():
    left = []
    played(
        (0, lambda x: x.start("a", of_ms(300))),
        (100, lambda x: left.append(x.left("a").in_ms)),
        (301, lambda x: left.append(x.left("a"))),
    )
    assert left == [200, None]
