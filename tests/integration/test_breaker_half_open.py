"""targets/breaker, from open to closed: each variant as a process in front of a downstream that obeys."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.checkout import (
    AT_ONCE,
    SOON,
    Shop,
    breaker_scene,
    burst_in_half_open,
    leave,
    passed,
    play,
    trial_left_by_its_caller,
    variants,
)
from tests.support.stacks import Scene
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with breaker_scene(tmp_path) as made:
        yield made


@variants("conforming", "permit-lost", "late-success-closes", "one-circuit", "opossum")
def test_variant_when_twenty_come_in_half_open_then_one_is_the_trial_and_closes_it(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            gate = await burst_in_half_open(shop, group)
            await until(lambda: len(shop.answers) == AT_ONCE - 1, within=SOON, what="the others")
            assert set(shop.answers.values()) == {503}
            assert len(shop.downstream.arrivals) == 1
            gate.set()
        assert await shop.calls(10) == [200] * 10
        assert len(shop.downstream.arrivals) == 11

    play(scene, variant, script, OPEN_MS="200")


@variants("naive-counter", "circuitbreaker")
def test_variant_when_twenty_come_in_half_open_then_all_are_let_through(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            gate = await burst_in_half_open(shop, group)
            await until(lambda: shop.downstream.peak == AT_ONCE, within=SOON, what="twenty")
            assert shop.answers == {}
            gate.set()

    play(scene, variant, script, OPEN_MS="200")


@variants("pybreaker", "cockatiel")
def test_variant_when_twenty_come_in_half_open_then_nineteen_wait_for_the_trial(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            gate = await burst_in_half_open(shop, group)
            for _ in range(5):
                await shop.alive()
            assert shop.answers == {}
            assert len(shop.downstream.arrivals) == 1
            shop.downstream.hold()
            gate.set()
            then = 1 if variant == "pybreaker" else AT_ONCE - 1
            await until(
                lambda: len(shop.downstream.arrivals) == 1 + then, within=SOON, what="the others"
            )
            await until(
                lambda: len(shop.downstream.waiting) == then, within=SOON, what="the trial's end"
            )
            for _ in range(5):
                await shop.alive()
            assert len(shop.downstream.arrivals) == 1 + then
            shop.downstream.gate.set()
        assert set(shop.answers.values()) == {200}
        assert len(shop.downstream.arrivals) == AT_ONCE

    play(scene, variant, script, OPEN_MS="200")


@variants("conforming", "pybreaker", "circuitbreaker", "opossum", "cockatiel")
def test_variant_when_the_trial_fails_then_it_is_open_again(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        await shop.failing(5)
        await passed(time.monotonic(), 2.1)
        arrivals = len(shop.downstream.arrivals)
        assert await shop.failing(2) == [502, 503]
        assert len(shop.downstream.arrivals) == arrivals + 1

    play(scene, variant, script, OPEN_MS="2000")


@variants("conforming", "timer-restarted", "circuitbreaker", "opossum", "cockatiel")
def test_variant_when_the_trial_s_caller_leaves_then_calls_are_let_through_again(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        await trial_left_by_its_caller(shop)
        await until(lambda: _is_good(shop), within=SOON, what="a call is let through")

    async def _is_good(shop: Shop) -> bool:
        await passed(time.monotonic(), 0.3)
        return await shop.call() == 200

    play(scene, variant, script, OPEN_MS="200")


@variants("permit-lost")
def test_permit_lost_when_the_trial_s_caller_leaves_then_nothing_is_let_through_any_more(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        await trial_left_by_its_caller(shop)
        for _ in range(4):
            await passed(time.monotonic(), 0.3)
            assert await shop.calls(3) == [503] * 3

    play(scene, variant, script, OPEN_MS="200")


@pytest.mark.parametrize(
    ("variant", "more"),
    [
        ("conforming", 1),
        ("permit-lost", 1),
        ("circuitbreaker", 5),
        pytest.param("cockatiel", 1, marks=pytest.mark.engine("node")),
    ],
)
def test_variant_when_a_caller_leaves_among_failures_then_so_many_more_open_it(
    scene: Scene, variant: str, more: int
):
    async def script(shop: Shop) -> None:
        await shop.failing(4)
        await leave(shop)
        assert await shop.failing(more) == [502] * more
        assert await shop.call() == 503

    play(scene, variant, script)


@variants("opossum")
def test_opossum_when_a_caller_leaves_then_that_counts_as_a_failure(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        assert await shop.calls(2) == [200] * 2
        assert await shop.failing(2) == [502] * 2
        await leave(shop)
        assert await shop.call() == 503

    play(scene, variant, script)


@pytest.mark.serial
@pytest.mark.parametrize("variant", ["conforming", "timer-restarted"])
def test_variant_when_calls_keep_coming_then_only_a_timer_that_they_restart_never_ends(
    scene: Scene, variant: str
):
    """Serial: a second without a call would let the restarted timer end as well."""

    async def script(shop: Shop) -> None:
        await shop.failing(5)
        began, said = time.monotonic(), {await shop.call()}
        while time.monotonic() - began < 2.5:
            said.add(await shop.call())
        assert said == ({503} if variant == "timer-restarted" else {200, 503})
        await passed(time.monotonic(), 1.1)
        assert await shop.call() == 200

    play(scene, variant, script, OPEN_MS="1000")


@pytest.mark.parametrize(
    ("variant", "then"),
    [
        ("conforming", 503),
        ("late-success-closes", 200),
        ("circuitbreaker", 200),
        ("naive-counter", 200),
        pytest.param("opossum", 503, marks=pytest.mark.engine("node")),
        pytest.param("cockatiel", 503, marks=pytest.mark.engine("node")),
    ],
)
def test_variant_when_a_call_of_before_succeeds_while_open_then_the_next_gets_so(
    scene: Scene, variant: str, then: int
):
    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            gate = shop.downstream.hold()
            straggler = group.create_task(shop.call())
            await until(lambda: shop.downstream.waiting, within=SOON, what="it arrived")
            shop.downstream.heal()
            await shop.failing(5)
            assert await shop.call() == 503
            gate.set()
            assert await straggler == 200
        assert await shop.call() == then

    play(scene, variant, script)


async def straggling(shop: Shop, group: asyncio.TaskGroup, status: int) -> Callable[[], None]:
    """A call that arrives and waits, then a trip; lets it be answered with ``status`` when called."""
    shop.downstream.status = status
    gate = shop.downstream.hold()
    group.create_task(shop.call())
    await until(lambda: shop.downstream.waiting, within=SOON, what="it arrived")
    shop.downstream.heal()
    await shop.failing(5)
    return gate.set


@pytest.mark.parametrize(
    ("variant", "then"),
    [
        ("conforming", 503),
        ("circuitbreaker", 200),
        pytest.param("opossum", 200, marks=pytest.mark.engine("node")),
    ],
)
def test_variant_when_a_call_of_before_succeeds_while_a_trial_hangs_then_the_next_get_so(
    scene: Scene, variant: str, then: int
):
    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            release = await straggling(shop, group, 200)
            await passed(time.monotonic(), 0.3)
            trial_ends = shop.downstream.hold()
            group.create_task(shop.call())
            await until(lambda: len(shop.downstream.waiting) == 2, within=SOON, what="the trial")
            shop.downstream.heal()
            release()
            await until(lambda: shop.answers.get("order-1"), within=SOON, what="its answer")
            assert await shop.calls(5) == [then] * 5
            trial_ends.set()
        assert await shop.call() == 200

    play(scene, variant, script, OPEN_MS="200")


@pytest.mark.serial
@pytest.mark.parametrize(("variant", "then"), [("conforming", 200), ("circuitbreaker", 503)])
def test_variant_when_a_call_of_before_fails_late_while_open_then_a_trial_is_due_as_before_or_not(
    scene: Scene, variant: str, then: int
):
    """Serial: the last call must come before the longer open time is over, too."""

    async def script(shop: Shop) -> None:
        async with asyncio.TaskGroup() as group:
            release = await straggling(shop, group, 500)
            opened = time.monotonic()
            await passed(opened, 1.6)
            release()
            await until(lambda: shop.answers.get("order-1"), within=SOON, what="its answer")
            await passed(opened, 2.1)
            assert await shop.call() == then

    play(scene, variant, script, OPEN_MS="2000")
