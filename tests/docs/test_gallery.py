"""The gallery has every variant of every experiment that we ship, and each came out as expected."""

import re

import pytest

from harness.assembly import Request, plans_of
from harness.outputs.gallery import COLUMNS
from harness.outputs.run_figures import expected_in_words
from tests.support.markdown import ROOT, rows

PAGE = ROOT / "docs" / "gallery.md"
AGAIN = "make the page anew, as its head says"


def gallery_rows():
    """The rows of all targets, each by the names of its columns."""
    found = [dict(zip(COLUMNS, cells, strict=False)) for cells in rows(PAGE)]
    return [row for row in found if row["experiment"] != "experiment"]


def name(cell):
    """The text of a link, or of code."""
    return re.sub(r"^\[([^]]+)\]\(.*\)$|^`([^`]+)`$", r"\1\2", cell)


def verdict_and_names(said):
    """``violated by a and b`` as the verdict and the set of names."""
    verdict, _, names = said.partition(" by ")
    return verdict, set(names.split(" and ")) if names else set()


@pytest.fixture(scope="module")
def plans():
    return plans_of(Request(files=(ROOT / "experiments",)))


def test_gallery_when_there_is_a_variant_of_an_experiment_then_it_has_a_row_and_no_other(plans):
    told = [(name(row["experiment"]), name(row["variant"])) for row in gallery_rows()]
    shipped = [(plan.experiment, plan.variant or "–") for plan in plans]
    assert sorted(told) == sorted(shipped), AGAIN


def test_gallery_when_a_verdict_is_expected_then_the_row_says_the_same(plans):
    told = {
        (name(row["experiment"]), name(row["variant"])): row["expected"] for row in gallery_rows()
    }
    shipped = {
        (plan.experiment, plan.variant or "–"): expected_in_words(plan.expected) for plan in plans
    }
    assert told == shipped, AGAIN


def test_gallery_when_it_is_shown_then_every_row_came_out_as_expected():
    for row in gallery_rows():
        expected, broken = verdict_and_names(row["expected"])
        seen, seen_broken = verdict_and_names(row["seen"])
        # Where no invariant is named, any may have been broken.
        assert seen == expected and (not broken or seen_broken == broken), row


def test_gallery_when_a_row_is_read_then_it_can_be_repeated_and_believed():
    for row in gallery_rows():
        assert row["seed"].isdecimal(), row
        assert re.fullmatch(r"\d+(/\d+ (broken|count|held))?", row["rounds"]), row
        assert row["what it does"], f"{row['variant']} has no title in its target file"
