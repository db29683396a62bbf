"""The clients of a run: opened once, shared, and all closed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.connections.pool import Connections
from harness.connections.sql import SqlClient
from harness.model.errors import HarnessBug


def test_a_client_when_asked_for_twice_then_is_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        urls = {
            "db": f"sqlite:///{tmp_path}/x.db",
            "app": "http://127.0.0.1:1",
            "cache": "redis://127.0.0.1:1",
        }
        pool = Connections(urls)
        first, second = await asyncio.gather(pool.sql("db"), pool.sql("db"))
        assert first is second
        assert await pool.http("app") is await pool.http("app")
        assert await pool.redis("cache") is await pool.redis("cache")
        await pool.close()
        await pool.close()

    asyncio.run(main())


def test_a_url_when_it_becomes_known_later_then_is_found() -> None:
    async def main() -> None:
        urls: dict[str, str] = {}
        pool = Connections(urls)
        with pytest.raises(HarnessBug, match="no URL is known for service 'app'; known are none"):
            await pool.http("app")
        urls["app"] = "http://127.0.0.1:1"
        assert await pool.http("app")
        await pool.close()

    asyncio.run(main())


def test_a_pid_when_it_becomes_known_later_then_is_found() -> None:
    pids: dict[str, int] = {}
    pool = Connections({}, pids)
    with pytest.raises(HarnessBug, match="no process is known for service 'app'; known are none"):
        pool.pid("app")
    pids["app"] = 7
    assert pool.pid("app") == 7


def test_closing_when_one_client_fails_then_the_others_are_closed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []

    async def fail(client: SqlClient) -> None:
        closed.append(client)
        raise OSError("no")

    async def main() -> None:
        pool = Connections({name: f"sqlite:///{tmp_path}/{name}.db" for name in "ab"})
        clients = [await pool.sql(name) for name in "ab"]
        with monkeypatch.context() as patched:
            patched.setattr(SqlClient, "close", fail)
            with pytest.raises(OSError, match="no"):
                await pool.close()
        assert closed == clients
        for client in clients:
            await client.close()

    asyncio.run(main())
