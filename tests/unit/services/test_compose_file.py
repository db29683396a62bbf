"""Which container belongs to a service of a compose file, where it answers, and what its URL is."""

from pathlib import Path
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.errors import UserError
from harness.services.compose_file import (
    ComposeName,
    environment,
    is_engine,
    port_inside,
    published,
    running,
    url_of,
)
from tests.support.containers import EngineInMemory, a_container

NOWHERE: dict[str, str] = {}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "docker-compose.yml"
    path.touch()
    return path


def find(file: Path, *containers: dict[str, Any], env: dict[str, str] = NOWHERE) -> str:
    engine = EngineInMemory(*containers)
    name = ComposeName(file=file, service="web")
    return str(running(name, engine, env)["Name"])  # type: ignore[arg-type]  # the calls of one


def test_name_when_relative_then_from_the_folder_of_the_target(file: Path) -> None:
    (file.parent / "targets").mkdir()
    name = ComposeName.parse("../docker-compose.yml#web", file.parent / "targets")
    assert name == ComposeName(file=file, service="web")
    assert name.beside("db").shown() == "docker-compose.yml#db"


@pytest.mark.parametrize("text", ["docker-compose.yml", "#web", "docker-compose.yml#"])
def test_name_when_a_half_is_missing_then_user_error(file: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"docker-compose\.yml#bank"):
        ComposeName.parse(text, file.parent)


def test_name_when_there_is_no_file_then_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*/none\.yml"):
        ComposeName.parse("none.yml#web", tmp_path)


def test_running_when_others_have_the_service_too_then_the_one_of_this_file(
    file: Path, tmp_path: Path
) -> None:
    other = a_container("web", tmp_path / "other.yml", project="other")
    assert find(file, other, a_container("web", file)) == "/shop-web-1"


def test_running_when_compose_noted_a_relative_file_then_it_is_found(file: Path) -> None:
    labels = {"com.docker.compose.project.config_files": "docker-compose.yml,more.yml"}
    assert find(file, a_container("web", file, labels=labels)) == "/shop-web-1"


def test_running_when_there_are_several_of_it_then_the_first(file: Path) -> None:
    second, first = a_container("web", file, number=2), a_container("web", file)
    assert find(file, second, first) == "/shop-web-1"


def test_running_when_it_has_no_health_check_then_running_is_enough(file: Path) -> None:
    assert find(file, a_container("web", file, health=None)) == "/shop-web-1"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(None, "is not up", id="none"),
        pytest.param({"running": False}, "has ended", id="ended"),
        pytest.param({"health": "starting"}, "is starting", id="starting"),
        pytest.param({"health": "unhealthy"}, "is unhealthy", id="unhealthy"),
        pytest.param({"labels": {"com.docker.compose.oneoff": "True"}}, "is not up", id="one-off"),
    ],
)
def test_running_when_it_is_not_up_then_user_error_with_the_command(
    file: Path, changes: dict[str, Any] | None, says: str
) -> None:
    containers = [] if changes is None else [a_container("web", file, **changes)]
    with pytest.raises(UserError, match=rf"docker-compose\.yml#web {says}") as raised:
        find(file, *containers)
    assert f"docker compose -f {file} up -d --wait" in str(raised.value)


def test_running_when_up_in_two_projects_then_one_must_be_named(file: Path) -> None:
    both = a_container("web", file), a_container("web", file, project="second")
    with pytest.raises(UserError, match="more than one project: second, shop"):
        find(file, *both)
    assert find(file, *both, env={"COMPOSE_PROJECT_NAME": "second"}) == "/second-web-1"


def test_port_when_one_is_published_then_it_is_that(file: Path) -> None:
    container = a_container("web", file, port=9000)
    container["Config"]["ExposedPorts"]["9100/tcp"] = {}
    assert port_inside(container, "web") == 9000


def test_port_when_there_is_none_then_user_error(file: Path) -> None:
    with pytest.raises(UserError, match="web publishes no port"):
        port_inside(a_container("web", file, port=None), "web")


def test_published_when_on_loopback_then_there(file: Path) -> None:
    container = a_container("web", file, on="127.0.0.1:49153")
    assert published(container, 8000, "web") == Address("127.0.0.1", 49153)


@pytest.mark.parametrize("port", [8000, 8001])
def test_published_when_to_all_or_to_nobody_then_user_error(file: Path, port: int) -> None:
    container = a_container("web", file, on="0.0.0.0:49153")
    with pytest.raises(UserError, match=r"only loopback is reached") as raised:
        published(container, port, "web")
    assert f'ports: ["127.0.0.1::{port}"]' in str(raised.value)


AT = Address("127.0.0.1", 5)


@pytest.mark.parametrize(
    ("port", "env", "url", "secret"),
    [
        pytest.param(8000, {}, "http://127.0.0.1:5", None, id="http"),
        pytest.param(
            5432,
            {"POSTGRES_USER": "u", "POSTGRES_PASSWORD": "p@ss/w", "POSTGRES_DB": "shop"},
            "postgresql://u:p%40ss%2Fw@127.0.0.1:5/shop",
            "p%40ss%2Fw",
            id="postgres",
        ),
        pytest.param(
            5432,
            {"POSTGRES_PASSWORD": "word"},
            "postgresql://postgres:word@127.0.0.1:5/postgres",
            "word",
            id="postgres-by-default",
        ),
        pytest.param(
            3306,
            {"MARIADB_DATABASE": "shop", "MARIADB_ROOT_PASSWORD": "word"},
            "mysql://root:word@127.0.0.1:5/shop",
            "word",
            id="mariadb",
        ),
        pytest.param(6379, {}, "redis://127.0.0.1:5/0", None, id="redis"),
    ],
)
def test_url_when_made_of_a_container_then_as_its_image_was_told(
    file: Path, port: int, env: dict[str, str], url: str, secret: str | None
) -> None:
    container = a_container("web", file, port=port, env=env)
    assert environment(container) == env
    assert url_of(container, port, AT) == (url, secret)
    assert is_engine(port) is (port != 8000)
