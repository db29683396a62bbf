"""Every event, kind, command and room is documented, and nothing that is not there."""

import re
from typing import get_args

import pytest

from harness.assembly import vocabulary
from harness.cli import build_parser
from harness.model.events import AnyEvent
from tests.support.markdown import ROOT, headings, links, pages, rows

EVENTS = {kind.__name__ for kind in get_args(AnyEvent)}
SECTIONS = {
    "Toxics": "faults",
    "Services": "services",
    "Resets": "resets",
    "Probes": "probes",
    "Invariants": "invariants",
}


def commands():
    parser = build_parser()
    (subparsers,) = (
        action for action in parser._actions if hasattr(action, "choices") and action.choices
    )
    return dict(subparsers.choices)


def test_event_when_in_the_union_then_has_its_line_in_the_journal_reference():
    documented = {
        row[0].strip("`")
        for row in rows(ROOT / "docs/reference/journal.md")
        if row[0].startswith("`") and row[1]
    }
    assert documented == EVENTS


@pytest.mark.parametrize("section", SECTIONS)
def test_kind_when_registered_then_has_its_heading(section):
    documented = headings(ROOT / "docs/reference/kinds.md")[section]
    assert sorted(documented) == sorted(getattr(vocabulary(), SECTIONS[section]))


@pytest.mark.parametrize("command", sorted(commands()))
def test_command_when_asked_for_help_then_shows_an_example(command):
    shown = commands()[command].format_help()
    examples = shown.partition("example")[2]
    assert re.search(rf"harness {command}\b", examples), shown


def test_decision_when_written_then_is_numbered_listed_and_short():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text()
    found = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [path.name[:4] for path in found] == [f"{n:04}" for n in range(1, len(found) + 1)]
    for path in found:
        assert f"]({path.name})" in index, f"{path.name} is not in docs/decisions/README.md"
        assert 10 <= len(path.read_text().splitlines()) <= 45, path.name


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_link_when_it_stays_in_the_checkout_then_leads_somewhere(page):
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_contributing_when_it_says_where_something_goes_then_that_place_is_there():
    places = [
        place
        for row in rows(ROOT / "CONTRIBUTING.md")
        for place in re.findall(r"`([\w./-]+/[\w./-]*)`", row[1] if len(row) == 3 else row[0])
    ]
    assert len(places) > 15
    missing = [
        place
        for place in places
        if not ((ROOT / place).exists() or (ROOT / "harness" / place).exists())
    ]
    assert missing == []


def test_contributing_when_it_draws_the_rooms_then_they_are_those_of_the_contract():
    import tomllib

    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = pyproject["tool"]["importlinter"]["contracts"][0]["layers"]
    built = [[room.strip() for room in layer.split("|") if "(" not in room] for layer in layers]
    drawn = [
        [room.strip() for room in line.split("·")]
        for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines()
        if line.split(" ")[0] in {layer[0] for layer in built if layer}
    ]
    assert drawn == [layer for layer in built if layer]


def test_changelog_when_read_then_begins_with_what_is_unreleased():
    sections = list(headings(ROOT / "CHANGELOG.md"))
    assert sections[0] == "Unreleased"


def test_glossary_when_read_then_is_in_order():
    words = [row[0] for row in rows(ROOT / "docs/glossary.md")][1:]
    assert words == sorted(words)
