"""Forms that refuse a verdict without what it must rest on."""

import pytest
from msgspec.structs import replace

from harness.judge.breaker.finding import (
    MOST_ROWS,
    Draft,
    Subject,
    checked,
    counterexample,
    row,
    zero_of,
)
from harness.model.breaker_findings import Statistics
from tests.support.breaker_histories import Story

SUBJECT = Subject(id="BRK-08", name="trials", severity="critical", condition="≤ 1", phases=(8, 9))


def draft():
    return Draft(subject=SUBJECT)


def joined(text="FFFFF R"):
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    story.write(text)
    return story.known().calls


def test_held_when_all_needs_are_met_then_says_what_would_have_shown():
    made = draft()
    assert made.need("windows", 5, at_least=5)
    found = made.held_or_inconclusive("at most 1", power="much")
    assert (found.verdict, found.summary, found.power, found.missing) == (
        "held",
        "at most 1",
        "much",
        (),
    )
    assert (found.id, found.severity, found.phases) == ("BRK-08", "critical", (8, 9))


def test_held_when_a_need_is_not_met_then_is_inconclusive_with_it():
    made = draft()
    assert not made.need("windows", 3, at_least=5)
    assert not made.need("spread / latency", 0.75, at_most=0.25)
    made.lacks.append("too late")
    found = made.held_or_inconclusive("at most 1", power="much")
    assert found.verdict == "inconclusive"
    assert found.missing == ("3 of 5 windows", "spread / latency is 0.75, at most 0.25", "too late")
    assert found.summary == "; ".join(found.missing)
    assert found.power == ""


def test_inconclusive_when_said_then_has_its_reason_among_what_is_missing():
    assert draft().inconclusive("no baseline").missing == ("no baseline",)


def test_not_applicable_when_said_then_notes_why():
    found = draft().not_applicable("phase 8 was not run")
    assert (found.verdict, found.notes) == ("not-applicable", ("phase 8 was not run",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"power": ""}, "held without power"),
        ({"missing": ("x",)}, "held without power"),
        ({"needs": ()}, "held without a word of what it needed"),
        ({"verdict": "violated"}, "violated without a counterexample"),
        ({"verdict": "inconclusive"}, "inconclusive without what was missing"),
        ({"verdict": "not-applicable"}, "not applicable without a note"),
    ],
)
def test_finding_when_it_lacks_what_it_rests_on_then_is_refused(change, words):
    made = draft()
    made.need("windows", 5, at_least=5)
    sound = made.held_or_inconclusive("at most 1", power="much")
    with pytest.raises(ValueError, match=f"BRK-08: {words}"):
        checked(replace(sound, **change))


def test_violated_when_by_statistics_then_needs_no_rows():
    made = draft()
    made.need("windows", 5, at_least=5)
    sound = made.held_or_inconclusive("at most 1", power="much")
    by_number = replace(sound, verdict="violated", statistics=Statistics(method="clopper-pearson"))
    assert checked(by_number) is by_number


def test_counterexample_when_made_then_has_each_call_once_the_deciding_ones_first():
    calls = joined()
    found = counterexample("text", calls[3:5], around=calls, interval=(0, 1_500_000_000))
    assert [one["rid"] for one in found.rows] == [f"r{number:05}" for number in (4, 5, 1, 2, 3, 6)]
    assert (found.rows_left_out, found.interval) == (0, (0.0, 1.5))


def test_counterexample_when_long_then_counts_what_it_leaves_out():
    found = counterexample("text", joined("60F"))
    assert (len(found.rows), found.rows_left_out) == (MOST_ROWS, 10)


def test_row_when_written_then_has_both_axes_and_all_arrivals_in_seconds():
    calls = joined()
    assert row(calls[0]) == {
        "rid": "r00001",
        "key": "",
        "phase": "outage-status",
        "due": 0.0,
        "sent": 0.0,
        "answered": 0.005,
        "end": "answered",
        "status": 500,
        "class": "forwarded-failed",
        "flags": [],
        "arrivals": [
            {
                "conn": 1,
                "seq": 1,
                "attempt": 1,
                "arrived": 0.001,
                "ended": 0.004,
                "end": "answered",
                "status": 500,
                "injected": [],
            }
        ],
    }
    assert row(calls[5])["arrivals"] == []


@pytest.mark.parametrize(
    ("count", "bound"), [(5, "45.1%"), (10, "25.9%"), (20, "13.9%"), (60, "4.9%"), (300, "1.0%")]
)
def test_none_of_many_when_found_then_bounds_the_chance(count, bound):
    assert zero_of(count).startswith(f"0 of {count}: a chance of {bound} or more")
    assert zero_of(0) == ""
