"""The kind ``url``: only this machine, unless allowed; there at once, or an error."""

import asyncio
import socket
from pathlib import Path

import pytest

from harness.model.errors import TargetError, UserError
from harness.services.ports import free_port
from tests.support.stacks import Scene, a_service


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_url_when_something_listens_then_its_url_is_that_one(scene: Scene) -> None:
    scene.env["PASSWORD"] = "s3cret-pass"

    async def play(port: int) -> None:
        url = f"postgresql://u:{{env:PASSWORD}}@localhost:{port}/app"
        async with scene.up(a_service("db", "url", url=url)) as stack:
            assert stack.urls["db"] == f"postgresql://u:s3cret-pass@localhost:{port}/app"
            assert stack.address("db").port == port
            stack.check_alive()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(play(listening.getsockname()[1]))
    assert set(scene.hidden) == {"s3cret-pass"}


def test_url_when_nobody_listens_then_target_error_says_refused(scene: Scene) -> None:
    port = free_port()
    stack = scene.stack(a_service("app", "url", url=f"http://127.0.0.1:{port}"))
    with pytest.raises(TargetError, match=f"service app: is not there; .*:{port} refused the"):
        asyncio.run(stack.bring_up())


def test_url_when_a_template_leads_elsewhere_then_user_error_before_anything_is_sent(
    scene: Scene,
) -> None:
    scene.env["DB_HOST"] = "db.example"
    stack = scene.stack(a_service("db", "url", url="postgresql://{env:DB_HOST}/app"))
    with pytest.raises(UserError, match=r"db\.example:5432 is not on this machine"):
        asyncio.run(stack.bring_up())


def test_url_when_its_host_is_allowed_then_it_is_tried(scene: Scene) -> None:
    url = "http://name.invalid:80"
    stack = scene.stack(a_service("app", "url", url=url), allow_hosts=["name.invalid"])
    with pytest.raises(TargetError, match="service app: is not there"):
        asyncio.run(stack.bring_up())


def test_url_when_it_leads_to_a_file_then_it_has_no_address(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(a_service("db", "url", url="sqlite:////tmp/x.db")) as stack:
            with pytest.raises(UserError, match="service db has no address"):
                stack.address("db")

    asyncio.run(play())


@pytest.mark.parametrize("scheme", ["https", "rediss"])
def test_url_when_a_template_gives_one_with_tls_then_it_is_refused(
    scene: Scene, scheme: str
) -> None:
    scene.env["SHOP"] = f"{scheme}://127.0.0.1:443"
    stack = scene.stack(a_service("app", "url", url="{env:SHOP}"))
    with pytest.raises(UserError, match=f"service app: its URL begins with {scheme}, which is not"):
        asyncio.run(stack.bring_up())


def test_url_when_it_is_a_redis_with_a_password_then_it_is_there_and_hidden(scene: Scene) -> None:
    async def play(port: int) -> None:
        plan = a_service("cache", "url", url=f"redis://:s3cret-pass@localhost:{port}/2")
        async with scene.up(plan) as stack:
            assert stack.urls["cache"].endswith(f"@localhost:{port}/2")
            assert stack.address("cache").port == port
            assert stack.pids == {}

    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(play(listening.getsockname()[1]))
    assert set(scene.hidden) == {"s3cret-pass"}
