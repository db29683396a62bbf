"""What the replay takes in: intervals and the ways a call may count."""

import pytest

from harness.judge.breaker.classify import classify
from harness.judge.breaker.known import MS
from harness.judge.breaker.settlements import (
    FAIL,
    GOOD,
    NEVER,
    NONE,
    mask_of,
    settlements,
    slow_ones,
)
from tests.support.breaker_histories import Story


def story(**declared):
    made = Story(baseline=0, **declared)
    made.phase(5, "outage", fault="status")
    return made


def joined(written):
    return classify(written.history(), {}, 2 * MS)


def settled(written):
    return [
        (one.lo / MS, None if one.hi == NEVER else one.hi / MS, one.mask)
        for one in settlements(joined(written), written.declared, 2 * MS)
    ]


@pytest.mark.parametrize(
    ("letter", "declared", "mask"),
    [
        ("F", {}, FAIL),
        ("S", {}, GOOD),
        ("I", {}, GOOD | NONE),
        ("I", {"ignored_as": "nothing"}, NONE),
        ("I", {"ignored_as": "success"}, GOOD),
        ("L", {}, FAIL | NONE),
        ("L", {"cancellation": "failure"}, FAIL),
    ],
)
def test_call_when_joined_then_may_count_in_these_ways(letter, declared, mask):
    written = story(**declared)
    written.call(letter)
    assert mask_of(joined(written)[0]) == mask


def test_settlements_when_made_then_are_by_their_lower_ends_without_rejections():
    written = story()
    written.call("F", at=0, lasts=100)
    written.call("S", at=10, lasts=20)
    written.call("R", at=50)
    assert settled(written) == [(29, 32, GOOD), (99, 102, FAIL)]


def test_unknown_when_without_arrival_then_may_have_failed():
    written = story()
    written.call("U", at=10)
    written.gap(0, 100)
    written.call("R", at=50)
    assert settled(written) == [(10, 13, FAIL | NONE), (50, 53, FAIL | GOOD | NONE)]


def test_departure_when_it_went_on_then_has_no_upper_end():
    written = story()
    written.call("L", at=0, arrival_end="answered", arrival_status=200, ended=80)
    assert settled(written) == [(80, None, GOOD)]


def test_attempts_when_retries_are_around_the_breaker_then_settle_one_by_one():
    tries = [
        {"at": 1, "ended": 4},
        {"at": 11, "ended": None, "end": "open"},
        {"at": 21, "ended": 24},
    ]
    inside, around = story(attempts=3), story(attempts=3, around="breaker")
    for written in (inside, around):
        written.call("F", at=0, arrivals=tries, answered=26)
    assert settled(inside) == [(24, 28, FAIL)]
    assert settled(around) == [(4, 11, FAIL), (11, 21, FAIL), (24, 28, FAIL)]


def test_slow_calls_when_of_a_share_of_their_own_then_fail_and_others_are_good():
    written = story(slow=500, slow_share=0.5)
    written.call("S", at=0, lasts=600)
    written.call("F", at=1, lasts=5)
    written.call("F", at=2, lasts=700)
    written.call("R", at=3)
    masks = [one.mask for one in slow_ones(joined(written), written.declared)]
    assert masks == [GOOD, FAIL, FAIL]
