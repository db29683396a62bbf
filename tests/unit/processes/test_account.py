"""Which folders an unprivileged account can reach, told from modes alone."""

import os
from pathlib import Path

import pytest

from harness.processes.account import Account, can_reach, unprivileged

STRANGER = Account(name="stranger", uid=54321, gid=54321)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder whose parents below the system's own are open: pytest makes them 0700."""
    folder = Path("/tmp") / f"harness-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir()
    folder.rmdir()


def test_can_reach_when_a_parent_is_closed_then_no(open_folder: Path) -> None:
    inner = open_folder / "closed" / "inner"
    inner.mkdir(parents=True)
    (open_folder / "closed").chmod(0o700)
    assert not can_reach(inner, STRANGER)
    (open_folder / "closed").chmod(0o711)
    inner.chmod(0o755)
    assert can_reach(inner, STRANGER)


def test_can_reach_when_the_account_owns_it_then_its_own_bits_count(open_folder: Path) -> None:
    own = Account(name="own", uid=os.geteuid(), gid=os.getegid())
    open_folder.chmod(0o700)
    assert can_reach(open_folder, own)
    open_folder.chmod(0o077)
    assert not can_reach(open_folder, own)
    open_folder.chmod(0o755)


def test_can_reach_when_there_is_no_such_folder_then_no(open_folder: Path) -> None:
    assert not can_reach(open_folder / "nowhere", STRANGER)


def test_unprivileged_when_we_are_not_root_then_there_is_nothing_to_drop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged() is None


def test_unprivileged_when_we_are_root_then_an_account_without_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    account = unprivileged()
    assert account is not None
    assert account.uid != 0
