"""Values from the environment and from files, and which of them are hidden."""

from pathlib import Path

import pytest

from harness.model.errors import UserError
from harness.services.outside import Outside


def outside(folder: Path, hidden: list[str], **env: str) -> Outside:
    return Outside(env, folder, hidden.append, {"bank", "http://127.0.0.1:8474", "harness-run-db"})


def test_env_when_it_is_set_then_given_and_hidden(tmp_path: Path) -> None:
    hidden: list[str] = []
    assert outside(tmp_path, hidden, TOKEN="s3cret").env("TOKEN") == "s3cret"
    assert hidden == ["s3cret"]


def test_env_when_it_is_missing_then_user_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"NOT_THERE is not set; \{env:NOT_THERE\} asks for it"):
        outside(tmp_path, []).env("NOT_THERE")


def test_file_when_it_is_beside_the_target_then_without_its_line_end_and_hidden(
    tmp_path: Path,
) -> None:
    hidden: list[str] = []
    (tmp_path / "token").write_text("s3cret\n")
    assert outside(tmp_path, hidden).file("token") == "s3cret"
    assert hidden == ["s3cret"]


def test_file_when_it_is_missing_then_user_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing-here"):
        outside(tmp_path, []).file("nothing-here")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("app", id="short"),
        pytest.param("5432", id="port"),
        pytest.param("bank", id="name-of-the-plan"),
        pytest.param("127.0.0.1", id="host-of-an-api"),
        pytest.param("harness", id="part-of-a-proxy-name"),
    ],
)
def test_hide_when_it_would_blot_out_what_undoing_reads_then_it_stays_visible(
    tmp_path: Path, value: str
) -> None:
    hidden: list[str] = []
    assert outside(tmp_path, hidden, NAME=value).env("NAME") == value
    assert hidden == []
