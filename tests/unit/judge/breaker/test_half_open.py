"""Which calls were trials, and what their settling decided."""

import pytest

from harness.judge.breaker.half_open import Needed, half_open
from harness.judge.breaker.known import Interval, Joined
from harness.model.breaker_history import Arrival, Call

ONE = Needed(to_close=1, to_reopen=(1, 1))
RANGED = Needed(to_close=1, to_reopen=(1, 3))


def trial(rid, sent, settled, outcome):
    """Arrives 1 after it was sent; ``settled`` None: it has no end."""
    arrival = Arrival(conn=sent, seq=1, arrived=sent + 1, rid=rid)
    return Joined(
        call=Call(rid=rid, phase="burst", due=sent, sent=sent, arrivals=(arrival,)),
        cls="forwarded-ok",
        admitted=Interval(sent, sent + 1),
        settled=None if settled is None else Interval(*settled),
        outcome=outcome,
    )


def good(rid, sent, *settled):
    return trial(rid, sent, settled or (sent + 5, sent + 7), "success")


def bad(rid, sent, *settled):
    return trial(rid, sent, settled or (sent + 5, sent + 7), "failure")


def refused(rid, sent):
    return Joined(
        call=Call(rid=rid, phase="burst", due=sent, sent=sent, ended=sent + 1, end="answered"),
        cls="short-circuited",
    )


def ended(forwarded, rejected=(), needed=ONE, still_closed=lambda _: True):
    found = half_open(forwarded, rejected, 0, needed, still_closed)
    when = None if found.when is None else (found.when.lo, found.when.hi)
    return found.how, when, [joined.call.rid for joined in found.trials]


def test_trial_when_good_then_closes_and_the_next_is_no_trial():
    assert ended([good("a", 10), good("b", 30)]) == ("closed", (15, 17), ["a"])


def test_trial_when_bad_then_reopens():
    assert ended([bad("a", 10), good("b", 30)]) == ("reopened", (15, 17), ["a"])


def test_nothing_when_let_through_then_is_unknown():
    assert ended([], [refused("r", 5)]) == ("unknown", None, [])


def test_calls_when_let_in_before_the_first_settled_then_are_all_trials():
    found = ended([good("a", 10, 50, 52), good("b", 12, 40, 42), good("c", 39, 60, 62)])
    assert found == ("closed", (40, 42), ["a", "b"])


def test_straggler_when_sent_before_the_trip_then_is_no_trial():
    assert ended([good("a", 0, 60, 62), bad("b", 10)]) == ("reopened", (15, 17), ["b"])


def test_trial_when_hung_then_others_are_trials_after_it():
    found = ended([trial("a", 10, None, None), good("b", 1000)])
    assert found == ("closed", (1005, 1007), ["a", "b"])


def test_trial_when_it_counts_for_nothing_then_decides_nothing():
    found = ended([trial("a", 10, (15, 17), "nothing"), trial("b", 20, (25, 27), None)])
    assert found == ("unknown", None, ["a", "b"])


def test_trials_when_several_must_succeed_then_close_with_the_last_of_them():
    needed = Needed(to_close=2, to_reopen=(1, 1))
    assert ended([good("a", 10), good("b", 30), good("c", 50)], needed=needed) == (
        "closed",
        (35, 37),
        ["a", "b"],
    )
    assert ended([good("a", 10), bad("b", 30)], needed=needed)[:2] == ("reopened", (35, 37))


def test_trial_when_its_settling_has_no_upper_end_then_is_unknown():
    assert ended([good("a", 10, 15, None)]) == ("unknown", None, ["a"])


@pytest.mark.parametrize(
    ("first", "how"), [(good("a", 10, 15, 17), "closed"), (bad("a", 10, 15, 17), "reopened")]
)
def test_trials_when_mixed_then_the_first_to_settle_decides(first, how):
    second = (bad if how == "closed" else good)("b", 12, 20, 22)
    assert ended([first, second])[:2] == (how, (15, 17))


def test_failures_when_needed_is_not_known_then_a_rejection_shows_it_open():
    found = ended([bad("a", 10), bad("b", 100)], [refused("r", 20)], RANGED)
    assert found == ("reopened", (15, 21), ["a"])


def test_rejection_when_a_trial_is_out_then_shows_nothing():
    found = ended([bad("a", 10), bad("b", 12, 30, 32)], [refused("r", 20)], RANGED)
    assert found == ("unknown", None, ["a", "b"])


def test_rejection_when_after_the_last_trial_then_shows_it_open():
    found = ended([bad("a", 10), bad("b", 12, 30, 32)], [refused("r", 40)], RANGED)
    assert found == ("reopened", (15, 41), ["a", "b"])


def test_failures_when_the_most_needed_are_there_then_it_is_open_for_certain():
    found = ended([bad("a", 10), bad("b", 30), bad("c", 50), bad("d", 70)], (), RANGED)
    assert found == ("reopened", (15, 57), ["a", "b", "c"])


def test_successes_when_needed_is_not_known_then_close_when_calls_stay_through():
    needed = Needed(to_close=None, to_reopen=(1, 1))
    trials = [good("a", 10), good("b", 30), good("c", 50)]
    found = ended(trials, needed=needed, still_closed=lambda since: since >= 37)
    assert found == ("closed", (35, 37), ["a", "b"])
    assert ended(trials, needed=needed, still_closed=lambda _: False)[0] == "unknown"


def test_instances_when_several_then_each_has_its_trials():
    needed = Needed(to_close=1, to_reopen=(1, 1), instances=2)
    assert ended([bad("a", 10), bad("b", 12), bad("c", 60)], needed=needed) == (
        "reopened",
        (15, 19),
        ["a", "b"],
    )
    assert ended([bad("a", 10)], needed=needed)[0] == "unknown"
    assert ended([good("a", 10), good("b", 30)], needed=needed)[:2] == ("closed", (15, 37))
    refusing = ended([good("a", 10), good("b", 30)], needed=needed, still_closed=lambda _: False)
    assert refusing[0] == "unknown"


@pytest.mark.parametrize("needed", [ONE, RANGED])
@pytest.mark.parametrize(
    ("closed", "how"), [(True, ("closed", (15, 17))), (False, ("reopened", (14, 31)))]
)
def test_trials_when_good_and_bad_settle_in_an_unknown_order_then_what_followed_tells(
    needed, closed, how
):
    trials = [good("a", 10, 15, 17), bad("b", 10, 14, 16)]
    found = ended(trials, [refused("r", 30)], needed, lambda _: closed)
    assert found[:2] == (how if needed is RANGED or closed else ("reopened", (14, 16)))
