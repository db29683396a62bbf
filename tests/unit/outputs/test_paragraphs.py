"""Foreign text is harmless on a terminal, and long text keeps to its width."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.outputs.paragraphs import Span, cells, paragraph, render, safe, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\x1b[2Jgone", "\\x1b[2Jgone", id="escape-sequence"),
        pytest.param("\x9b31mred", "\\x9b31mred", id="eight-bit-escape"),
        pytest.param("a\rb\x08c\x07", "a\\rb\\x08c\\x07", id="carriage-return-backspace-bell"),
        pytest.param("pay \u202e001", "pay \\u202e001", id="right-to-left-override"),
        pytest.param("one\ntwo", "one\\ntwo", id="line-end-inside"),
        pytest.param("one\u2028two", "one\\u2028two", id="line-separator"),
        pytest.param("half \ud800", "half \\ud800", id="half-a-surrogate-pair"),
        pytest.param("a\tb", "a    b", id="tab"),
        pytest.param(
            "[bold red]Zürich[/] 95 % – 数", "[bold red]Zürich[/] 95 % – 数", id="harmless"
        ),
    ],
)
def test_safe_when_text_is_foreign_then_nothing_acts_on_the_terminal(
    text: str, expected: str
) -> None:
    assert safe(text) == expected


@given(st.text())
def test_safe_when_given_any_text_then_it_is_printable_and_stays_as_it_is_when_repeated(
    text: str,
) -> None:
    made = safe(text)
    assert not [char for char in made if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert safe(made) == made


@given(st.lists(st.text()), st.integers(1, 60), st.integers(0, 30))
def test_wrap_when_text_is_long_then_no_line_is_wider_and_no_character_is_lost(
    texts: list[str], width: int, hang: int
) -> None:
    para = paragraph(*texts, hang=hang)
    lines = ["".join(span.text for span in line) for line in wrap(para, width)]
    # A line has room for two cells at least, the width of the widest character.
    assert all(cells(line) <= max(width, min(hang, width // 2) + 2) for line in lines)
    assert "".join(lines).replace(" ", "") == para.text.replace(" ", "")


def test_wrap_when_a_line_is_continued_then_it_hangs_behind_the_label() -> None:
    para = paragraph("naive   ", "balance is 20 and 10 * acknowledged is 500", hang=8)
    assert render([para], width=30, color=False) == (
        "naive   balance is 20 and 10 *\n        acknowledged is 500\n"
    )


@pytest.mark.parametrize("amount", ["14 %", "40 ms", "5 s", "9 min"])
def test_wrap_when_a_number_has_a_unit_then_they_stay_together(amount: str) -> None:
    width = len("it took 14")
    assert render([paragraph(f"it took {amount}, or more")], width=width, color=False).startswith(
        f"it took\n{amount}, or"[: 8 + width]
    )


def test_wrap_when_a_paragraph_is_whole_then_a_path_is_not_cut() -> None:
    path = "runs/2026-11-25T10-12-31-bank overdraft-naive/"
    assert render([paragraph("files   ", path, hang=8, whole=True)], width=20, color=False) == (
        f"files   {path}\n"
    )


def test_render_when_colour_is_unwanted_then_there_are_no_control_characters() -> None:
    plain = render([paragraph(Span("violated", "bad"), " as expected")], width=80, color=False)
    assert plain == "violated as expected\n"


def test_render_when_colour_is_wanted_then_each_span_ends_its_own() -> None:
    painted = render([paragraph(Span("held", "good"), " fast")], width=80, color=True)
    assert painted == "\x1b[32mheld\x1b[0m fast\n"
