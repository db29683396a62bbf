"""The last lines of logs of any size and content."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.processes.log_tail import last_lines, log_in_words


def test_last_lines_when_there_is_no_log_then_nothing(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log") == ""


def test_last_lines_when_the_log_is_long_then_the_last_ones_whole(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {number} {'x' * 90}\n" for number in range(5_000)))
    lines = last_lines(log, 3).splitlines()
    assert [line[:9] for line in lines] == ["line 4997", "line 4998", "line 4999"]


def test_last_lines_when_one_line_is_huge_then_it_is_cut_and_says_so(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("y" * 100_000)
    assert last_lines(log).endswith("…")
    assert len(last_lines(log)) == 500


def test_last_lines_when_after_what_others_wrote_then_only_what_came_then(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("theirs\n")
    assert last_lines(log, after=7) == ""
    log.write_text("theirs\nours\n")
    assert last_lines(log, after=7) == "ours"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.integers(1, 5))
def test_last_lines_when_the_log_is_anything_then_few_lines_none_blank(
    tmp_path: Path, data: bytes, count: int
) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(data)
    text = last_lines(log, count)
    lines = text.split("\n") if text else []
    assert len(lines) <= count
    assert all(line.strip() for line in lines)


def test_log_in_words_when_asked_then_the_lines_or_that_there_are_none(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    assert log_in_words(log) == "its log is empty"
    log.write_text("first\nlast\n")
    assert log_in_words(log) == "the last lines of its log:\nfirst\nlast"
