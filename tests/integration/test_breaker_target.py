"""targets/breaker, from closed to open: each variant as a process in front of a downstream that obeys."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from harness.assembly import vocabulary
from harness.experiment.load import validate
from tests.support.checkout import (
    AT_ONCE,
    SOON,
    TARGET,
    Downstream,
    Shop,
    breaker_scene,
    checkout,
    passed,
    play,
    variants,
)
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with breaker_scene(tmp_path) as made:
        yield made


CIRCUITS = ("conforming", "permit-lost", "timer-restarted", "late-success-closes", "one-circuit")
OPENING = (
    *CIRCUITS,
    "slow-not-counted",
    "naive-counter",
    "pybreaker",
    "circuitbreaker",
    "cockatiel",
)


@variants(*OPENING)
def test_variant_when_five_in_a_row_failed_then_the_sixth_is_not_sent(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        for _ in range(2):
            assert await shop.failing(4) == [502] * 4
            assert await shop.call() == 200
        assert await shop.failing(5) == [502] * 5
        assert await shop.calls(3) == [503] * 3
        assert len(shop.downstream.arrivals) == 15

    play(scene, variant, script)


@variants("opossum")
def test_opossum_when_more_than_half_of_five_failed_then_it_is_open(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        assert await shop.calls(2) == [200] * 2
        assert await shop.failing(3) == [502] * 3
        assert await shop.calls(3) == [503] * 3
        assert len(shop.downstream.arrivals) == 5

    play(scene, variant, script)


@variants("none", "timeout-only", "pybreaker-async", "none-node")
def test_variant_when_nothing_counts_then_all_that_fail_are_sent(scene: Scene, variant: str):
    async def script(shop: Shop) -> None:
        assert await shop.failing(30) == [502] * 30
        assert len(shop.downstream.arrivals) == 30

    play(scene, variant, script)


@variants("three-tries")
def test_three_tries_when_the_downstream_fails_then_three_arrive_for_each_call(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        assert await shop.failing(4) == [502] * 4
        assert shop.downstream.arrivals == [f"order-{n}" for n in (1, 2, 3, 4) for _ in range(3)]

    play(scene, variant, script)


@pytest.mark.parametrize(
    ("variant", "other"), [("conforming", 200), ("one-circuit", 503), ("circuitbreaker", 503)]
)
def test_variant_when_one_account_s_calls_fail_then_another_s_get_so(
    scene: Scene, variant: str, other: int
):
    async def script(shop: Shop) -> None:
        await shop.failing(5, "a")
        assert await shop.calls(2, "a") == [503] * 2
        assert await shop.calls(2, "b") == [other] * 2

    play(scene, variant, script)


@pytest.mark.parametrize(("variant", "sixth"), [("conforming", 503), ("slow-not-counted", 200)])
def test_variant_when_five_good_answers_were_slow_then_the_sixth_gets_so(
    scene: Scene, variant: str, sixth: int
):
    async def script(shop: Shop) -> None:
        for _ in range(5):
            gate = shop.downstream.hold()
            async with asyncio.TaskGroup() as group:
                call = group.create_task(shop.call())
                await until(lambda: shop.downstream.waiting, within=SOON, what="it arrived")
                await passed(time.monotonic(), 0.3)
                gate.set()
            assert call.result() == 200
        shop.downstream.heal()
        assert await shop.call() == sixth

    play(scene, variant, script, SLOW_MS="250")


@variants("conforming", "naive-counter", "pybreaker", "circuitbreaker", "opossum", "cockatiel")
def test_variant_when_five_got_no_answer_in_time_then_the_sixth_is_not_sent(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        shop.downstream.hold()
        assert await shop.calls(5) == [504] * 5
        await until(lambda: not shop.downstream.waiting, within=SOON, what="all were given up")
        # On a busy machine a call may be given up before it got there.
        arrivals = len(shop.downstream.arrivals)
        assert await shop.call() == 503
        assert len(shop.downstream.arrivals) == arrivals > 0

    play(scene, variant, script, CALL_TIMEOUT_MS="100")


@variants("none", "slow-not-counted", "none-node")
def test_variant_when_it_has_no_time_out_then_it_waits_as_long_as_it_takes(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        gate = shop.downstream.hold()
        async with asyncio.TaskGroup() as group:
            call = group.create_task(shop.call())
            await until(lambda: shop.downstream.waiting, within=SOON, what="it arrived")
            await passed(time.monotonic(), 0.5)
            gate.set()
        assert call.result() == 200

    play(scene, variant, script, CALL_TIMEOUT_MS="100")


@variants("conforming", "pybreaker", "circuitbreaker", "three-tries", "opossum", "cockatiel")
def test_variant_when_the_downstream_says_4xx_then_that_is_passed_on_and_opens_nothing(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        shop.downstream.status = 404
        assert await shop.calls(12) == [404] * 12
        shop.downstream.heal()
        assert await shop.call() == 200
        assert len(shop.downstream.arrivals) == 13

    play(scene, variant, script)


@pytest.mark.parametrize(
    ("variant", "more"),
    [
        ("conforming", 1),
        ("naive-counter", 5),
        ("circuitbreaker", 5),
        ("pybreaker", 5),
        pytest.param("cockatiel", 5, marks=pytest.mark.engine("node")),
    ],
)
def test_variant_when_one_4xx_comes_among_failures_then_so_many_more_open_it(
    scene: Scene, variant: str, more: int
):
    async def script(shop: Shop) -> None:
        await shop.failing(4)
        shop.downstream.status = 404
        assert await shop.call() == 404
        assert await shop.failing(more) == [502] * more
        assert await shop.call() == 503

    play(scene, variant, script)


@variants(
    "conforming", "none", "pybreaker-async", "circuitbreaker", "opossum", "cockatiel", "none-node"
)
def test_variant_when_twenty_come_while_closed_then_all_are_under_way_at_once(
    scene: Scene, variant: str
):
    async def script(shop: Shop) -> None:
        gate = shop.downstream.hold()
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(shop.call()) for _ in range(AT_ONCE)]
            await until(lambda: shop.downstream.peak == AT_ONCE, within=SOON, what="twenty")
            gate.set()
        assert {call.result() for call in calls} == {200}

    play(scene, variant, script)


@variants("conforming", "none", "none-node")
def test_variant_when_a_kept_connection_is_cut_then_nothing_is_sent_again(
    scene: Scene, variant: str
):
    heads: list[bytes] = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for n in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readuntil(b"}")
            if n == 0:
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"paid": true}')
        writer.transport.abort()

    async def whole() -> None:
        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            async with (
                checkout(scene, variant, f"http://127.0.0.1:{port}") as url,
                aiohttp.ClientSession(url) as session,
            ):
                shop = Shop(session, Downstream(), [])
                assert await shop.calls(4) == [200, 502, 200, 502]
        assert len(heads) == 4

    asyncio.run(whole())


def test_stub_when_it_is_fragile_then_more_than_it_bears_get_503(scene: Scene):
    plan = a_service(
        "payments",
        run="python -m breaker.stub --port {port}",
        env={"LATENCY_MS": "200", "FRAGILE": "2"},
    )

    async def pay(session: aiohttp.ClientSession) -> int:
        async with session.post("/payments", json={"order": "7"}) as answer:
            json.loads(await answer.text())
            return answer.status

    async def whole() -> None:
        async with (
            scene.up(plan) as stack,
            aiohttp.ClientSession(str(stack.urls["payments"])) as session,
        ):
            began = time.monotonic()
            assert sorted(await asyncio.gather(*(pay(session) for _ in range(4)))) == [
                200,
                200,
                503,
                503,
            ]
            assert time.monotonic() - began >= 0.2
            assert await pay(session) == 200

    asyncio.run(whole())


@pytest.mark.parametrize("file", ["target.yaml", "node.yaml"])
def test_target_file_when_validated_then_is_right(file: str):
    (checked,) = validate([TARGET / file], kinds=vocabulary())
    assert [str(problem) for problem in checked.problems] == []
