"""What each call was: the table of §1.5, the intervals of §1.3."""

import pytest

from harness.judge.breaker.classify import classify
from harness.judge.breaker.known import MS, Interval
from tests.support.breaker_histories import Story


def one(letter="S", *, declared=None, before=None, **call):
    """The last call of a story, joined; δ = 2."""
    story = Story(baseline=0, **(declared or {}))
    story.phase(5, "outage", fault="status")
    if before is not None:
        before(story)
    story.call(letter, at=100, **call)
    return classify(story.history(), {}, 2 * MS)[-1]


def between(lo, hi):
    return Interval(round(lo * MS), None if hi is None else round(hi * MS))


@pytest.mark.parametrize(
    ("letter", "call", "cls", "outcome"),
    [
        pytest.param("S", {}, "forwarded-ok", "success", id="ok"),
        pytest.param("F", {}, "forwarded-failed", "failure", id="500"),
        pytest.param("X", {}, "forwarded-failed", "failure", id="cut"),
        pytest.param("I", {}, "forwarded-ignored", None, id="404-undeclared"),
        pytest.param("T", {}, "timed-out-forwarded", "failure", id="given-up"),
        pytest.param("L", {}, "left-forwarded", None, id="left-undeclared"),
        pytest.param("H", {}, "unknown", None, id="without-any-end"),
        pytest.param("R", {}, "short-circuited", None, id="rejected"),
        pytest.param("B", {}, "short-circuited", None, id="fallback"),
        pytest.param("U", {}, "unknown", None, id="reset-before-the-service"),
        pytest.param("R", {"end": "deadline"}, "unknown", None, id="parked-until-our-deadline"),
        pytest.param(
            "S", {"end": "deadline", "ended": 300}, "left-forwarded", "success", id="late-for-us"
        ),
        pytest.param(
            "S", {"end": "left", "answered": 150, "ended": 120}, "forwarded-ok", "success",
            id="left-after-the-hop-had-answered",
        ),
        pytest.param(
            "H", {"end": "left", "answered": 150}, "left-forwarded", None, id="left-and-open"
        ),
        pytest.param(
            "H", {"end": "answered", "answered": 150}, "timed-out-forwarded", "failure",
            id="answered-while-the-hop-still-hung",
        ),
        pytest.param(
            "S", {"answered": 400, "ended": 600, "answer": "other"}, "timed-out-forwarded",
            "failure", id="answered-without-waiting",
        ),
    ],
)  # fmt: skip
def test_call_when_joined_then_is_of_its_class(letter, call, cls, outcome):
    found = one(letter, **call)
    assert (found.cls, found.outcome) == (cls, outcome)


@pytest.mark.parametrize(
    ("declared", "letter", "outcome"),
    [
        ({"ignored_as": "nothing"}, "I", "nothing"),
        ({"ignored_as": "success"}, "I", "success"),
        ({"cancellation": "ignored"}, "L", "nothing"),
        ({"cancellation": "failure"}, "L", "failure"),
    ],
)
def test_outcome_when_declared_then_counts_so(declared, letter, outcome):
    assert one(letter, declared=declared).outcome == outcome


@pytest.mark.parametrize(
    ("slow", "lasts", "cls", "outcome"),
    [
        ({"slow": 500}, 500, "forwarded-ok", "success"),
        ({"slow": 500}, 503, "forwarded-slow", "failure"),
        ({"slow": 500, "slow_share": 0.5}, 503, "forwarded-slow", "success"),
        ({}, 9000, "forwarded-ok", "success"),
    ],
)
def test_good_call_when_longer_than_declared_then_is_slow(slow, lasts, cls, outcome):
    found = one("S", declared=slow, lasts=lasts)
    assert (found.cls, found.outcome) == (cls, outcome)


@pytest.mark.parametrize(
    ("letter", "call", "flags"),
    [
        pytest.param("S", {"answer": "other", "status": 502}, {"masked"}, id="good-behind"),
        pytest.param("S", {"end": "reset"}, {"masked"}, id="good-behind-then-reset"),
        pytest.param("F", {"answer": "fallback"}, {"fallback-after-failure"}, id="fallback"),
        pytest.param("T", {"answer": "success"}, {"fallback-after-failure"}, id="after-time-out"),
        pytest.param("L", {}, {"cancelled"}, id="left-and-abandoned"),
        pytest.param("L", {"arrival_end": "answered", "arrival_status": 200}, set(), id="went-on"),
        pytest.param("S", {}, set(), id="as-it-must"),
        pytest.param("F", {}, set(), id="passed-on"),
    ],
)
def test_axes_when_they_disagree_then_are_flagged(letter, call, flags):
    assert one(letter, **call).flags == flags


@pytest.mark.parametrize(
    ("declared", "call", "flags"),
    [
        ({}, {"answer": "success"}, set()),
        ({"rejection_status": 503}, {}, set()),
        ({"rejection_status": 503}, {"answer": "other"}, {"undeclared-rejection"}),
        ({"fallback": {"status": 200}}, {"answer": "fallback"}, set()),
        ({"within": 50}, {"answer": "other"}, set()),
    ],
)
def test_rejection_when_not_as_declared_then_is_flagged(declared, call, flags):
    assert one("R", declared=declared, **call).flags == flags


def test_rejection_when_the_bulkhead_is_full_then_may_be_its():
    def full(story):
        story.call("F", at=90, lasts=20)
        story.call("F", at=91, lasts=20)

    assert one("R", declared={"bulkhead": 2}, before=full).flags == {"maybe-bulkhead"}
    assert one("R", declared={"bulkhead": 3}, before=full).flags == set()


@pytest.mark.parametrize(
    ("letter", "call", "admitted", "settled"),
    [
        pytest.param("F", {}, (100, 101), (104, 107), id="answered"),
        pytest.param("X", {}, (100, 101), (104, 107), id="cut"),
        pytest.param("R", {}, (100, 101), None, id="rejected"),
        pytest.param("T", {}, (100, 101), (398, 403), id="given-up"),
        pytest.param("L", {}, (100, 101), (148, 153), id="left-and-abandoned"),
        pytest.param(
            "L", {"arrival_end": "answered", "arrival_status": 200, "ended": 180}, (100, 101),
            (180, None), id="left-and-went-on",
        ),
        pytest.param("H", {}, (100, 101), None, id="without-any-end"),
        pytest.param("U", {}, None, None, id="unknown"),
        pytest.param(
            "H", {"end": "answered", "answered": 150}, (100, 101), (148, 152), id="hop-still-hangs"
        ),
    ],
)  # fmt: skip
def test_decision_when_joined_then_lies_in_its_interval(letter, call, admitted, settled):
    found = one(letter, **call)
    assert found.admitted == (None if admitted is None else between(*admitted))
    assert found.settled == (None if settled is None else between(*settled))


def test_intervals_when_clocks_are_apart_then_widen_by_it():
    found = one("F", declared={"uncertainty": 40})
    assert found.admitted == between(100, 141)
    assert found.settled == between(64, 107)


def test_call_when_several_arrive_then_is_admitted_at_the_first_and_settles_with_the_last():
    tries = [{"at": 101, "ended": 104}, {"at": 150, "ended": 160}]
    found = one("F", arrivals=tries, answered=162)
    assert (found.admitted, found.settled) == (between(100, 101), between(160, 164))
    assert (found.attempts, found.transport_retries) == (2, 0)


def test_call_when_repeated_by_the_client_then_is_one_attempt():
    tries = [{"at": 101, "ended": 102, "end": "cut"}, {"at": 105, "ended": 106}]
    found = one("F", arrivals=tries, answered=108)
    assert (found.attempts, found.transport_retries) == (1, 1)
    assert found.flags == {"transport-retried"}


def test_call_when_its_id_is_not_its_own_then_is_unknown():
    def same(story):
        story.call("F", at=0, rid="twice")

    assert one("F", before=same, rid="twice").cls == "unknown"


@pytest.mark.parametrize(("gap", "cls"), [((90, 100), "unknown"), ((90, 99), "short-circuited")])
def test_rejection_when_the_log_has_a_gap_then_is_unknown(gap, cls):
    assert one("R", before=lambda story: story.gap(*gap)).cls == cls


def test_rejection_when_ids_are_not_readable_then_is_unknown():
    assert one("R", declared={"readable": False}).cls == "unknown"


def test_slack_when_of_its_phase_then_widens_settling():
    story = Story(baseline=0)
    phase = story.phase(5, "outage", fault="status")
    story.call("F", at=0)
    found = classify(story.history(), {phase: 30 * MS}, 2 * MS)[0]
    assert found.settled == between(4, 35)


@pytest.mark.parametrize(
    ("limit", "cls", "outcome"),
    [
        (58, "forwarded-slow", "failure"),
        (59.5, "forwarded-ok", None),
        (61, "forwarded-ok", "success"),
    ],
)
def test_answer_when_only_the_hop_saw_it_in_time_then_may_have_been_slow(limit, cls, outcome):
    """59 at the hop and 61 to its caller: the service waited for something in between."""
    found = one("S", declared={"slow": limit}, lasts=61, arrives=1, ended=160)
    assert (found.cls, found.outcome) == (cls, outcome)
