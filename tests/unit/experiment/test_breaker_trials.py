"""The phases around half-open have the callers, the silence and the time that their invariants need."""

import pytest
from msgspec.structs import replace

from harness.experiment.breaker_trials import (
    burst_bad,
    burst_good,
    departing_trial,
    hung_trial,
    leaving,
    silent_trial,
    slow,
)
from harness.model.breaker import OpenTime, Slow, Trials
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared
from tests.unit.experiment.test_breaker_phases import PLAN, scope


@pytest.mark.parametrize("make", [burst_good, burst_bad])
def test_burst_when_repeated_then_as_often_as_the_script_or_the_file_says(make):
    assert len(list(make(scope(full=False)))) == 1
    assert len(list(make(scope()))) == 5
    assert [p.repetition for p in make(scope(replace(PLAN, bursts=20), full=False))] == [
        *range(1, 21)
    ]


@pytest.mark.parametrize("make", [burst_good, burst_bad, hung_trial, departing_trial])
@pytest.mark.parametrize("open_for", [0.1, 2, 60])
def test_trial_when_due_then_nobody_has_called_since_the_trip(make, open_for):
    first, *_ = make(scope(declared(open=open_for, call_timeout=1, threshold=5)))
    least = max(1.2 * open_for, open_for + 0.3)
    assert first.silence >= Duration.of_s(least)
    assert first.lasts > first.silence + first.hold


def test_trial_when_the_open_time_has_jitter_then_the_silence_is_longer():
    jitter = replace(PLAN, open=OpenTime(first=Duration.of_s(2), jitter=0.5))
    assert next(burst_good(scope(jitter))).silence == Duration.of_s(3.4)


def test_burst_when_its_spread_was_measured_then_the_trial_overlaps_all_of_it():
    spread = Learnt(spread=Duration.of_ms(100))
    (phase,) = burst_good(scope(full=False, learnt=spread))
    assert phase.latency == Duration.of_ms(400)


def test_burst_when_many_permits_are_declared_then_ten_times_as_many_call():
    permits = replace(PLAN, trials=Trials(permits=30))
    assert next(burst_good(scope(permits))).callers == 300


def test_burst_when_bad_then_it_is_watched_for_the_next_open_state():
    (phase,) = burst_bad(scope(full=False))
    assert phase.hold == Duration.of_s(2) and phase.fault == "status"
    assert phase.rate * phase.hold.in_s >= 20


@pytest.mark.parametrize(
    "plan",
    [PLAN, declared(open=0.05, call_timeout=0.1, threshold=5), declared(open=1, threshold=5)],
    ids=["usual", "short", "no-timeout"],
)
def test_hung_trial_when_watched_then_sixty_calls_are_made_over_the_bound(plan):
    (phase,) = hung_trial(scope(plan))
    bound = Duration.of_ns(phase.given["bound"])
    assert phase.hold >= bound + Duration.of_s(2)
    assert phase.rate * phase.hold.in_s >= 60


def test_hung_trial_when_it_is_lost_after_a_time_then_that_is_the_bound():
    plan = declared(open=1, threshold=5, no_call_timeout=True)
    assert next(hung_trial(scope(plan))).given["bound"] == Duration.of_s(10).ns
    lost = replace(plan, trials=Trials(lost_after=Duration.of_s(20)))
    assert next(hung_trial(scope(lost))).given["bound"] >= Duration.of_s(21).ns


@pytest.mark.parametrize(("timeout", "leaves"), [(None, 0.2), (10, 0.2), (0.5, 0.1)])
def test_departing_trial_when_its_caller_leaves_then_well_before_the_time_out(timeout, leaves):
    at = scope(declared(open=1, call_timeout=timeout, threshold=5))
    assert leaving(at) == pytest.approx(leaves)
    (phase,) = departing_trial(at)
    assert phase.given["leaves"] == Duration.of_s(leaves).ns
    assert phase.feeds == ("BRK-14",)


def test_silent_trial_when_made_then_is_one_call():
    (phase,) = silent_trial(scope())
    assert (phase.calls, phase.silence) == (1, Duration.of_s(2.2))


def test_slow_when_a_timeout_is_known_then_so_late_that_work_would_pile_up():
    (phase,) = slow(scope())
    bound = 5 + phase.rate * 1 + 1
    assert phase.rate * phase.latency.in_s >= 4 * bound
    assert phase.hold >= Duration.of_s(15)
    (quick,) = slow(scope(full=False))
    assert quick.hold == Duration.of_s(15)


def test_slow_when_both_limits_are_declared_then_the_full_script_is_just_slow_first():
    plan = replace(PLAN, slow=Slow(over=Duration.of_ms(300)))
    first, second = slow(scope(plan))
    assert first.latency == Duration.of_ms(600) < PLAN.call_timeout
    assert first.feeds == ("BRK-15",) and "BRK-21" in second.feeds
    assert len(list(slow(scope(plan, full=False)))) == 1
    near = replace(PLAN, slow=Slow(over=Duration.of_ms(600)))
    assert len(list(slow(scope(near)))) == 1


def test_slow_when_the_timeout_is_found_out_meanwhile_then_the_phases_stay_as_they_are():
    plan = declared(open=2, threshold=5, slow=Slow(over=Duration.of_ms(300)))
    (before,) = slow(scope(plan))
    (after,) = slow(scope(plan, learnt=Learnt(call_timeout=Duration.of_s(1))))
    assert before.id == after.id == "slow"
    assert before.latency == Duration.of_ms(600) and after.latency == Duration.of_s(8)


def test_slow_when_a_call_takes_long_then_the_phase_is_at_most_a_minute():
    (phase,) = slow(scope(declared(open=1, call_timeout=30, threshold=5)))
    assert phase.hold == Duration.of_s(60)
