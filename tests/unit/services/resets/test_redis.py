"""The Redis reset, on a server that is only pretended."""

import asyncio
import contextlib
from typing import Any, cast

import pytest

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.model.units import Duration
from harness.processes.programs import Programs
from harness.services.resets.redis import RedisReset
from tests.support.sources import sources_at
from tests.unit.connections.test_redis import serving


class Cache:
    """Both the connections and their only client."""

    def __init__(self, refused: str | None = None) -> None:
        self.asked: list[list[str]] = []
        self.closed = False
        self._refused = refused

    async def redis(self, service: str) -> "Cache":
        assert service == "cache"
        return self

    async def call(self, words: list[str], **_more: Any) -> None:
        assert not self.closed
        self.asked.append(words)
        if words[0] == self._refused:
            raise TargetError("service cache", f"{words[0]}: WRONGTYPE")

    async def close(self) -> None:
        self.closed = True


def run(redis: Any, cache: Cache | None = None) -> list[list[str]]:
    cache = cache or Cache()
    plan = ResetPlan(kind="redis", on="cache", params={"redis": redis})
    reset = RedisReset.make(plan, {"amount": 5, "odd": "a b"}, sources_at(), cast("Programs", None))
    try:
        asyncio.run(reset.run(cast("Connections", cache)))
    finally:
        assert cache.closed, "the next call must connect anew"
    return cache.asked


def test_run_when_it_is_one_command_then_it_is_sent() -> None:
    assert run("FLUSHALL") == [["FLUSHALL"]]


def test_run_when_it_is_a_list_then_each_is_sent_in_its_order() -> None:
    assert run(["FLUSHALL", "SET points 0"]) == [["FLUSHALL"], ["SET", "points", "0"]]


def test_run_when_a_value_has_blanks_then_it_stays_one_word() -> None:
    assert run("SET 'a key' {odd} {amount}") == [["SET", "a key", "a b", "5"]]


def test_run_when_one_is_refused_then_target_error_and_no_more_is_sent() -> None:
    cache = Cache(refused="LPUSH")
    with pytest.raises(TargetError) as raised:
        run(["DEL x", "LPUSH points 1", "SET y 1"], cache)
    assert str(raised.value) == "reset on cache: LPUSH: WRONGTYPE"
    assert [words[0] for words in cache.asked] == ["DEL", "LPUSH"]


def test_run_when_a_transaction_is_left_open_then_target_error_says_that_nothing_was_done() -> None:
    with pytest.raises(TargetError, match=r"reset on cache: .*nothing behind MULTI was done"):
        run(["DEL x", "multi", "SET x 1"])
    assert len(run(["MULTI", "SET x 1", "EXEC"])) == 3
    assert len(run(["MULTI", "DISCARD", "SET x 1"])) == 3


@pytest.mark.parametrize(
    "commands",
    [["SELECT 1", "FLUSHDB"], ["SELECT 1", "BAD"]],
    ids=["as-it-should", "refused"],
)
def test_run_when_it_changes_its_connection_then_the_probes_have_another_one(
    commands: list[str],
) -> None:
    async def play() -> None:
        answers = {"SELECT": b"+OK\r\n", "FLUSHDB": b"+OK\r\n", "BAD": b"-ERR no\r\n"}
        async with serving(**answers, GET=b":7\r\n") as server:
            connections = Connections({"cache": server.url()})
            plan = ResetPlan(kind="redis", on="cache", params={"redis": commands})
            with contextlib.suppress(TargetError):
                await RedisReset.make(plan, {}, sources_at(), cast("Programs", None)).run(
                    connections
                )
            client = await connections.redis("cache")
            assert await client.call(["GET", "x"], within=Duration.of_s(30)) == 7
            assert server.connections == 2
            await connections.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("GET {nothing}", "'nothing' has no value"),
        ("SET 'x", "cannot be split"),
        ("", "the command is empty"),
    ],
)
def test_run_when_it_is_no_command_then_user_error(command: str, says: str) -> None:
    plan = ResetPlan(kind="redis", on="cache", params={"redis": command})
    with pytest.raises(UserError, match=f"reset on cache: .*{says}"):
        asyncio.run(
            RedisReset.make(plan, {}, sources_at(), cast("Programs", None)).run(
                cast("Connections", Cache())
            )
        )
