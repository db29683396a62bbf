import json

import msgspec

from harness.judge.breaker.evidence import parts
from harness.model.breaker_findings import BreakerResult
from tests.support.breaker_histories import Story


def outage(**declared):
    story = Story(**declared)
    story.phase(5, "outage", fault="status", lag=3)
    story.write("FFFFF")
    story.write("95R", every=10)
    story.phase(6, "heal")
    story.write("10R", every=10)
    story.write("60S", every=10)
    return story


def evidence(story):
    return parts(story.known())


def test_parts_when_given_to_the_result_then_fill_it_and_are_json():
    found = evidence(outage())
    BreakerResult(verdict="held", reason="", invariants=(), **found)
    assert json.loads(json.dumps(found)) == json.loads(msgspec.json.encode(found))


def test_parts_when_there_is_not_even_a_call_then_are_json_all_the_same():
    json.dumps(parts(Story(baseline=0).known()))


def test_declared_when_resolved_then_says_what_is_not_there():
    found = evidence(outage(within=40))["declared"]
    assert found["threshold"] == 5
    assert found["open"] == {"first": 1.0, "factor": 1.0, "jitter": 0.0}
    assert found["rejection"] == {"within": 0.04}
    assert found["call_timeout"] == 0.3
    assert found["failure"] == "status >= 500 or cut or timed_out"
    assert {"slow", "bulkhead", "isolation", "process"} <= set(found["undeclared"])
    assert not {"share", "threshold", "calls", "phases", "failure"} & set(found["undeclared"])


def test_declared_when_nothing_is_then_the_threshold_is_named_once():
    found = evidence(outage(threshold=None, open=None, permits=None, call_timeout=None))["declared"]
    assert {"threshold", "open", "trials", "call_timeout", "kind"} <= set(found["undeclared"])
    assert "share" not in found["undeclared"]


def test_declared_when_there_is_no_call_timeout_then_says_none():
    assert evidence(outage(call_timeout="none"))["declared"]["call_timeout"] == "none"


def test_clock_when_a_phase_lagged_then_its_slack_is_in_ms():
    clock = evidence(outage())["clock"]
    assert clock["slack_ms"] == {"baseline": 2.0, "outage-status": 5.0, "heal": 2.0}
    assert clock["loop_lag_ms_max"] == 3.0
    assert (clock["uncertainty_ms"], clock["reaction_ms"]) == (0.0, 0.0)


def test_load_when_asked_then_is_of_each_phase():
    load = {one["phase"]: one for one in evidence(outage())["load"]}
    assert load["outage-status"]["planned_per_s"] == 100
    assert load["heal"]["sent"] == 70
    assert load["heal"]["cap_reached"] is False


def test_load_when_too_low_then_the_lack_stands_beside_it():
    story = Story()
    story.phase(5, "outage", fault="status", planned=500)
    story.write("60F", every=10)
    load = {one["phase"]: one for one in evidence(story)["load"]}
    assert load["outage-status"]["lack"]


def test_faults_when_asked_then_stay_intervals_in_seconds():
    [fault] = evidence(outage())["faults"]
    assert (fault["phase"], fault["kind"], fault["injected"]) == ("outage-status", "status", 5)
    assert len(fault["applied"]) == len(fault["undone"]) == 2
    assert 1 < fault["applied"][0] < fault["undone"][0] < 10


def test_classes_when_counted_then_are_by_phase():
    story = outage()
    story.call("S", at=story.at, status=500, answer="other")
    story.stray(at=story.at)
    classes = evidence(story)["classes"]
    assert classes["baseline"]["forwarded-ok"] == 200
    assert classes["outage-status"]["forwarded-failed"] == 5
    assert classes["outage-status"]["short-circuited"] == 95
    assert classes["heal"]["masked"] == 1
    assert classes["heal"]["strays"] == 1
    assert classes["heal"]["transport_retries"] == 0


def states(story):
    return [(one["state"], one["because"]["rule"]) for one in evidence(story)["timeline"]]


def test_timeline_when_it_opened_and_closed_then_tells_its_states_in_order():
    story = outage()
    assert [state for state, _ in states(story)] == ["closed", "open", "half-open", "closed"]
    timeline = evidence(story)["timeline"]
    opened = timeline[1]
    assert opened["because"]["rule"] == "5 failures had settled"
    assert opened["because"]["count"] == 5
    assert len(opened["because"]["rids"]) == 5
    assert timeline[0]["to"] == opened["from"]
    assert timeline[2]["to"] == timeline[3]["from"]
    assert timeline[3]["because"]["rule"] == "trials succeeded"


def test_timeline_when_a_trial_failed_then_opens_again():
    story = Story()
    story.phase(5, "outage", fault="status")
    story.write("FFFFF")
    story.write("101R", every=10)
    story.write("F", every=10)
    story.write("60R", every=10)
    found = states(story)
    assert [state for state, _ in found] == ["closed", "open", "half-open", "open"]
    assert found[3][1] == "a trial failed"


def test_timeline_when_it_never_opened_then_is_closed_throughout():
    story = Story()
    story.baseline()
    [span] = evidence(story)["timeline"]
    assert span["state"] == "closed"
    assert span["because"]["rule"] == "never seen to open"


def test_timeline_when_a_phase_ends_open_then_the_next_begins_closed():
    story = Story()
    for _ in range(2):
        story.phase(4, "exact-trip", fault="status")
        story.write("FFFFFR")
    found = [state for state, _ in states(story)]
    assert found[0] == "closed"
    assert found.count("closed") == 2
    assert found.count("open") == 2


def test_timeline_when_many_failed_then_names_ten_of_them():
    story = Story(threshold=30)
    story.phase(5, "outage", fault="status")
    story.write("30FR")
    opened = next(one for one in evidence(story)["timeline"] if one["state"] == "open")
    assert len(opened["because"]["rids"]) == 10
    assert opened["because"]["count"] == 30
