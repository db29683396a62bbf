"""Stories become the histories that their letters say."""

import pytest

from tests.support.breaker_histories import MS, Story, letters


def story(**declared):
    made = Story(baseline=0, **declared)
    made.phase(5, "outage", fault="status")
    return made


def calls(written):
    return [
        (
            call.sent / MS,
            None if call.ended is None else call.ended / MS,
            call.status,
            call.end,
            [arrival.end for arrival in call.arrivals],
        )
        for call in written.history().calls
    ]


def test_letters_when_counted_then_repeat():
    assert letters("2F R 3S") == list("FFRSSS")
    for wrong in ("F?", "Q", "f"):
        with pytest.raises(ValueError, match="is no call"):
            letters(wrong)


def test_calls_when_sequential_then_each_begins_as_the_one_before_has_ended():
    written = story()
    assert written.write("FSR", gap=2) == ["r00001", "r00002", "r00003"]
    assert calls(written) == [
        (0, 5, 500, "answered", ["answered"]),
        (7, 12, 200, "answered", ["answered"]),
        (14, 15, 503, "answered", []),
    ]


def test_calls_when_open_loop_then_come_at_their_rate():
    written = story()
    written.write("3F", every=10, lasts=200)
    assert [sent for sent, *_ in calls(written)] == [0, 10, 20]
    phase = written.history().phases[0]
    assert (phase.rate, phase.planned) == (100, 3)


@pytest.mark.parametrize(
    ("letter", "end", "arrivals"),
    [
        ("T", "answered", ["abandoned"]),
        ("X", "answered", ["cut"]),
        ("L", "left", ["abandoned"]),
        ("H", "open", ["open"]),
        ("U", "reset", []),
        ("B", "answered", []),
    ],
)
def test_letter_when_written_then_ends_as_it_says(letter, end, arrivals):
    written = story()
    written.call(letter)
    assert calls(written)[0][3:] == (end, arrivals)


def test_burst_when_written_then_is_spread_evenly_and_due_at_once():
    written = story()
    written.silence(100)
    written.burst(11, spread=10, outcomes={"S": 1, "R": 10}, lasts={"S": 400})
    found = written.history()
    assert [call.sent / MS for call in found.calls] == list(range(100, 111))
    assert {call.due / MS for call in found.calls} == {100}
    assert (found.phases[0].callers, found.phases[0].given) == (11, {"spread": 10 * MS})
    with pytest.raises(ValueError, match="3 callers, but 2 outcomes"):
        written.burst(3, outcomes="2S")


def test_phases_when_begun_then_follow_each_other_and_healing_goes_on_at_once():
    written = Story()
    written.phase(5, "outage", fault="status")
    written.write("5F", every=10, lasts=200)
    written.phase(6, "heal")
    written.phase(5, "outage", fault="status")
    found = written.history()
    assert [phase.id for phase in found.phases] == [
        "baseline",
        "outage-status",
        "heal",
        "outage-status#2",
    ]
    outage, heal, again = found.phases[1:]
    assert heal.entered == outage.left
    assert again.entered > max(call.ended for call in found.calls)
    assert (outage.round, again.round) == (1, 2)
    assert found.faults[0].undone == (heal.entered, heal.entered)
    assert found.faults[0].injected == 5


def test_fault_when_written_then_takes_the_place_of_the_one_that_comes_by_itself():
    written = story()
    written.fault("status", applied=(1, 2), undone=(30, 31), injected=0)
    (span,) = written.history().faults
    assert (span.applied, span.undone, span.injected) == ((MS, 2 * MS), (30 * MS, 31 * MS), 0)


def test_arrivals_when_given_then_replace_the_one():
    written = story()
    written.call("F", arrivals=[{"at": 1, "ended": 2, "end": "cut"}, {"at": 5, "ended": 6}])
    (call,) = written.history().calls
    assert [(one.arrived / MS, one.end, one.began) for one in call.arrivals] == [
        (1, "cut", False),
        (5, "answered", True),
    ]


def test_story_when_without_a_phase_then_says_what_to_do():
    with pytest.raises(ValueError, match="no phase yet"):
        Story().write("F")


def test_declared_when_named_short_then_lands_in_its_part():
    plan = story(
        to_close=2,
        slow=500,
        slow_share=0.4,
        within=50,
        attempts=3,
        around="breaker",
        recovers_within=900,
        factor=2.0,
        fallback={"status": 200},
        call_timeout="none",
    ).declared
    assert (plan.trials.to_close, plan.slow.threshold, plan.retries.attempts) == (2, 0.4, 3)
    assert (plan.open.factor, plan.fallback.status, plan.no_call_timeout) == (2.0, 200, True)
    assert (plan.recovers_within.in_ms, plan.rejection.within.in_ms) == (900, 50)
    assert plan.call_timeout is None
