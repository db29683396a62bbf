"""What a breaker's findings come to for its run: the worst wins, and nothing is held that was not tried."""

import dataclasses

import msgspec
import pytest

from harness.judge import fold
from harness.judge.breaker.judge import conclude
from harness.judge.breaker.judge import judge as judge_breaker
from harness.judge.breaker_run import as_findings, conclusion_of_breaker
from harness.judge.fold import folded, judge
from harness.judge.result import result_of
from harness.judge.run_view import RunView
from harness.model.breaker_findings import BreakerCounterexample, BreakerFinding
from harness.model.events import (
    FaultUndone,
    HarnessFailed,
    HopRead,
    HopRequestArrived,
    HopRequestEnded,
    Interrupted,
    OperationReturned,
    PhaseLeft,
    RunFinished,
)
from harness.model.plan import Expected
from harness.model.verdicts import InvariantFinding, Verdict
from tests.support.breaker_histories import Story
from tests.support.breaker_journals import START, a_breaker_plan, a_breaker_run, at
from tests.support.journals import a, changed, numbered, without

ALL = 26


def sound():
    """Bursts on a healthy service, all passed on side by side: little is asked, and all of it held."""
    story = Story()
    for _ in range(3):
        story.phase(2, "transparent", given={"bursts": [20]})
        story.burst(20, spread=5, outcomes="20S", lasts={"S": 100})
        story.silence(300)
    return story


def outage():
    story = Story(baseline=100)
    story.phase(5, "outage", fault="status")
    story.write("5F 95R", every=10)
    return story


def finding(number, verdict):
    return BreakerFinding(
        id=f"BRK-{number:02d}",
        name="a promise",
        verdict=verdict,
        severity="major",
        condition="",
        summary=f"{verdict} it is",
        power="0 of 300" if verdict == "held" else "",
        notes=("phase 7 was not run",) if verdict == "not-applicable" else (),
        counterexample=BreakerCounterexample(text="r1") if verdict == "violated" else None,
    )


def result_with(*verdicts, **changes):
    """The result of a run with these verdicts first, and the others not applicable."""
    padded = [*verdicts, *["not-applicable"] * (ALL - len(verdicts))]
    found = tuple(finding(number, verdict) for number, verdict in enumerate(padded, 1))
    return msgspec.structs.replace(judge_breaker(sound().history()), invariants=found, **changes)


def view_of(result, *, finished=True, contradictions=(), not_undone=()):
    started = a_breaker_run(sound().history())[0]
    return RunView(
        started=started,
        finished=RunFinished() if finished else None,
        stops=(),
        contradictions=contradictions,
        rounds=(),
        invariants=as_findings(result),
        faults=(),
        steady_before=None,
        steady_after=None,
        not_undone=not_undone,
        notes=(),
        breaker=result,
    )


def verdict_of(result, **view):
    return conclusion_of_breaker(view_of(result, **view), result).verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("held",), Verdict.HELD),
        (("held", "not-applicable", "held"), Verdict.HELD),
        (("held", "inconclusive"), Verdict.INCONCLUSIVE),
        (("inconclusive",), Verdict.INCONCLUSIVE),
        (("held", "inconclusive", "violated"), Verdict.VIOLATED),
        (("violated", "held"), Verdict.VIOLATED),
        (("not-applicable",), Verdict.INCONCLUSIVE),
        ((), Verdict.INCONCLUSIVE),
    ],
    ids=lambda each: "+".join(each) or "none" if isinstance(each, tuple) else "",
)
def test_run_when_its_invariants_differ_then_takes_the_worst_of_those_that_took_part(
    verdicts, expected
):
    assert verdict_of(result_with(*verdicts)) is expected


def test_run_when_nothing_applied_then_says_that_nothing_was_judged():
    result = result_with()
    conclusion = conclusion_of_breaker(view_of(result), result)
    assert "no invariant was judged" in conclusion.missing


def test_run_when_only_what_stands_beside_the_breaker_held_then_is_not_held():
    beside = InvariantFinding(name="paid-once", kind="at_end", verdict="held", summary="held")
    result = result_with()
    view = dataclasses.replace(view_of(result), invariants=(beside,))
    assert conclusion_of_breaker(view, result).verdict is Verdict.INCONCLUSIVE


def test_run_when_the_clock_contradicts_then_is_an_error_whatever_else_was_found():
    result = result_with("violated", error="the run's clock is broken: r1")
    assert verdict_of(result) is Verdict.ERROR


def test_run_when_its_journal_contradicts_itself_then_is_an_error():
    assert verdict_of(result_with("held"), contradictions=("twice",)) is Verdict.ERROR


def test_run_when_a_piece_of_evidence_is_missing_then_is_not_held():
    assert verdict_of(result_with("held")) is Verdict.HELD
    torn = conclusion_of_breaker(view_of(result_with("held"), finished=False), result_with("held"))
    assert torn.verdict is not Verdict.HELD
    assert "nothing is known of the end of the run" in torn.missing
    assert verdict_of(result_with("held"), not_undone=("a toxic",)) is not Verdict.HELD


def test_run_when_only_strays_were_counted_then_no_call_was_sent():
    """What others sent to the downstream is no traffic of ours."""
    load = tuple({**each, "sent": 0} for each in result_with().load)
    result = result_with("held", load=load, classes={"baseline": {"strays": 7}})
    conclusion = conclusion_of_breaker(view_of(result), result)
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert "no call was sent" in conclusion.missing


def test_findings_when_not_applicable_then_are_left_out_and_the_others_keep_their_words():
    found = as_findings(result_with("held", "violated", "inconclusive"))
    assert [(one.name, one.verdict) for one in found] == [
        ("BRK-01", "held"),
        ("BRK-02", "violated"),
        ("BRK-03", "inconclusive"),
    ]
    assert found[1].counterexample.summary == "r1"
    assert found[0].evidence == {"title": "a promise", "severity": "major", "power": "0 of 300"}
    assert {one.kind for one in found} == {"breaker"}


# Whole runs, through the fold


def test_journal_when_folded_then_its_breaker_is_judged_as_its_history_is():
    history = sound().history()
    followed = folded(a_breaker_run(history))
    assert msgspec.structs.replace(followed.result().breaker, cases=None) == judge_breaker(history)
    assert [row["rid"] for row in followed.cases()] == [call.rid for call in history.calls]


def test_run_when_sound_then_says_on_how_many_it_held_and_who_left_the_others_out():
    result = judge(a_breaker_run(sound().history()))
    assert (result.verdict, result.exit_code, result.as_expected) == ("held", 0, True)
    assert [one.name for one in result.invariants] == ["BRK-22"]
    assert result.reason == "held on 1 of 26; 25 not exercised by the quick script"


def test_run_when_held_on_some_then_says_no_more_than_that():
    found = result_with(*["held"] * 14).invariants
    _, reason = conclude(found, "quick")
    assert reason == "held on 14 of 26; 12 not exercised by the quick script"
    assert result_of(view_of(result_with(*["held"] * 14, reason=reason))).reason == reason


def test_run_when_a_promise_is_broken_then_is_violated_and_its_number_can_be_expected():
    story = Story(baseline=100, rate=100)
    story.phase(5, "outage", fault="status")
    story.write("300F", every=10)
    history = story.history()
    result = judge(a_breaker_run(history))
    assert (result.verdict, result.as_expected, result.exit_code) == ("violated", False, 1)
    assert result.reason.startswith("BRK-01: ")
    broken = tuple(one.name for one in result.invariants if one.verdict == "violated")
    plan = msgspec.structs.replace(
        a_breaker_plan(history), expected=Expected(verdict="violated", invariants=broken)
    )
    assert judge(a_breaker_run(history, plan=plan)).as_expected


def test_run_when_a_phase_could_not_be_judged_then_is_inconclusive_and_says_what_was_missing():
    story = sound()
    story.phase(12, "slow", fault="latency", latency=500, reached=False, why="it stayed open")
    result = judge(a_breaker_run(story.history()))
    assert result.verdict == "inconclusive"
    assert any("it stayed open" in sentence for sentence in result.missing)


def test_run_when_its_clock_is_broken_then_is_an_error_that_says_which_call_shows_it():
    history = sound().history()
    events = changed(
        a_breaker_run(history), a(OperationReturned, op=3), last=at(history.calls[3].sent - 1)
    )
    result = judge(events)
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert result.reason.startswith(f"the run's clock is broken: {history.calls[3].rid} ended")
    assert result.breaker.invariants == () and result.invariants == ()
    assert list(folded(events).cases()) == []


def test_run_when_no_call_was_sent_then_is_not_held():
    story = Story(baseline=0)
    story.phase(1, "baseline")
    result = judge(a_breaker_run(story.history()))
    assert result.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [
        (Interrupted(signal="SIGINT", during="outage-status"), "interrupted"),
        (HarnessFailed(what="the harness", detail="boom"), "error"),
    ],
    ids=["interrupted", "failed"],
)
def test_run_when_it_was_stopped_then_bears_that_verdict_and_keeps_its_findings(stop, verdict):
    events = a_breaker_run(sound().history())
    result = judge([*events[:-1], stop, events[-1]])
    assert result.verdict == verdict
    assert result.breaker.invariants


def test_run_when_torn_then_is_an_error_and_nothing_is_broken_for_want_of_its_arrival():
    """The phase's calls are on record, but the hop's log was to be read when it ended."""
    history = sound().history()
    begun = START + history.phases[1].entered
    events = a_breaker_run(history, finished=False)
    torn = [
        event
        for event in events
        if not isinstance(event, HopRequestArrived | HopRequestEnded | PhaseLeft) or event.t < begun
    ]
    torn = changed(torn, lambda event: isinstance(event, HopRead), until=at(begun - START))
    result = judge(torn)
    assert result.verdict == "error"
    assert [one.id for one in result.breaker.invariants if one.verdict == "violated"] == []


def test_run_when_a_fault_of_its_script_stays_then_says_so_and_is_not_held():
    events = without(
        a_breaker_run(outage().history()), lambda event: isinstance(event, FaultUndone)
    )
    result = judge(events)
    assert len(result.not_undone) == 1
    assert result.exit_code == 6
    assert result.verdict != "held"


def test_result_when_asked_amid_the_run_then_does_not_disturb_the_end():
    events = a_breaker_run(sound().history())
    followed = folded(events[: len(events) // 2])
    followed.result()
    for event in events[len(events) // 2 :]:
        followed.feed(event)
    assert followed.result() == judge(events)


def test_result_when_the_judge_fails_then_is_an_error_that_asking_again_does_not_change(
    monkeypatch,
):
    def broken(_history):
        raise LookupError("no such phase")

    monkeypatch.setattr(fold, "judge_breaker", broken)
    followed = folded(a_breaker_run(sound().history()))
    first = followed.result()
    assert first.verdict == "error"
    assert "judging the breaker failed: LookupError('no such phase')" in first.reason
    assert followed.result() == first
    monkeypatch.undo()
    assert followed.result() == judge(a_breaker_run(sound().history()))


def test_cases_when_the_run_judges_no_breaker_then_are_none():
    plan = msgspec.structs.replace(a_breaker_plan(sound().history()), breaker=None)
    events = numbered([a_breaker_run(sound().history(), plan=plan)[0], RunFinished()])
    assert list(folded(events).cases()) == []
    assert judge(events).breaker is None
