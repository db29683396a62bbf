"""Which Node is taken, with which npm, and what is said where there is none."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.model.errors import UserError
from harness.services.node_binary import Node, find_node


def a_node(folder: Path, says: str) -> Path:
    """A program that says its version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "node"
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


def an_npm(folder: Path) -> Path:
    path = folder / "npm"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Node: a wheel would lie in ``wheel``, programs in ``bin``."""
    wheel = SimpleNamespace(submodule_search_locations=[str(tmp_path / "wheel")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: wheel)
    return tmp_path


def find(bare: Path, *, with_npm: bool = False) -> Node:
    path = os.pathsep.join([str(Path(sys.executable).parent), str(bare / "bin")])
    return asyncio.run(find_node({"PATH": path}, with_npm=with_npm))


def test_find_node_when_one_on_path_is_new_enough_then_that(bare: Path) -> None:
    ours = a_node(bare / "bin", "v18.0.0")
    a_node(bare / "wheel" / "bin", "v24.1.0")
    assert find(bare) == Node(program=ours, major=18, npm=())


@pytest.mark.parametrize("says", ["v16.20.2", "", "hello"])
def test_find_node_when_the_one_on_path_is_old_or_none_then_that_of_the_wheel(
    bare: Path, says: str
) -> None:
    a_node(bare / "bin", says)
    ours = a_node(bare / "wheel" / "bin", "v24.1.0")
    assert find(bare) == Node(program=ours, major=24, npm=())


def test_find_node_when_it_lies_beside_our_python_then_it_is_the_wheel_s_script_and_not_taken(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = a_node(bare / "venv", "v24.1.0")
    monkeypatch.setattr(sys, "executable", str(beside.parent / "python"))
    with pytest.raises(UserError, match="There is no Node 18 or newer on this machine"):
        find(bare)


def test_find_node_when_npm_is_needed_then_one_that_has_it(bare: Path) -> None:
    a_node(bare / "bin", "v20.0.0")
    ours = a_node(bare / "wheel" / "bin", "v24.1.0")
    # A link that a wheel cannot hold: the copy in its place does not run.
    an_npm(ours.parent)
    script = bare / "wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    assert find(bare, with_npm=True) == Node(program=ours, major=24, npm=(str(ours), str(script)))


def test_find_node_when_npm_is_a_program_beside_it_then_that(bare: Path) -> None:
    ours = a_node(bare / "bin", "v20.0.0")
    npm = an_npm(bare / "bin")
    assert find(bare, with_npm=True) == Node(program=ours, major=20, npm=(str(npm),))


def test_find_node_when_there_is_none_then_user_error_says_what_was_found(bare: Path) -> None:
    old = a_node(bare / "bin", "v16.20.2")
    without = a_node(bare / "wheel" / "bin", "v24.1.0")
    with pytest.raises(UserError) as raised:
        find(bare, with_npm=True)
    assert str(raised.value) == (
        "There is no Node 18 or newer with npm on this machine for a service with `node:`: "
        f"{old} is version 16; {without} has no npm.\n"
        "Install one: pip install 'harness[node]'  (or apt-get install nodejs npm)."
    )


def test_environment_when_another_node_would_be_found_then_this_one_is_first(bare: Path) -> None:
    first, second = a_node(bare / "a", ""), a_node(bare / "b", "")
    env = {"PATH": f"{bare / 'a'}{os.pathsep}{bare / 'b'}", "X": "y"}
    assert Node(program=first, major=20, npm=()).environment(env) == env
    made = Node(program=second, major=20, npm=()).environment(env)
    assert made == {"PATH": f"{bare / 'b'}{os.pathsep}{env['PATH']}", "X": "y"}
