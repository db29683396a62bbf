"""The kind ``compose``: what is reached as it runs, and what gets a twin with the run's environment."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.plan import HopPlan
from harness.proxy.client import ProxyServer
from harness.services.compose import ComposeService
from harness.services.hops import ProxyEndpoint
from harness.services.site import Site, Started
from tests.support.containers import EngineInMemory, a_container
from tests.support.stacks import Scene as Surroundings
from tests.support.stacks import a_service

MARK = "run-1a2b3c4d"
NOBODY = ProxyEndpoint(own="http://127.0.0.1:1")
# What a container of this machine prints of its clock.
CLOCK = {
    str(path): path.read_text()
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/timens_offsets"))
    if path.exists()
}
MOVED = {"proxy:15432": "proxy:40001"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "docker-compose.yml"
    path.touch()
    return path


class Scene:
    """A service of the kind that was started, then stopped."""

    def __init__(self, file: Path, engine: EngineInMemory, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine.install(monkeypatch)
        self.hidden: list[str] = []
        self._file = file

    def play(
        self,
        *,
        env: dict[str, str] | None = None,
        moved: dict[str, str] | None = None,
        service: str = "web",
    ) -> Started:
        return asyncio.run(self._play(env or {}, moved or {}, service))

    async def _play(self, env: dict[str, str], moved: dict[str, str], service: str) -> Started:
        stops: list[Any] = []
        site = Site(
            plan=a_service("app", "compose", env=env),
            folder=self._file.parent,
            log=self._file.parent / "app.log",
            mark=MARK,
            record=lambda _event: None,
            env={},
            fill=lambda value, more: str(value).replace("{port}", str(more.get("port"))),
            hide=self.hidden.append,
            check_host=lambda _address: None,
            on_stop=stops.append,
            moved=moved,
        )
        params = ComposeService.Params(compose=f"docker-compose.yml#{service}")
        try:
            return await ComposeService(params).start(site)
        finally:
            for stop in reversed(stops):
                await stop()

    @property
    def twin_env(self) -> list[str]:
        (made,) = self.engine.made
        return sorted(made["Env"])


GIVEN = {"DATABASE_URL": "postgresql://u:p@proxy:15432/app", "VARIANT": "atomic", "MODE": "x"}


@pytest.fixture
def scene(file: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    web = a_container("web", file, on="127.0.0.1:49152", env=GIVEN)
    secret = {"POSTGRES_PASSWORD": "s3cret"}
    database = a_container("db", file, port=5432, on="127.0.0.1:49200", env=secret)
    return Scene(file, EngineInMemory(web, database, port=49300), monkeypatch)


def test_start_when_it_is_an_engine_then_reached_as_it_runs_and_its_password_is_hidden(
    scene: Scene,
) -> None:
    started = scene.play(service="db", env={"VARIANT": "naive"})
    assert started.url == "postgresql://postgres:s3cret@127.0.0.1:49200/postgres"
    assert started.inside == Address("db", 5432)
    assert not started.waits and started.process is None
    assert scene.hidden == ["s3cret"] and scene.engine.made == []


def test_start_when_it_needs_nothing_of_the_run_then_reached_as_it_runs(scene: Scene) -> None:
    started = scene.play()
    assert (started.url, started.inside) == ("http://127.0.0.1:49152", Address("web", 8000))
    assert scene.engine.made == []


def test_start_when_it_has_an_environment_then_a_twin_of_the_run_s_own(scene: Scene) -> None:
    started = scene.play(env={"VARIANT": "naive", "PORT": "{port}"})
    assert started.url == "http://127.0.0.1:49300"
    assert started.inside == Address("harness-app-1a2b3c4d", 8000)
    assert started.process is not None and started.process.name == "app"
    assert scene.twin_env == [
        "DATABASE_URL=postgresql://u:p@proxy:15432/app",
        "MODE=x",
        "PORT=8000",
        "VARIANT=naive",
    ]
    assert scene.engine.of_run(MARK) == []


def test_start_when_it_has_a_hop_then_its_address_is_the_hop_s_in_this_run(scene: Scene) -> None:
    scene.play(env={"DATABASE_URL": "{hops.db.url}"}, moved=MOVED)
    assert "DATABASE_URL=postgresql://u:p@proxy:40001/app" in scene.twin_env


def test_start_when_the_compose_file_lacks_the_address_of_a_hop_then_it_is_filled_in(
    scene: Scene,
) -> None:
    scene.play(env={"OTHER_URL": "{hops.db.url}"}, moved=MOVED)
    assert "OTHER_URL={hops.db.url}" in scene.twin_env, "the site's fill was asked"


def test_start_when_the_compose_file_lacks_the_address_of_a_service_then_user_error(
    scene: Scene,
) -> None:
    with pytest.raises(UserError, match="OTHER_URL is the address of another service") as raised:
        scene.play(env={"OTHER_URL": "{services.db.url}"})
    assert "Set OTHER_URL for docker-compose.yml#web" in str(raised.value)
    scene.play(env={"DATABASE_URL": "{services.db.url}"})


def test_start_when_the_engine_refuses_then_user_error_in_its_words(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = EngineInMemory(a_container("web", file), fails="create")
    with pytest.raises(UserError, match="service app: the Docker engine says: no create today"):
        Scene(file, engine, monkeypatch).play(env={"A": "1"})
    assert engine.closed == 1


async def answer_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if await reader.readline():  # nothing comes from who only looks whether somebody listens
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()


def test_stack_when_a_service_is_a_container_then_its_hop_is_on_the_proxy_beside_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy is a real one, of this machine; what runs beside it is not."""
    around = Surroundings(tmp_path)
    hop = HopPlan(name="db", source="app", to="db", compose="proxy:15432")
    app = a_service("app", "compose", env={"VARIANT": "naive"}, compose=f"{file}#web")
    database = a_service("db", "compose", compose=f"{file}#db")

    async def play() -> list[str]:
        server = await asyncio.start_server(answer_http, "127.0.0.1", 0)
        listening = await asyncio.start_server(answer_http, "127.0.0.1", 0)
        async with server, listening, around.proxy() as proxy:
            engine = EngineInMemory(
                a_container("web", file, env=GIVEN),
                a_container("db", file, port=5432, on=place_of(listening)),
                a_container("proxy", file, port=8474, on=proxy.own.removeprefix("http://")),
                port=int(place_of(server).rpartition(":")[2]),
            ).install(monkeypatch)
            engine.prints = CLOCK
            async with around.up(database, app, hops=[hop], proxy=NOBODY) as stack:
                (made,) = engine.made
                found = ProxyServer(proxy.own).proxy(stack.hops["db"].proxy)
                assert found is not None and found.upstream == "db:5432"
                port = found.listen.rpartition(":")[2]
                assert f"DATABASE_URL=postgresql://u:p@proxy:{port}/app" in made["Env"]
                assert stack.hops["db"].watch_admin == stack.hops["db"].admin == proxy.own
            assert ProxyServer(proxy.own).proxies() == {}
        return [type(event).__name__ for event in around.events]

    told = asyncio.run(play())
    order = ["HopIntended", "HopOpened", "ContainerIntended", "ContainerStarted"]
    assert [name for name in told if name in {*order, "ContainerRemoved", "HopClosed"}] == [
        *order,
        "ContainerRemoved",
        "HopClosed",
    ]


def test_stack_when_a_hop_leads_from_a_container_to_none_then_user_error(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EngineInMemory(a_container("web", file)).install(monkeypatch)
    hop = HopPlan(name="db", source="app", to="db", compose="proxy:15432")
    app = a_service("app", "compose", compose=f"{file}#web")

    async def play() -> None:
        server = await asyncio.start_server(answer_http, "127.0.0.1", 0)
        async with server:
            database = a_service("db", "url", url=f"http://{place_of(server)}")
            stack = Surroundings(tmp_path).stack(database, app, hops=[hop])
            try:
                with pytest.raises(UserError, match="no container reaches db, which is none"):
                    await stack.bring_up()
            finally:
                await stack.stop()

    asyncio.run(play())


def place_of(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()
    return f"{host}:{port}"
