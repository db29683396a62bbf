"""Method and path: as written, and filled."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.connections.request_line import PathTemplate, encoded, method_and_path, on_the_wire
from harness.expressions.template import TemplateProblem
from harness.model.errors import UserError
from tests.support.sources import sources_at

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def filled(path: str, **values: object) -> str:
    return PathTemplate.parse(path).fill(values, sources_at())


def test_a_line_when_read_then_has_method_and_path() -> None:
    assert method_and_path(" post  /a?b=c ", what="reset on app") == ("POST", "/a?b=c")


@pytest.mark.parametrize("line", ["", "POST", "/reset", "POST reset", "P/T /reset"])
def test_a_line_when_it_is_no_request_then_says_whose(line: str) -> None:
    with pytest.raises(UserError, match=r"^reset on app: .* is no request\.\nWrite a method"):
        method_and_path(line, what="reset on app")


@given(texts)
def test_a_value_when_filled_then_stays_one_segment(value: str) -> None:
    before, segment, after = filled("/a/{v}/z", v=value).rsplit("/", 2)
    assert (before, after) == ("/a", "z")
    assert unquote(segment) == value


@given(texts)
def test_a_value_when_within_a_list_or_a_map_then_stays_one_segment(value: str) -> None:
    assert unquote(filled("/{m.v.0}", m={"v": [value]})[1:]) == value
    assert "/" not in filled("/{m.v.0}", m={"v": [value]})[1:]


def test_literal_parts_when_filled_then_stay_as_written() -> None:
    assert filled("/a%2Fb/x y?c={v}&d=[1]#", v="1&2") == "/a%2Fb/x%20y?c=1%262&d=[1]%23"


def test_a_number_when_filled_then_is_written_out() -> None:
    assert filled("/{a}/{b}", a=7, b=True) == "/7/true"


def test_outside_values_when_filled_then_stay_one_segment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKEN", "a/b")
    (tmp_path / "key").write_text("c d\n")
    path = PathTemplate.parse("/{env:TOKEN}/{file:key}").fill({}, sources_at(tmp_path))
    assert path == "/a%2Fb/c%20d"


def test_a_placeholder_when_without_a_value_then_all_known_ones_are_named() -> None:
    with pytest.raises(TemplateProblem, match="'x' has no value; known are run, variant"):
        filled("/{x}", variant="naive", run="r1")


@given(texts)
def test_a_path_when_put_on_the_wire_twice_then_is_the_same(path: str) -> None:
    once = on_the_wire(path)
    assert on_the_wire(once) == once
    assert once.isascii()
    assert not set(once) & set(" \r\n#")


def test_a_value_when_no_text_then_is_kept() -> None:
    assert encoded({"a": [1, "/"], "b": None}) == {"a": [1, "%2F"], "b": None}
