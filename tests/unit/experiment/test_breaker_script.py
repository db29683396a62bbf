"""The script as a whole: which phases, in which order, how long, and what is said of what is assumed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.experiment.breaker_phases import NUMBER
from harness.experiment.breaker_script import (
    ALL_INVARIANTS,
    QUICK,
    beyond,
    derive,
    exercised,
    phases_of,
)
from harness.model.breaker import OpenTime, Slow, Trials, Window
from harness.model.breaker_script import Learnt
from harness.model.units import Duration
from tests.unit.experiment.breakers import declared

MS = st.integers(1, 600_000)
SPANS = MS.map(Duration.of_ms)
MAYBE = st.none() | SPANS


@st.composite
def declarations(draw):
    """Any declaration that the checks let pass, and some that they do not."""
    first = draw(MAYBE)
    kind = draw(st.sampled_from([None, "consecutive", "count-window", "time-window", "eject"]))
    windowed = kind in ("count-window", "time-window")
    share = draw(st.none() | st.floats(0.01, 1)) if windowed else None
    window = {"count-window": Window(calls=100), "time-window": Window(time=Duration.of_s(10))}
    slow = draw(MAYBE)
    return replace(
        declared(
            kind=kind,
            threshold=None if share else draw(st.none() | st.integers(1, 100)),
            share=share,
            opens=draw(st.sampled_from([None, "at", "above"])),
            window=window[kind] if windowed else None,
            minimum=draw(st.none() | st.integers(1, 50)) if share else None,
            trials=Trials(
                permits=draw(st.none() | st.integers(1, 20)),
                to_close=draw(st.none() | st.integers(1, 5)),
                lost_after=draw(MAYBE),
            ),
            no_call_timeout=draw(st.booleans()),
            slow=None if slow is None else Slow(over=slow),
            isolation=draw(st.sampled_from([None, "none", "key"])),
            bulkhead=draw(st.none() | st.integers(1, 200)),
            instances=draw(st.none() | st.integers(1, 4)),
            process=draw(st.sampled_from([None, "app"])),
            bursts=draw(st.none() | st.integers(1, 20)),
        ),
        open=None
        if first is None
        else OpenTime(
            first=first,
            factor=draw(st.floats(1, 4)),
            jitter=draw(st.floats(0, 1)),
            at_most=draw(MAYBE),
        ),
        call_timeout=draw(MAYBE),
    )


LEARNT = st.builds(
    Learnt,
    open=MAYBE,
    threshold=st.none() | st.integers(1, 200),
    call_timeout=MAYBE,
    spread=st.integers(0, 500).map(Duration.of_ms),
    slack=st.integers(1, 50).map(Duration.of_ms),
    latency=st.integers(1, 500).map(Duration.of_ms),
)


def scripts(plan, learnt=None):
    return (
        derive(replace(plan, script="quick"), learnt),
        derive(replace(plan, script="full"), learnt),
    )


@given(declarations(), LEARNT)
def test_script_when_derived_then_every_phase_has_a_name_a_length_and_an_end(plan, learnt):
    for script in scripts(plan, learnt):
        assert 20 <= script.rate <= 200
        assert len({phase.id for phase in script.phases}) == len(script.phases)
        for phase in script.phases:
            assert phase.number == NUMBER[phase.name]
            assert phase.lasts > Duration.ZERO
            assert phase.title and phase.until
            assert phase.calls is None or phase.calls > 0
            assert phase.load != "open" or phase.rate
            assert phase.load != "burst" or phase.callers
            assert phase.lasts >= phase.silence
            assert set(phase.feeds) <= set(ALL_INVARIANTS)


@given(declarations())
def test_script_when_derived_then_phases_stand_in_order_each_outage_with_its_healing(plan):
    for script in scripts(plan):
        names = [phase.name for phase in script.phases if phase.name != "heal"]
        order = list(NUMBER)
        if plan.threshold is None and plan.share is None:
            # How many failures are below the threshold is known once it was seen to trip.
            order.remove("below")
            order.insert(order.index("exact-trip") + 1, "below")
        assert names == sorted(names, key=order.index)
        for before, phase in zip(script.phases, script.phases[1:], strict=False):
            assert (before.name == "outage") == (phase.name == "heal")


@given(declarations())
def test_quick_script_when_compared_then_has_nothing_that_the_full_one_lacks(plan):
    quick, full = scripts(plan)
    names = {(phase.name, phase.fault) for phase in full.phases}
    assert {(phase.name, phase.fault) for phase in quick.phases} <= names
    assert {phase.name for phase in quick.phases} <= set(QUICK)
    assert set(exercised(quick)) <= set(exercised(full))
    assert quick.lasts < full.lasts


@given(declarations(), LEARNT)
def test_ids_when_something_is_learnt_then_stay_the_same(plan, learnt):
    """The driver finds by them what is left to do."""
    for name in ("quick", "full"):
        named = replace(plan, script=name)
        before = [phase.id for phase in derive(named).phases]
        assert [phase.id for phase in derive(named, learnt).phases] == before


TWO_SECONDS = declared(open=2, call_timeout=1, threshold=5, trials=Trials(permits=1))


def test_quick_script_when_it_opens_for_two_seconds_then_takes_about_a_minute():
    quick = derive(TWO_SECONDS)
    assert [phase.id for phase in quick.phases] == [
        "baseline", "exact-trip", "outage-status", "heal#1", "outage-latency", "heal#2",
        "burst-good", "burst-bad", "hung-trial", "slow",
    ]  # fmt: skip
    assert Duration.of_s(50) < quick.lasts < Duration.of_s(80)


def test_full_script_when_it_opens_for_two_seconds_then_takes_about_five_minutes():
    full = derive(replace(TWO_SECONDS, script="full"))
    assert Duration.of_s(240) < full.lasts < Duration.of_s(360)
    faults = [phase.fault for phase in full.phases if phase.name == "outage"]
    assert faults == ["status", "reset", "blackhole", "latency", "trickle", "refuse"]
    everything = replace(TWO_SECONDS, script="full", isolation="key", key="{a}", process="app")
    assert {phase.name for phase in derive(everything).phases} == set(NUMBER)


def test_full_script_when_it_opens_for_a_minute_then_takes_over_an_hour():
    slow = declared(open=60, call_timeout=1, threshold=5, script="full")
    assert derive(slow).lasts > Duration.of_s(3600)


def test_script_when_nothing_is_declared_then_says_what_stands_in_for_it():
    script = derive(declared())
    assert len(script.assumed) == 3
    assert script.assumed[0].startswith("open is not declared: 30 s until")
    assert (script.open, script.threshold, script.call_timeout) == (Duration.of_s(30), 200, None)
    found = Learnt(open=Duration.of_s(1), threshold=5, call_timeout=Duration.of_ms(500))
    assert derive(declared(), found).assumed == ()
    assert derive(declared(), found).lasts < script.lasts * 0.2


def test_script_when_only_the_call_timeout_is_not_known_then_that_alone_is_said():
    slow = Slow(over=Duration.of_ms(300))
    (said,) = derive(declared(open=1, threshold=5, slow=slow)).assumed
    assert said.startswith("call_timeout is not declared")
    assert derive(declared(open=1, threshold=5, slow=slow, no_call_timeout=True)).assumed == ()


def test_script_when_a_time_is_too_short_to_be_seen_then_says_so():
    (said,) = derive(declared(open=0.1, call_timeout=1, threshold=5)).assumed
    assert "550 calls/s would be needed" in said
    (said,) = derive(declared(open=1, call_timeout=0.1, threshold=500)).assumed
    assert "BRK-21 may stay inconclusive" in said


def names(script):
    return [phase.id for phase in script.phases]


def test_phases_when_chosen_then_run_with_the_baseline_alone():
    chosen = replace(TWO_SECONDS, phases=("burst-good", "burst-bad"), bursts=2)
    assert names(derive(chosen)) == [
        "baseline", "burst-good#1", "burst-good#2", "burst-bad#1", "burst-bad#2",
    ]  # fmt: skip
    assert exercised(derive(chosen)) == ("BRK-06", "BRK-08", "BRK-09", "BRK-10", "BRK-11", "BRK-25")


@pytest.mark.parametrize("name", ["outage", "heal"])
def test_phases_when_an_outage_or_its_healing_is_chosen_then_both_run(name):
    chosen = replace(TWO_SECONDS, phases=(name,))
    assert {phase.name for phase in derive(chosen).phases} == {"baseline", "outage", "heal"}


def test_phases_when_they_need_what_is_not_declared_then_what_shows_it_runs_as_well():
    script = derive(declared(call_timeout=1, phases=("hung-trial",)))
    assert names(script) == ["baseline", "exact-trip", "outage-status", "heal", "hung-trial"]
    assert [said.partition(",")[0] for said in script.assumed[-2:]] == [
        "one outage runs as well", "exact-trip runs as well"
    ]  # fmt: skip
    assert names(derive(declared(phases=("baseline",)))) == ["baseline"]


def test_phases_when_of_the_full_script_then_it_is_warmed_up_first():
    script = derive(replace(TWO_SECONDS, script="full", phases=("departures",)))
    assert names(script) == ["warm-up", "baseline", "departures"]


@pytest.mark.parametrize(
    ("kind", "some", "none"),
    [("in-flight", "outage-status", "burst-good"), ("eject", "outage-status", "hung-trial")],
)
def test_kind_when_it_has_no_half_open_then_phases_for_that_are_left_out(kind, some, none):
    ids = names(derive(replace(TWO_SECONDS, kind=kind)))
    assert some in ids and none not in ids


def test_failure_when_no_status_counts_as_one_then_the_downstream_resets():
    script = derive(replace(TWO_SECONDS, failure="cut or timed_out"))
    ids = names(script)
    assert "outage-reset" in ids and "outage-status" not in ids
    assert {phase.given.get("trip") for phase in script.phases} == {"reset"}


def test_failure_when_another_status_counts_as_one_then_that_is_answered():
    script = derive(replace(TWO_SECONDS, failure="status == 503"))
    assert {phase.status for phase in script.phases} == {503}


def test_quick_script_when_it_has_too_little_of_something_then_that_is_told():
    """Fourteen of 26 may be held, as the contract has it; three more may be found broken."""
    quick = derive(TWO_SECONDS)
    assert beyond(quick) == {
        "BRK-08": "2 of 5 bursts of trials",
        "BRK-11": "1 of 5 bursts of good trials",
        "BRK-25": "100 of 200 calls before and after an outage",
    }
    assert len(set(exercised(quick)) - set(beyond(quick))) == 14
    assert set(beyond(derive(replace(TWO_SECONDS, bursts=5)))) == {"BRK-25"}
    assert beyond(derive(replace(TWO_SECONDS, script="full"))) == {}
    assert beyond(derive(replace(TWO_SECONDS, phases=("slow",)))) == {
        "BRK-25": "0 of 200 calls before and after an outage"
    }


def test_names_when_asked_for_then_are_those_of_the_script():
    assert phases_of(TWO_SECONDS) == QUICK
    assert phases_of(replace(TWO_SECONDS, script="full")) == tuple(NUMBER)
