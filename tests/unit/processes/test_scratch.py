"""Scratch folders: made where the account can reach them, found by the run's mark alone."""

import os
import tempfile
import uuid
from pathlib import Path

import pytest

from harness.processes.scratch import make_scratch, remove_scratch, scratch_of


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_make_scratch_when_made_then_private_and_found_by_mark() -> None:
    mark = uuid.uuid4().hex
    folder = make_scratch(mark, "pg", account=None)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert scratch_of(mark) == [folder]


def test_scratch_of_when_another_mark_begins_alike_then_its_folder_is_not_found() -> None:
    mark = uuid.uuid4().hex
    make_scratch(f"{mark}-2", "pg", account=None)
    make_scratch(f"{mark}-naive", "pg", account=None)
    assert scratch_of(mark) == []


def test_scratch_of_when_somebody_left_a_link_then_it_is_not_followed(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (tmp_path / f"harness-{mark}-pg-abcdefgh").symlink_to(treasure)
    assert scratch_of(mark) == []
    assert not remove_scratch(tmp_path / f"harness-{mark}-pg-abcdefgh")
    assert treasure.is_dir()


def test_remove_scratch_when_it_holds_files_then_all_goes_and_a_second_time_is_fine() -> None:
    folder = make_scratch(uuid.uuid4().hex, "pg", account=None)
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("x")
    assert remove_scratch(folder)
    assert remove_scratch(folder)
    assert not os.path.lexists(folder)
