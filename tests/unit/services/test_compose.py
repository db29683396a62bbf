"""The kind ``compose``: what is reached as it runs, and what gets a twin with the run's environment."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import UserError
from harness.services.compose import ComposeService
from harness.services.site import Site, Started
from tests.support.containers import EngineInMemory, a_container
from tests.support.stacks import a_service

MARK = "run-1a2b3c4d"
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
