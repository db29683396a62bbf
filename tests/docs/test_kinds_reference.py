"""The page about kinds names each attribute of each fault, and none that is not there."""

import dataclasses
import re

import pytest

from harness.assembly import vocabulary
from harness.experiment.fault_parts import ToxicFault
from harness.experiment.wording import keys_of
from tests.support.markdown import ROOT

KINDS = (ROOT / "docs/reference/kinds.md").read_text()
EXPERIMENT = (ROOT / "docs/reference/experiment-file.md").read_text()


def section(page, heading):
    """The text below a heading, up to the next one."""
    found = page.partition(f"\n### {heading}\n")[2]
    assert found, heading
    return re.split(r"^##", found, flags=re.MULTILINE)[0]


def rows(text):
    """What stands in backticks in the first column of its tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("word", "kind"), sorted(vocabulary().faults.items()))
def test_fault_when_it_has_attributes_then_its_section_has_their_rows(word, kind):
    text = section(KINDS, word)
    assert rows(text) == [field.name for field in dataclasses.fields(kind.Params)]
    assert f"{word}: " in text, "no example"
    one_way = getattr(kind, "streams", ()) == ("downstream",)
    assert ("Downstream\nonly" in text or "Downstream only" in text) is one_way


def test_fault_when_its_keys_are_shared_by_all_then_the_page_about_files_has_their_rows():
    assert sorted(rows(section(EXPERIMENT, "`fault`"))) == sorted(keys_of(ToxicFault))
