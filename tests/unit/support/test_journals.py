import pytest

from harness.judge.fold import judge
from harness.model.events import FaultSeen, ProbeRead, RoundFinished, RunStarted
from tests.support.journals import a, a_plan, a_round, a_run, an_outcome, changed, numbered, without


def test_run_when_built_then_is_numbered_and_holds():
    events = a_run(rounds=2)
    assert [event.n for event in events] == list(range(1, len(events) + 1))
    assert isinstance(events[0], RunStarted)
    assert judge(events).verdict == "held"


def test_run_when_given_rounds_then_its_plan_has_as_many():
    assert a_run([a_round(1)])[0].plan.rounds == 1
    assert a_run(2, plan=a_plan(rounds=9))[0].plan.rounds == 9


def test_round_when_built_then_its_balance_is_what_the_acknowledged_ones_leave():
    events = a_round(1, outcomes=("acknowledged", "rejected", "unknown"))
    assert next(e.value for e in events if a(ProbeRead, purpose="at-end")(e)) == 90


def test_events_when_changed_or_taken_out_then_at_least_one_is():
    events = a_run(1)
    assert next(e.hit for e in changed(events, a(FaultSeen), hit=7) if a(FaultSeen)(e)) == 7
    assert len(without(events, a(RoundFinished))) == len(events) - 1
    with pytest.raises(AssertionError, match="change nothing"):
        without(events, a(FaultSeen, round=99))
    with pytest.raises(AssertionError, match="change nothing"):
        changed(events, a(FaultSeen, round=99), hit=7)


def test_outcome_when_named_then_is_that_one():
    words = ("acknowledged", "rejected", "unknown")
    assert [type(an_outcome(word)).__name__.lower() for word in words] == list(words)


def test_events_when_numbered_again_then_follow_each_other():
    assert [event.n for event in numbered(reversed(a_run(1)))][:3] == [1, 2, 3]
