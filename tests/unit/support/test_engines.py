"""A missing engine skips with the command that installs it, and fails where it is required."""

import stat

import pytest

from tests.support import engines


def program(folder, name, says):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with nothing on it."""
    for name in ("HARNESS_REQUIRE", "HARNESS_TOXIPROXY", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_toxiproxy_when_missing_then_the_test_is_skipped_with_the_command(bare):
    with pytest.raises(pytest.skip.Exception, match=r"go install github\.com/Shopify/toxiproxy"):
        engines.toxiproxy_server()


@pytest.mark.parametrize("wanted", ["all", "toxiproxy", "mysql,toxiproxy"])
def test_toxiproxy_when_missing_but_required_then_the_test_fails(bare, monkeypatch, wanted):
    monkeypatch.setenv("HARNESS_REQUIRE", wanted)
    # Both are listed: a skip that passed through would skip this test and hide itself.
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as caught:
        engines.toxiproxy_server()
    assert caught.type is pytest.fail.Exception
    assert "HARNESS_REQUIRE asks for it" in str(caught.value)


def test_engine_when_another_is_required_then_is_still_skipped(bare, monkeypatch):
    monkeypatch.setenv("HARNESS_REQUIRE", "mysql")
    with pytest.raises(pytest.skip.Exception):
        engines.toxiproxy_server()


def test_toxiproxy_when_named_by_the_environment_then_is_taken(bare, monkeypatch):
    path = program(bare, "mine", "toxiproxy-server version 2.12.0")
    monkeypatch.setenv("HARNESS_TOXIPROXY", str(path))
    assert engines.toxiproxy_server() == path


def test_toxiproxy_when_on_path_then_is_taken(bare):
    path = program(bare, "toxiproxy-server", "toxiproxy-server version git")
    assert engines.toxiproxy_server() == path


def test_server_of_something_else_when_in_go_folder_then_is_not_taken(bare, monkeypatch):
    (bare / "go" / "bin").mkdir(parents=True)
    program(bare / "go" / "bin", "server", "some other server")
    monkeypatch.setenv("HOME", str(bare))
    with pytest.raises(pytest.skip.Exception):
        engines.toxiproxy_server()


def test_every_engine_when_listed_then_is_named_as_its_marker_says():
    expected = {"postgres", "toxiproxy", "toxiproxy-cli", "mysql", "valkey", "node", "docker"}
    assert set(engines.ENGINES) == expected
