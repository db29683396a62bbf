"""Secrets come from a file, and its absence is said."""

from pathlib import Path

import pytest

from harness.connections.secrets import file_text, hidden, spellings
from harness.model.errors import UserError


def test_a_file_when_read_then_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0p\n")
    assert file_text(tmp_path)("token") == "t0p"
    assert file_text(Path("/nowhere"))(str(tmp_path / "token")) == "t0p"


def test_a_file_when_missing_binary_or_long_then_says_so(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"x" * 70_000)
    for name, words in (("none", "cannot be read"), ("binary", "no UTF-8"), ("long", "64 KiB")):
        with pytest.raises(UserError, match=words):
            file_text(tmp_path)(name)


def test_hidden_when_a_password_is_spelled_in_any_way_then_none_of_it_is_left() -> None:
    secrets = spellings("p/w'\n x")
    for form in ("p/w'\n x", "p%2Fw%27%0A%20x", "p%2Fw%27%0A+x", "p/w'\\n x"):
        assert hidden(f"not {form}!", secrets) == "not •••!"
    assert hidden("as it is", spellings("")) == "as it is"
