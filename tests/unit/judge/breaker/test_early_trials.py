import pytest

from harness.judge.breaker.early_trials import straggler_before, was_leak, was_trial
from harness.judge.breaker.known import MS
from tests.support.breaker_histories import Story


def looked_at(text, *, straggler=None, each=None):
    """Trips at 25 and rejects for 300; then ``text``, whose first call is the one let through early."""
    story = Story(baseline=0)
    story.phase(5, "outage", fault="status")
    if straggler is not None:
        story.call("S", at=0, lasts=straggler)
        story.silence(5)
    story.write("FFFFF")
    story.silence(10)
    story.write("30R", every=10)
    early, *_ = story.write(text, every=10, **(each or {}))
    story.silence(100)
    known = story.known()
    outage = known.outages[0]
    one = next(joined for joined in known.calls if joined.call.rid == early)
    until = outage.tau.lo + 998 * MS
    return known, outage, one, until


@pytest.mark.parametrize(
    ("text", "trial", "leak"),
    [
        ("S 20S", True, False),
        ("S 20R", False, True),
        ("S 5S 5R", False, False),
        ("S", False, False),
        ("F 20R", False, False),
        ("F 20F", False, False),
    ],
)
def test_early_call_when_it_succeeded_then_what_followed_tells_a_trial_from_a_leak(
    text, trial, leak
):
    known, outage, one, until = looked_at(text)
    assert was_trial(known, outage, known.calls, one, until) is trial
    assert was_leak(known.calls, one, until) is leak


def test_early_call_when_more_than_the_permits_went_through_beside_it_then_is_no_trial():
    known, outage, one, until = looked_at("S 20S", each={"lasts": 50})
    assert not was_trial(known, outage, known.calls, one, until)


def test_early_call_when_a_straggler_succeeded_before_it_then_that_is_the_cause():
    known, outage, one, until = looked_at("S 20S", straggler=200)
    cause = straggler_before(outage, known.calls, one)
    assert cause is not None
    assert cause.call.sent == 0
    assert not was_trial(known, outage, known.calls, one, until)


def test_early_call_when_the_straggler_succeeded_after_it_then_that_is_no_cause():
    known, outage, one, _ = looked_at("S 20S", straggler=500)
    assert straggler_before(outage, known.calls, one) is None
