"""What is said of a breaker beside its invariants."""

import msgspec
import pytest

from harness.judge.breaker.judge import judge
from harness.model.breaker_findings import BreakerFinding
from harness.outputs.breaker_block import breaker_paragraphs
from harness.outputs.paragraphs import render
from tests.support.breaker_histories import Story
from tests.support.breaker_lives import a_life

NOT_RUN = "phase 11 (departing-trial) was not run"
NEVER_OPEN = (
    "never seen to open (BRK-01): phases 4 and 5 had no open state to judge, 9 calls failed"
)
QUICK = "not exercised enough by the quick script: 2 of 5 windows"


def a_breaker(**changes):
    story = Story(baseline=0)
    story.phase(1, "baseline")
    story.write("3S")
    bare = {"invariants": (), "inferred": {}, "neighbours": (), "life": {}}
    return msgspec.structs.replace(judge(story.history()), **{**bare, **changes})


def left_out(number, *notes):
    return BreakerFinding(
        id=f"BRK-{number:02d}",
        name="a promise",
        verdict="not-applicable",
        severity="major",
        condition="",
        summary=notes[-1],
        notes=notes,
    )


def said(breaker, width=100):
    return render(breaker_paragraphs(breaker), width=width, color=False)


def test_breaker_when_there_is_nothing_to_tell_then_is_silent():
    assert said(a_breaker()) == ""


def test_found_when_values_were_inferred_then_tells_them_in_words():
    inferred = {
        "threshold": {"value": 5, "from": [5, 5]},
        "open": {"seconds": 1.498, "factor": 1.0},
        "permits": {"value": 1, "of": 100},
        "call_timeout": {"seconds": 0.6},
        "to_close": {"value": 2, "from": [2]},
        "something-new": {"value": 3},
    }
    assert said(a_breaker(inferred=inferred), width=200) == (
        "found    trips after 5 failures, opens for 1.50 s, lets 1 of 100 through half-open, "
        "gives a call up after 0.60 s, closes after 2 good trials\n"
    )


@pytest.mark.parametrize(
    ("inferred", "told"),
    [
        ({"to_close": {"value": 1}}, "closes after 1 good trial\n"),
        ({"threshold": {"value": 1}}, "trips after 1 failure\n"),
        ({"permits": {"value": 200, "of": 200}}, "lets 200 of 200 through half-open\n"),
    ],
)
def test_found_when_it_is_one_then_is_no_plural(inferred, told):
    assert said(a_breaker(inferred=inferred)) == f"found    {told}"


@pytest.mark.parametrize("inferred", [{}, {"threshold": {"value": None}}, {"open": "unknown"}])
def test_found_when_nothing_is_known_then_has_no_line(inferred):
    assert said(a_breaker(inferred=inferred)) == ""


def test_not_asked_when_several_lack_the_same_then_share_a_line():
    invariants = (
        left_out(4, NEVER_OPEN),
        left_out(8, QUICK),
        left_out(11, "at most 0 requests in flight then", QUICK.replace("2 of 5", "1 of 5")),
        left_out(14, NOT_RUN),
        left_out(18, "isolation is not declared, and phase 15 (keys) was not run"),
        left_out(20, "kind in-flight has nothing that this invariant speaks of"),
    )
    assert said(a_breaker(invariants=invariants)).splitlines() == [
        "not asked  BRK-04: never seen to open (BRK-01)",
        "not asked  BRK-08, BRK-11: not exercised enough by the quick script",
        "not asked  BRK-14, BRK-18: no phase of this run was for that",
        "not asked  BRK-20: kind in-flight has nothing that this invariant speaks of",
    ]


def test_not_asked_when_an_invariant_was_judged_then_is_not_among_them():
    judged = msgspec.structs.replace(left_out(1, NOT_RUN), verdict="held", power="0 of 9")
    assert said(a_breaker(invariants=(judged,))) == ""


def test_neighbour_when_seen_then_is_told_and_when_not_then_not():
    neighbours = (
        {"name": "retry amplification", "verdict": "seen", "text": "3 attempts a call"},
        {"name": "order of time-outs", "verdict": "not seen", "text": "no caller gave up"},
        {"name": "exhausted connection pool", "verdict": "not looked at", "text": "no burst"},
    )
    assert said(a_breaker(neighbours=neighbours)) == (
        "beside it  retry amplification: 3 attempts a call\n"
    )


def test_picture_when_there_is_a_life_then_is_drawn_with_its_signs_and_where_all_of_it_is():
    lines = said(a_breaker(life=a_life())).splitlines()
    assert lines[0].startswith("state      ──")
    assert lines[-1] == "─ closed  █ open  ▒ half-open  · unknown; all of it: breaker.svg"


def test_picture_when_the_screen_is_narrow_then_is_not_broken_into_pieces():
    narrow = said(a_breaker(life=a_life()), width=20)
    assert narrow == said(a_breaker(life=a_life()), width=200)
