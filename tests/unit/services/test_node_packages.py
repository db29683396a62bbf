"""Packages: when they are wanted, made once for each lock file, linked, and a user's own left alone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import UserError
from harness.model.events import ProcessEnded
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.services import node_packages
from harness.services.node_binary import Node
from harness.services.node_packages import install, wanted
from harness.services.site import Site
from tests.support.stacks import Scene, a_service

# Puts what it was given where it was told to, as npm does.
NPM = """#!/bin/sh
echo "npm $*"
mkdir node_modules
cp package-lock.json node_modules/made-from
[ -f .npmrc ] && cp .npmrc node_modules/rc
exit 0
"""


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    made = Scene(tmp_path)
    made.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    lock(made, "1.0.0")
    (made.target / "package.json").write_text("{}")
    yield made
    assert marked(made.mark) == []


def lock(scene: Scene, version: str, **more: Any) -> None:
    packages = {"node_modules/x": {"version": version, **more}}
    (scene.target / "package-lock.json").write_text(json.dumps({"packages": packages}))


def a_node(scene: Scene, *, npm: str = NPM, major: int = 20) -> Node:
    path = scene.folder / "npm"
    path.write_text(npm)
    path.chmod(0o755)
    return Node(program=scene.folder / "node", major=major, npm=(str(path),))


def installed(scene: Scene, node: Node | None = None) -> str:
    """What ``made-from`` says behind the link."""
    site = scene.stack(a_service("web", "node"))._site(a_service("web", "node"))
    asyncio.run(install(site, node or a_node(scene), scene.target))
    return (scene.target / "node_modules" / "made-from").read_text()


def npm_runs(scene: Scene) -> int:
    return sum(isinstance(event, ProcessEnded) for event in scene.events)


def cached(scene: Scene) -> list[Path]:
    return sorted((scene.folder / "cache" / "harness" / "npm").iterdir())


def test_wanted_when_there_is_no_lock_file_then_not(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    assert not wanted(tmp_path)
    assert not wanted(tmp_path / "nowhere")
    (tmp_path / "package-lock.json").write_text("{}")
    assert wanted(tmp_path)


def test_wanted_when_the_packages_are_the_user_s_own_then_not(scene: Scene) -> None:
    modules = scene.target / "node_modules"
    modules.mkdir()
    assert not wanted(scene.target)
    modules.rmdir()
    modules.symlink_to(scene.folder)
    assert not wanted(scene.target)
    modules.unlink()
    modules.symlink_to("/elsewhere/harness/npm/0123/node_modules")
    assert wanted(scene.target)


def test_install_when_new_then_npm_runs_once_and_the_link_leads_to_it(scene: Scene) -> None:
    assert "1.0.0" in installed(scene)
    assert "1.0.0" in installed(scene)
    assert npm_runs(scene) == 1
    (folder,) = cached(scene)
    assert (scene.target / "node_modules").readlink() == folder / "node_modules"
    said = scene.log("web")
    assert said.startswith("npm ci --omit=dev --no-audit --no-fund --ignore-scripts")
    assert [event.name for event in scene.events if isinstance(event, ProcessEnded)] == ["web-npm"]


@pytest.mark.parametrize("what", ["lock", "manifest", "node"])
def test_install_when_something_that_decides_changed_then_the_link_leads_elsewhere(
    scene: Scene, what: str
) -> None:
    installed(scene)
    before = (scene.target / "node_modules").readlink()
    match what:
        case "lock":
            lock(scene, "2.0.0")
        case "manifest":
            (scene.target / "package.json").write_text('{"name": "x"}')
    said = installed(scene, a_node(scene, major=22 if what == "node" else 20))
    assert ("2.0.0" in said) is (what == "lock")
    assert (scene.target / "node_modules").readlink() != before
    assert npm_runs(scene) == 2
    assert len(cached(scene)) == 2


def test_install_when_there_is_an_npmrc_then_it_is_used_and_not_kept(scene: Scene) -> None:
    (scene.target / ".npmrc").write_text("//host/:_authToken=s3cret")
    installed(scene)
    (folder,) = cached(scene)
    assert (folder / "node_modules" / "rc").exists()
    assert not (folder / ".npmrc").exists()


def test_install_when_npm_makes_nothing_then_there_are_no_packages_and_it_is_not_asked_again(
    scene: Scene,
) -> None:
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            installed(scene, a_node(scene, npm="#!/bin/sh\nexit 0\n"))
    assert list((scene.target / "node_modules").iterdir()) == []
    assert npm_runs(scene) == 1


def test_install_when_npm_fails_then_user_error_with_its_words_and_nothing_is_kept(
    scene: Scene,
) -> None:
    node = a_node(scene, npm="#!/bin/sh\nmkdir node_modules; echo E404 no such package; exit 4\n")
    with pytest.raises(UserError, match=r"service web: npm ci failed with exit code 4; .*\nE404"):
        installed(scene, node)
    assert cached(scene) == []
    assert not (scene.target / "node_modules").is_symlink()


def test_install_when_npm_does_not_end_then_user_error_and_it_is_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_packages, "_LIMIT", Duration.of_ms(300))
    with pytest.raises(UserError, match="npm ci did not end within 300 ms"):
        installed(scene, a_node(scene, npm="#!/bin/sh\nsleep 600 & wait\n"))
    assert cached(scene) == []


def test_install_when_another_run_was_faster_then_its_packages_are_taken(scene: Scene) -> None:
    site: Site = scene.stack(a_service("web", "node"))._site(a_service("web", "node"))
    # As if the other run had ended while our npm was at work.
    home = node_packages._place(scene.env) / node_packages._fingerprint(scene.target, a_node(scene))
    theirs = f"{NPM.rsplit('exit', 1)[0]}mkdir -p {home}/node_modules; echo x >{home}/node_modules/made-from\n"
    asyncio.run(install(site, a_node(scene, npm=theirs), scene.target))
    assert (scene.target / "node_modules" / "made-from").read_text() == "x\n"
    assert cached(scene) == [home]


@pytest.mark.parametrize("entry", [{"link": True}, {"resolved": "file:../x.tgz"}])
def test_install_when_a_package_is_the_user_s_own_folder_then_user_error(
    scene: Scene, entry: dict[str, Any]
) -> None:
    lock(scene, "1.0.0", **entry)
    with pytest.raises(UserError, match=r"names a folder or file as a package \(node_modules/x\)"):
        installed(scene)
    assert scene.events == []


@pytest.mark.parametrize("text", ["{", "[]", '{"packages": []}', "\xff"])
def test_install_when_the_lock_file_is_none_then_user_error(scene: Scene, text: str) -> None:
    (scene.target / "package-lock.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="is no lock file of npm"):
        installed(scene)


def test_install_when_the_folder_cannot_be_written_then_user_error_says_how_to_link(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _to: Path, **_more: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(
        UserError, match=r"node_modules cannot be made: Permission denied\.\n.*ln -s"
    ):
        installed(scene)


def test_install_when_there_is_no_place_for_a_cache_then_user_error(scene: Scene) -> None:
    (scene.folder / "cache").write_text("a file")
    with pytest.raises(UserError, match="its packages cannot be kept in"):
        installed(scene)


@pytest.mark.parametrize(
    ("env", "place"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/harness/npm"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/harness/npm"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/harness/npm"),
    ],
)
def test_place_when_the_cache_has_one_then_there(env: dict[str, str], place: str) -> None:
    assert str(node_packages._place(env)) == place
