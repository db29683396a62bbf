"""A Valkey of the run's own: empty, closed to strangers, reset, stopped, and gone."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.connections.pool import Connections
from harness.connections.redis import RedisClient, Reply
from harness.model.errors import TargetError
from harness.model.events import ProcessEnded
from harness.model.plan import HopPlan, ResetPlan
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.processes.scratch import scratch_of
from harness.services import embedded_valkey
from harness.services.resets.redis import RedisReset
from harness.services.urls import with_address
from tests.support.sources import sources_at
from tests.support.stacks import Scene, a_service

pytestmark = pytest.mark.engine("valkey")

S30 = Duration.of_s(30)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    assert marked(made.mark) == []
    assert scratch_of(made.mark) == []


async def ask(url: str, *words: str) -> Reply:
    client = RedisClient(url, what="service cache")
    try:
        return await client.call(words, within=S30)
    finally:
        await client.close()


def test_valkey_when_up_then_empty_databases_behind_its_hop_that_keep_nothing(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.proxy() as proxy:
            hop = HopPlan(name="cache", source=None, to="cache")
            plan = a_service("cache", "embedded-valkey", settings={"maxmemory": "64mb"})
            async with scene.up(plan, hops=[hop], proxy=proxy) as stack:
                url = stack.names["hops"]["cache"]["url"]
                assert url.startswith("redis://:")
                assert url != stack.urls["cache"]
                assert await ask(url, "DBSIZE") == 0
                assert await ask(url, "SET", "a", "é 1") == "OK"
                assert await ask(stack.urls["cache"], "GET", "a") == "é 1"
                assert await ask(url, "CONFIG", "GET", "maxmemory") == ["maxmemory", "67108864"]
                assert await ask(url, "CONFIG", "GET", "save") == ["save", ""]
                assert await ask(url, "CONFIG", "GET", "bind") == ["bind", "127.0.0.1"]
                os.kill(stack.pids["cache"], 0)

    asyncio.run(play())
    ended = {event.name: event for event in scene.events if isinstance(event, ProcessEnded)}
    assert (ended["cache"].exit_code, ended["cache"].expected) == (0, True)


def test_valkey_when_the_password_is_wrong_or_none_then_nobody_gets_in(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(a_service("cache", "embedded-valkey")) as stack:
            address = stack.address("cache")
            with pytest.raises(TargetError, match="invalid username-password pair"):
                await ask(with_address("redis://:guess@x", address), "PING")
            with pytest.raises(TargetError, match="Authentication required"):
                await ask(f"redis://{address.text()}", "PING")

    asyncio.run(play())
    (secret,) = scene.hidden
    assert all(secret not in str(event) for event in scene.events)
    assert secret not in scene.log("cache")


def test_valkey_when_a_reset_runs_then_the_state_is_back_and_errors_are_its_own(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.up(a_service("cache", "embedded-valkey")) as stack:

            def reset(*commands: str) -> RedisReset:
                plan = ResetPlan(kind="redis", on="cache", params={"redis": list(commands)})
                return RedisReset.make(plan, {"points": 7}, sources_at(), stack.programs)

            connections = Connections(stack.urls, stack.pids)
            client = await connections.redis("cache")
            for _ in range(2):
                await client.call(["RPUSH", "rest", "x"], within=S30)
                await reset("FLUSHALL", "SET points {points}").run(connections)
                assert await client.call(["KEYS", "*"], within=S30) == ["points"]
                assert await client.call(["INCR", "points"], within=S30) == 8
            with pytest.raises(TargetError, match="reset on cache: LPUSH: WRONGTYPE"):
                await reset("LPUSH points 1").run(connections)
            await connections.close()

    asyncio.run(play())


def test_valkey_when_somebody_took_its_port_meanwhile_then_another_is_tried(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        free = embedded_valkey.free_port
        ports = iter([taken])
        monkeypatch.setattr(embedded_valkey, "free_port", lambda: next(ports, None) or free())

        async def play() -> None:
            async with scene.up(a_service("cache", "embedded-valkey")) as stack:
                assert stack.address("cache").port != taken

        asyncio.run(play())


def test_valkey_when_it_is_killed_then_the_stack_can_tell(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(a_service("cache", "embedded-valkey")) as stack:
            os.kill(stack.pids["cache"], 9)
            await stack._processes["cache"].wait()
            with pytest.raises(TargetError, match="service cache: ended by itself"):
                stack.check_alive()

    asyncio.run(play())
