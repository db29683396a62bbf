"""Events to history: joined by ids alone, whatever the order; what is not there stays visible."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.breaker.from_journal import BreakerCollector
from harness.judge.breaker.know import know
from harness.model import events as ev
from harness.model.units import Duration
from tests.support.breaker_histories import MS, Story
from tests.support.breaker_journals import (
    START,
    a_breaker_plan,
    a_breaker_run,
    at,
    fed,
    script_of,
)
from tests.support.journals import a, changed, without


def projected(history, events=None):
    collector = BreakerCollector.of(a_breaker_plan(history), started=START)
    return fed(collector, a_breaker_run(history) if events is None else events)


def eventful(letters="5F 3R T L X U H"):
    """A run with some of everything that the journal can tell."""
    story = Story(rate=100)
    story.baseline(10)
    story.phase(5, "outage", fault="status", lag=3, latency=7, capped=True, given={"parts": ["a"]})
    story.fault("status", applied=(0, 2), undone=(400, 404), injected=9, params={"status": 500})
    story.fault("refuse", applied=(410, 411), undone=(420, 421), injected=0, needs_seen=False)
    story.write(letters, every=10)
    story.stray(at=33)
    story.sample(at=20, rss=40, sockets=3, loop_lag=2, rejections=7, warming=True)
    story.sample(at=90, rss=50)
    story.call("S", at=150, arrivals=[{"at": 151, "ended": 155}, {"at": 160, "ended": 164}])
    story.call("S", at=165, due=162)
    story.call("S", at=170, key="shop", instance="4712", injected=("latency",))
    story.now += 500
    healed = [round((story.now + ms) * MS) for ms in (1, 4)]
    story.phase(6, "heal", given={"healed": healed})
    story.write("6S", every=10)
    story.phase(7, "silent-trial", reached=False, why="it was not closed")
    return story


def test_run_when_projected_then_is_the_history_that_it_was_made_of():
    history = eventful().history()
    assert projected(history) == history
    assert history.strays and history.samples and len(history.faults) == 2


@settings(max_examples=40)
@given(
    letters=st.lists(st.sampled_from("FSIRTLXUHB"), min_size=1, max_size=12).map("".join),
    seed=st.integers(0, 2**32),
)
def test_events_when_in_any_order_then_make_the_same_history(letters, seed):
    history = eventful(letters).history()
    events = script_of(history)
    random.Random(seed).shuffle(events)
    assert projected(history, events) == history


@pytest.mark.parametrize("seed", range(3))
def test_events_when_they_tell_the_same_instant_then_their_order_does_not_show(seed):
    """Ties go by what the hop and we ourselves count."""
    story = Story(baseline=0)
    story.phase(8, "burst-good", fault="status")
    story.burst(6, spread=0, outcomes="6F")
    history = story.history()
    events = script_of(history)
    random.Random(seed).shuffle(events)
    assert [call.rid for call in projected(history, events).calls] == [
        call.rid for call in history.calls
    ]


def test_history_when_asked_in_between_then_does_not_disturb_the_end():
    history = eventful().history()
    collector = BreakerCollector.of(a_breaker_plan(history), started=START)
    for event in a_breaker_run(history):
        collector.take(event)
        collector.history()
    assert collector.history() == history


def test_call_when_its_id_arrived_then_is_joined_though_nothing_else_fits():
    """Neither the phase nor the moment joins: an attempt may come long after, in another phase."""
    history = eventful().history()
    rid = history.calls[0].rid
    late = history.phases[-1]
    moved = changed(
        script_of(history),
        a(ev.HopRequestArrived, rid=rid),
        arrived=at(late.entered),
        phase=late.id,
    )
    (call,) = [call for call in projected(history, moved).calls if call.rid == rid]
    assert [arrival.arrived for arrival in call.arrivals] == [late.entered]


def test_arrival_when_its_id_is_of_nobody_then_is_a_stray_and_no_calls():
    history = eventful().history()
    rid = history.calls[3].rid
    for other in (None, "", "somebody-elses"):
        events = changed(script_of(history), a(ev.HopRequestArrived, rid=rid), rid=other)
        found = projected(history, events)
        assert len(found.strays) == len(history.strays) + 1
        assert found.calls[3].arrivals == ()


def test_call_when_several_arrivals_bear_its_id_then_has_all_in_their_order():
    history = eventful().history()
    found = projected(history, script_of(history)[::-1])
    (twice,) = [call for call in found.calls if len(call.arrivals) == 2]
    assert twice.arrivals[0].arrived < twice.arrivals[1].arrived


def test_ends_when_none_are_on_record_then_stay_open():
    history = eventful("FS").history()
    rid, arrival = history.calls[-1].rid, history.calls[-1].arrivals[0]
    of_call = [e for e in script_of(history) if isinstance(e, ev.OperationSent) and e.rid == rid]
    events = without(script_of(history), a(ev.OperationReturned, op=of_call[0].op))
    events = without(events, a(ev.HopRequestEnded, conn=arrival.conn, seq=arrival.seq))
    (call,) = [call for call in projected(history, events).calls if call.rid == rid]
    assert (call.end, call.ended, call.status, call.answer) == ("open", None, None, "none")
    assert (call.arrivals[0].end, call.arrivals[0].ended) == ("open", None)


def test_call_when_how_it_ended_is_not_told_then_its_status_tells():
    history = eventful("F").history()
    for status, end in ((200, "answered"), (None, "eof")):
        events = changed(script_of(history), a(ev.OperationReturned, op=0), how="", status=status)
        assert projected(history, events).calls[0].end == end


def test_call_when_nobody_planned_its_moment_then_was_due_when_it_was_sent():
    history = eventful().history()
    call = projected(
        history, changed(script_of(history), a(ev.OperationSent, op=0), due=None)
    ).calls[0]
    assert call.due == call.sent


def test_event_when_of_no_phase_then_is_passed_over():
    """Of rounds, warming requests and what else a journal holds nothing is a breaker's."""
    history = eventful().history()
    events = script_of(history)
    for kind in (ev.OperationSent, ev.HopRequestArrived, ev.FaultIntended):
        bare = changed(events, lambda event, kind=kind: isinstance(event, kind), phase="")
        found = projected(history, bare)
        counts = len(found.calls), sum(len(c.arrivals) for c in found.calls), len(found.faults)
        assert 0 in counts


def test_phase_when_the_run_ended_in_it_then_was_not_reached_and_says_so():
    history = eventful().history()
    (phase,) = [
        phase
        for phase in projected(
            history, without(script_of(history), a(ev.PhaseLeft, phase="outage-status"))
        ).phases
        if phase.name == "outage"
    ]
    assert (phase.left, phase.reached, phase.why) == (None, False, "the run ended in it")


def test_phase_when_it_never_began_then_is_none():
    history = eventful().history()
    events = without(script_of(history), a(ev.PhaseEntered, phase="heal"))
    assert [phase.name for phase in projected(history, events).phases] == [
        "baseline",
        "outage",
        "silent-trial",
    ]


def test_lag_when_told_of_callers_and_hop_then_is_the_worse():
    history = eventful().history()
    events = script_of(history)
    events.append(
        ev.LoopLagged(phase="outage-status", worst=Duration.of_ms(44), where="callers", t=START)
    )
    (phase,) = [phase for phase in projected(history, events).phases if phase.name == "outage"]
    assert phase.lag == 44 * MS


def test_moments_when_found_out_by_a_phase_then_are_relative_as_all_others():
    story = Story(baseline=0)
    moments = {"healed": [3 * MS, 5 * MS], "second": 7 * MS, "straggler_sent": 2 * MS}
    story.phase(17, "second-outage", given={**moments, "spread": 10 * MS, "trial": "r1"})
    history = story.history()
    (left,) = [event for event in script_of(history) if isinstance(event, ev.PhaseLeft)]
    assert left.given["second"] == START + 7 * MS
    assert projected(history).phases[0].given == history.phases[0].given


def test_fault_when_not_undone_then_its_end_is_open_and_when_never_applied_then_is_none():
    history = eventful().history()
    fault = "fault-0"
    events = script_of(history)
    open_end = projected(history, without(events, a(ev.FaultUndone, fault=fault))).faults
    assert [span.undone is None for span in open_end] == [True, False]
    assert [
        span.kind
        for span in projected(history, without(events, a(ev.FaultApplied, fault=fault))).faults
    ] == ["refuse"]


def test_fault_when_nobody_looked_for_it_then_was_not_injected_and_ought_to_be():
    history = eventful().history()
    events = without(script_of(history), lambda event: isinstance(event, ev.FaultSeen))
    assert [(span.injected, span.needs_seen) for span in projected(history, events).faults] == [
        (0, True),
        (0, True),
    ]


def test_fault_when_it_is_no_outage_of_the_script_then_bears_its_own_kind():
    history = eventful().history()
    events = changed(script_of(history), a(ev.FaultIntended, fault="fault-0"), outage="")
    assert {span.kind for span in projected(history, events).faults} == {
        "refuse",
        "toxic-of-status",
    }


def test_log_when_requests_were_dropped_then_has_a_gap_as_wide_as_the_read():
    story = eventful()
    story.gap(-30, -10)
    history = story.history()
    assert len(history.gaps) == 1
    assert projected(history) == history


def test_log_when_it_ends_before_the_calls_then_they_are_not_taken_for_rejected():
    """A journal that was torn within a phase has the calls, and not what the hop saw of them."""
    history = eventful("5S").history()
    last = history.phases[1].entered
    events = [
        event
        for event in script_of(history)
        if not isinstance(event, ev.HopRequestArrived | ev.HopRequestEnded)
        or event.t - START < last
    ]
    torn = changed(events, lambda event: isinstance(event, ev.HopRead), until=at(last))
    found = projected(history, torn)
    assert [since for since, _ in found.gaps] == [last]
    classes = {joined.cls for joined in know(found).calls if joined.call.sent >= last}
    assert classes == {"unknown"}


def test_log_when_nothing_of_it_was_read_then_all_of_it_is_a_gap():
    history = eventful("5S").history()
    events = [
        event
        for event in script_of(history)
        if not isinstance(event, ev.HopRequestArrived | ev.HopRequestEnded | ev.HopRead)
    ]
    ((since, until),) = projected(history, events).gaps
    assert since == 0
    assert until == max(call.ended for call in history.calls)


@pytest.mark.parametrize(
    ("requests", "unreadable", "readable"),
    [(0, 0, True), (0, 2, False), (3, 2, True), (3, 0, True)],
)
def test_hop_when_connections_spoke_no_http_then_is_readable_if_others_did(
    requests, unreadable, readable
):
    history = eventful().history()
    events = changed(
        script_of(history),
        lambda event: isinstance(event, ev.HopRead),
        requests=requests,
        unreadable=unreadable,
    )
    assert projected(history, events).readable is readable


@pytest.mark.parametrize("instances", [[], ["4712"], ["4712", "4713"], ["4712", None, "4713"]])
def test_instances_when_some_are_known_then_are_counted_and_at_least_one(instances):
    story = Story(baseline=0)
    story.phase(1, "baseline")
    for number, instance in enumerate(instances):
        story.call("S", at=10 * number, instance=instance)
    found = projected(story.history())
    assert found.instances_seen == max(1, len(set(instances) - {None}))
    assert [call.arrivals[0].instance for call in found.calls] == instances


def test_collector_when_the_plan_judges_no_breaker_then_refuses():
    plan = msgspec.structs.replace(a_breaker_plan(eventful().history()), breaker=None)
    with pytest.raises(AssertionError, match="judges no breaker"):
        BreakerCollector.of(plan, started=0)
