"""Twins of containers that Compose started: what they keep, what they leave, how they go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, ContainerIntended, ContainerRemoved, ContainerStarted
from harness.model.units import Duration
from harness.processes.containers import MARK, ContainerProblem
from harness.services.compose_container import (
    Twin,
    container_name,
    replaced,
    speaks_http,
    twin_config,
)
from harness.services.site import Site
from tests.support.containers import EngineInMemory, a_container
from tests.support.stacks import a_service
from tests.support.waiting import until

MARK_OF_RUN = "2026-11-25T10-12-31-bank-naive-1a2b3c4d"
FILE = Path("/shop/docker-compose.yml")
PATIENCE = Duration.of_s(20)


def config(**changes: Any) -> dict[str, Any]:
    original = a_container("web", FILE, on="0.0.0.0:80", command=["serve", "--db", "proxy:15432"])
    given: dict[str, Any] = {"mark": "m", "env": {}, "moved": {}, "port": 8000, **changes}
    return twin_config(original, **given)


def test_twin_when_made_then_it_is_as_the_original_but_on_loopback_and_a_free_port() -> None:
    made = config()
    assert made["Image"] == "sha256:web"
    assert made["HostConfig"]["Binds"] == ["/data:/data:ro"]
    assert made["HostConfig"]["PortBindings"] == {
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]
    }
    assert made["NetworkingConfig"] == {"EndpointsConfig": {"shop_default": {}}}


def test_twin_when_made_then_nothing_takes_it_for_the_original() -> None:
    made = config()
    assert made["Labels"] == {MARK: "m"}
    assert "Hostname" not in made
    assert made["Healthcheck"] == {"Test": ["NONE"]}
    assert made["HostConfig"]["RestartPolicy"] == {"Name": "no"}


def test_twin_when_made_then_the_original_is_not_touched() -> None:
    original = a_container("web", FILE)
    twin_config(original, mark="m", env={"A": "1"}, moved={}, port=8000)
    assert original == a_container("web", FILE)


def test_twin_when_a_hop_moved_then_its_command_dials_where_it_is() -> None:
    made = config(env={"A": "1"}, moved={"proxy:15432": "proxy:40001"})
    assert made["Cmd"] == ["serve", "--db", "proxy:40001"]
    assert made["Env"] == ["A=1"]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (
            "postgresql://u:p@proxy:15432/app?x=proxy:15432",
            "postgresql://u:p@proxy:7/app?x=proxy:7",
        ),
        ("proxy:154321", "proxy:154321"),
        ("my-proxy:15432", "my-proxy:15432"),
        ("db.proxy:15432", "db.proxy:15432"),
    ],
)
def test_replaced_when_a_place_moved_then_that_place_alone(text: str, result: str) -> None:
    assert replaced(text, {"proxy:15432": "proxy:7"}) == result


def test_name_when_made_then_it_can_be_dialled_and_is_the_run_s_own() -> None:
    assert container_name("app", MARK_OF_RUN) == "harness-app-1a2b3c4d"
    assert container_name("My_App!", MARK_OF_RUN) == "harness-my-app-1a2b3c4d"
    assert len(container_name("a" * 100, MARK_OF_RUN)) == 63


class Scene:
    """A twin's surroundings, and what was told of it."""

    def __init__(self, folder: Path, engine: EngineInMemory) -> None:
        self.events: list[AnyEvent] = []
        self.stops: list[Any] = []
        self.engine = engine
        site = Site(
            plan=a_service("app", "compose"),
            folder=folder,
            log=folder / "logs" / "app.log",
            mark=MARK_OF_RUN,
            record=self.events.append,
            env={},
            fill=lambda value, _more: value,
            hide=lambda _secret: None,
            check_host=lambda _address: None,
            on_stop=self.stops.append,
        )
        self.twin = Twin(site, engine, a_container("web", FILE))  # type: ignore[arg-type]  # the calls of one

    async def stop(self) -> None:
        for stop in reversed(self.stops):
            await stop()


def written(log: Path) -> str:
    return log.read_text() if log.exists() else ""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> EngineInMemory:
    return EngineInMemory(port=49153).install(monkeypatch)


def test_start_when_it_comes_up_then_announced_before_reached_and_gone_at_the_end(
    tmp_path: Path, engine: EngineInMemory
) -> None:
    scene = Scene(tmp_path, engine)

    async def play() -> None:
        assert await scene.twin.start({"A": "1"}, {}, 8000) == Address("127.0.0.1", 49153)
        assert scene.twin.running() and scene.twin.pid == 4712
        assert engine.of_run(MARK_OF_RUN) == ["harness-app-1a2b3c4d"]
        await until(lambda: written(scene.twin.log).endswith("\n"), within=PATIENCE, what="a log")
        await scene.stop()
        await scene.twin.ended()

    asyncio.run(play())
    assert engine.of_run(MARK_OF_RUN) == []
    assert engine.connected == ["shop_back"]
    assert written(scene.twin.log) == "hello from harness-app-1a2b3c4d\n"
    name = "harness-app-1a2b3c4d"
    assert scene.events == [
        ContainerIntended(name="app", container=name, image="web:1.2.3"),
        ContainerStarted(name="app", container=name, id=name[:12]),
        ContainerRemoved(name="app", container=name, found=True),
    ]


def test_twin_when_it_ends_by_itself_then_its_exit_code_is_known(
    tmp_path: Path, engine: EngineInMemory
) -> None:
    scene = Scene(tmp_path, engine)

    async def play() -> None:
        await scene.twin.start({}, {}, 8000)
        engine.end("harness-app-1a2b3c4d", 3)
        await scene.twin.ended()
        assert (scene.twin.running(), scene.twin.exit_code) == (False, 3)
        await scene.stop()

    asyncio.run(play())


@pytest.mark.parametrize("fails", ["create", "start"])
def test_start_when_the_engine_refuses_then_what_there_is_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    engine = EngineInMemory(fails=fails).install(monkeypatch)
    scene = Scene(tmp_path, engine)

    async def play() -> None:
        with pytest.raises(ContainerProblem, match=f"no {fails} today"):
            await scene.twin.start({}, {}, 8000)
        await scene.stop()

    asyncio.run(play())
    assert engine.of_run(MARK_OF_RUN) == []
    assert isinstance(scene.events[-1], ContainerRemoved)


def test_remove_when_the_engine_refuses_then_target_error_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, EngineInMemory(fails="remove").install(monkeypatch))
    with pytest.raises(TargetError, match="docker rm --force --volumes harness-app-1a2b3c4d"):
        asyncio.run(scene.twin.remove())


@asynccontextmanager
async def answering(line: bytes) -> AsyncIterator[Address]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield Address(*server.sockets[0].getsockname())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", None),
        (b"", "answers no HTTP"),
        (b"220 mail\r\n", "answers no HTTP"),
    ],
)
def test_ask_when_something_answers_then_ready_if_it_is_http(line: bytes, says: str | None) -> None:
    async def play() -> str | None:
        async with answering(line) as address:
            return await speaks_http(address)()

    said = asyncio.run(play())
    assert said is None if says is None else said is not None and said.endswith(says)
