"""Every example of the two file references holds within the whole file of its page, and every key is told."""

import json
import re
from pathlib import Path

import pytest

from harness.assembly import vocabulary
from harness.experiment.include import merged
from harness.experiment.load import validate
from harness.experiment.nodes import Mapping, plain
from harness.experiment.report import Report
from harness.experiment.schema import json_schema
from harness.experiment.source import parse
from tests.support.markdown import ROOT, blocks, rows

PAGES = {which: ROOT / f"docs/reference/{which}-file.md" for which in ("experiment", "target")}
FRAGMENTS = [block for page in PAGES.values() for block in blocks(page) if "fragment" in block.info]


def whole(page):
    (block,) = [b for b in blocks(page) if b.info == ("yaml",)]
    return tree(block.text)


def tree(text):
    report = Report()
    root = parse(text, "page.yaml", report)
    assert not report, report.problems
    return root


def without(root, key):
    """The mapping without a key, so that the fragment's stands in its place as a whole."""
    entries = {name: entry for name, entry in root.entries.items() if name != key}
    return Mapping(entries=entries, mark=root.mark)


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: block.id)
def test_example_when_put_into_the_file_of_its_page_then_is_right(block, tmp_path):
    fragment, base = tree(block.text), whole(block.file)
    for key in fragment.entries:
        # Services, operations and probes stand beside those there are; the rest replaces them.
        if key not in ("services", "operations", "probes"):
            base = without(base, key)
    if "breaker" in fragment.entries:
        # It stands in the place of these, and its invariants have names of their own.
        for key in ("method", "invariants", "variants"):
            base = without(base, key)
    for key, name in ((k, n) for k, e in fragment.entries.items() for n in names(e.value)):
        below = base.entries.get(key)
        if below is not None and isinstance(below.value, Mapping):
            below.value.entries.pop(name, None)
    file = tmp_path / "page.yaml"
    file.write_text(json.dumps(plain(merged(fragment, base))))
    (tmp_path / "reset.sql").write_text("SELECT 1;")
    (checked,) = validate([Path(file)], kinds=vocabulary())
    assert [str(problem) for problem in checked.problems] == []


def names(node):
    return list(node.entries) if isinstance(node, Mapping) else []


@pytest.mark.parametrize("which", PAGES)
def test_key_when_it_is_in_the_schema_then_has_its_line_on_the_page(which):
    schema = json_schema(which, vocabulary())
    told = {word for row in rows(PAGES[which]) for word in re.findall(r"`([\w.]+)`", row[0])}
    told = {part for word in told for part in word.split(".")}
    assert set(schema["properties"]) <= told
    parts = {
        "experiment": (
            *("Prepare", "OneBurst", "Arrivals", "Fault_latency", "Settle"),
            *("Breaker", "OpenTimes", "Trials", "Slow", "Rejection", "Fallback", "Retries"),
        ),
        "target": ("Hop", "Operation", "Ready", "Variant", "Service_run"),
    }[which]
    shown = told | set(re.findall(r"`(\w+):?", PAGES[which].read_text()))
    for part in parts:
        missing = set(schema["$defs"][part]["properties"]) - shown - {"latency", "jitter"}
        assert not missing, f"{part}: {missing}"
