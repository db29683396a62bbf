"""Every command that a page shows is one that there is, with the options that it has."""

import io
import re
import shlex
from contextlib import redirect_stderr

import pytest

from harness.cli import build_parser
from tests.support.markdown import ROOT, blocks, pages

# What else a page may show; anything more is a command that nobody has looked at.
OTHERS = ("make", ".venv/bin/python", "curl")


def commands():
    """(where, words) of each line behind a ``$`` in a console block, without comment and redirection."""
    for page in pages():
        for block in blocks(page):
            if block.info[:1] != ("console",):
                continue
            for line in re.findall(r"^\$ (.+)$", block.text, re.MULTILINE):
                words = shlex.split(re.split(r"\s(?:[<>]|\|)", line)[0], comments=True)
                yield block.id, words


ALL = list(commands())
OURS = [(where, words) for where, words in ALL if words[0].removeprefix(".venv/bin/") == "harness"]
MADE = [(where, words) for where, words in ALL if words[0] == "make"]
IDS = [f"{where}-{'-'.join(words[1:])}".replace("/", ".") for where, words in OURS]


def test_commands_when_looked_for_then_there_are_some_and_each_is_of_a_known_program():
    assert len(OURS) >= 8 and len(MADE) >= 6
    assert {words[0] for _, words in ALL} <= {"harness", ".venv/bin/harness", *OTHERS}


@pytest.mark.parametrize(("where", "words"), OURS, ids=IDS)
def test_command_when_a_page_shows_it_then_the_parser_takes_it(where, words):
    said, left = io.StringIO(), 0
    try:
        with redirect_stderr(said):
            build_parser().parse_args(words[1:])
    except SystemExit as end:
        left = end.code
    assert left == 0, f"{where}: {shlex.join(words)}: {said.getvalue()}"


def test_make_when_a_page_shows_a_target_then_the_makefile_has_it():
    makefile = (ROOT / "Makefile").read_text()
    there = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {word for _, words in MADE for word in words[1:] if "=" not in word} <= there
    told = set(re.findall("[a-z]+", makefile.partition("# make ")[2].partition(".")[0]))
    assert told == there, "the head of the Makefile tells them all"
