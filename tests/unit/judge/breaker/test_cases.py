"""The joined table: one row a call, as it was judged."""

import msgspec
import pytest

from harness.judge.breaker.cases import cases
from tests.support.breaker_histories import Story


def a_story(**declared):
    story = Story(baseline=20, **declared)
    story.phase(5, "outage", fault="status")
    story.write("5F 3R")
    story.call("S", at=200, arrivals=[{"at": 201, "ended": 204}, {"at": 206, "ended": 210}])
    story.stray(at=33)
    return story


def test_table_when_made_then_has_one_row_a_call_in_the_order_of_sending():
    story = a_story()
    rows = list(cases(story.history()))
    assert [row["rid"] for row in rows] == [call.rid for call in story.history().calls]
    assert [row["sent"] for row in rows] == sorted(row["sent"] for row in rows)


def test_row_when_read_then_says_what_the_judge_took_the_call_for():
    classes = [joined.cls for joined in a_story().known().calls]
    rows = list(cases(a_story().history()))
    assert [row["class"] for row in rows] == classes
    assert {"forwarded-ok", "forwarded-failed", "short-circuited"} <= set(classes)
    assert [len(row["arrivals"]) for row in rows][-4:] == [0, 0, 0, 2]
    assert [arrival["attempt"] for arrival in rows[-1]["arrivals"]] == [1, 2]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"lasts": -5}, id="the-clock-contradicts-itself"),
        pytest.param({"lasts": 5, "arrives": -9}, id="arrived-before-it-was-sent"),
    ],
)
def test_table_when_nothing_was_judged_then_has_no_row(broken):
    story = a_story()
    story.call("S", at=300, **broken)
    assert story.result().error
    assert list(cases(story.history())) == []


def test_table_when_the_declaration_cannot_be_read_then_has_no_row():
    history = a_story().history()
    history = msgspec.structs.replace(
        history, declared=msgspec.structs.replace(history.declared, failure="status >=")
    )
    assert list(cases(history)) == []
