"""The kind ``node``, with a Node that is only pretended: a shell."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.model.units import Duration
from harness.services import node as node_module
from harness.services.node_binary import Node
from harness.services.site import Site
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path)
    (made.target / "show.sh").write_text('echo "$* $PWD $X"; exec sleep 600')

    async def find_node(_env: Any, *, with_npm: bool) -> Node:
        made.hidden.append(f"with npm: {with_npm}")
        return Node(program=Path("/bin/sh"), major=20, npm=())

    async def install(_site: Site, _node: Node, folder: Path) -> None:
        made.hidden.append(f"installed in {folder}")

    monkeypatch.setattr(node_module, "find_node", find_node)
    monkeypatch.setattr(node_module, "install", install)
    return made


def shown(scene: Scene, **params: Any) -> str:
    """The line that ``show.sh`` printed."""

    async def play() -> str:
        plan = a_service("web", "node", env={"X": "{variant}y"}, **params)
        async with scene.up(plan, variant="v") as stack:
            assert list(stack.pids) == ["web"]
            return await until(
                lambda: scene.log("web").endswith("\n") and scene.log("web").strip(),
                within=Duration.of_s(30),
                what="the program has printed its line",
                log=lambda: scene.log("web"),
            )

    return asyncio.run(play())


def test_node_when_started_then_the_file_runs_in_the_target_s_folder_with_its_env(
    scene: Scene,
) -> None:
    said = shown(scene, node="show.sh 'a b' {variant}")
    assert said == f"a b v {scene.target} vy"
    assert scene.hidden == ["with npm: False"]


def test_node_when_there_is_a_lock_file_where_it_works_then_its_packages_come_first(
    scene: Scene,
) -> None:
    deep = scene.target / "deep"
    deep.mkdir()
    for name in ("package.json", "package-lock.json"):
        (deep / name).write_text("{}")
    assert shown(scene, node="../show.sh", cwd="deep", limits={"files": 64}).endswith("/deep vy")
    assert scene.hidden == ["with npm: True", f"installed in {deep}"]
