"""The proxy of a hop among containers: one of ours, up, and on this machine's clock."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.model.errors import UserError
from harness.model.plan import HopPlan
from harness.services.compose_hops import ContainerProxy, proxy_for
from tests.support.canned import Canned
from tests.support.containers import EngineInMemory, a_container
from tests.support.stacks import a_service

BOOT = "/proc/sys/kernel/random/boot_id"
OFFSETS = "/proc/self/timens_offsets"
LEASE = b'{"id": "l-1"}'
OURS = {"POST /leases": (201, LEASE), "DELETE /leases/l-1": (200, LEASE)}
HOP = HopPlan(name="db", source="app", to="db", compose="proxy:15432")

pytestmark = pytest.mark.skipif(
    not Path(BOOT).exists(), reason="containers have a Linux below them"
)


def clock() -> dict[str, str | None]:
    """What a container of this machine prints, as far as its kernel tells."""
    paths = [Path(BOOT), Path(OFFSETS)]
    return {str(path): path.read_text() if path.exists() else None for path in paths}


def port_of(api: Canned) -> int:
    return int(api.url.rpartition(":")[2])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "docker-compose.yml"
    path.touch()
    return path


def proxy(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    api: int,
    hop: HopPlan = HOP,
    dials: str = "proxy:15432",
    env: Mapping[str, str] | None = None,
    prints: Mapping[str, str | None] | None = None,
) -> ContainerProxy:
    engine = EngineInMemory(
        a_container("proxy", file, port=8474, on=f"127.0.0.1:{api}"),
        a_container("web", file, env={"URL": f"postgresql://u@{dials}/app"}),
    ).install(monkeypatch)
    engine.prints = clock() if prints is None else prints
    source = a_service("app", "compose", env=env, compose=f"{file}#web")
    found = asyncio.run(proxy_for(hop, source, file.parent))
    assert engine.closed == 1
    return found


def test_proxy_when_the_source_dials_it_by_name_then_any_free_port_will_do(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Canned(OURS) as api:
        found = proxy(file, monkeypatch, api=port_of(api))
        assert found == ContainerProxy(
            admin=api.url, host="proxy", dialled="proxy:15432", listen="0.0.0.0:0"
        )
        assert [(method, path) for method, path, _ in api.asked] == [
            ("POST", "/leases"),
            ("DELETE", "/leases/l-1"),
        ]


def test_proxy_when_a_variable_of_the_target_says_where_then_any_free_port_will_do(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Canned(OURS) as api:
        env = {"DATABASE_URL": "{hops.db.url}"}
        found = proxy(file, monkeypatch, api=port_of(api), dials="pool:5432", env=env)
    assert found.listen == "0.0.0.0:0"


def test_proxy_when_the_source_has_it_in_a_file_of_its_own_then_on_that_port(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Canned(OURS) as api:
        found = proxy(file, monkeypatch, api=port_of(api), dials="pool:5432")
    assert found.listen == "0.0.0.0:15432"


def test_proxy_when_it_has_no_leases_then_it_is_a_toxiproxy_and_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Canned({"POST /leases": (404, b"404 page not found")}) as api,
        pytest.raises(UserError, match="is a Toxiproxy that tells nothing of the requests"),
    ):
        proxy(file, monkeypatch, api=port_of(api))


def test_proxy_when_nobody_answers_then_user_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"the API of docker-compose\.yml#proxy at .* does not"):
        proxy(file, monkeypatch, api=1)


@pytest.mark.parametrize(
    "prints",
    [
        pytest.param({BOOT: "another\n"}, id="another-machine"),
        pytest.param({OFFSETS: "monotonic 5 0\nboottime 0 0\n"}, id="a-time-namespace"),
        pytest.param({BOOT: None}, id="nobody-knows"),
    ],
)
def test_proxy_when_its_clock_is_another_then_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch, prints: dict[str, str | None]
) -> None:
    with pytest.raises(UserError, match="runs on another clock"):
        proxy(file, monkeypatch, api=1, prints={**clock(), **prints})


@pytest.mark.parametrize("compose", [None, "proxy", "proxy:0", ":15432", "proxy:99999"])
def test_proxy_when_the_hop_names_none_then_user_error(
    file: Path, monkeypatch: pytest.MonkeyPatch, compose: str | None
) -> None:
    hop = HopPlan(name="db", source="app", to="db", compose=compose)
    with pytest.raises(UserError, match='Add compose: "proxy:15432"'):
        proxy(file, monkeypatch, api=1, hop=hop)
