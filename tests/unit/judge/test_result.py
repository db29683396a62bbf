"""The parts of a result beside its verdict; verdicts of whole journals are in ``test_fold.py``."""

import json

import msgspec
import pytest

from harness.judge.fold import judge
from harness.model.events import (
    BurstReleased,
    HarnessFailed,
    HopCounted,
    Interrupted,
    LimitReached,
    SteadyStateJudged,
    TargetFailed,
)
from harness.model.units import Duration, to_builtin
from harness.model.verdicts import OperationCount, Result
from tests.support.journals import (
    LATENCY,
    MONEY_CONSERVED,
    NEVER_OVERDRAWN,
    a,
    a_plan,
    a_round,
    a_run,
    an_arrivals_step,
    arriving,
    at,
    changed,
)


def test_burst_when_rounds_differ_then_has_medians_and_the_least_overlap():
    rounds = [a_round(1), a_round(2, overlapping=False), a_round(3)]
    events = changed(a_run(rounds), a(BurstReleased, round=3), last=at(30_200 + 0.6))
    (burst,) = judge(events).bursts
    assert (burst.rounds, burst.concurrency) == (3, 5)
    assert (burst.overlap, burst.overlap_min) == (5, 1)
    assert burst.spread_ms_p50 == 0.6
    assert burst.hop_overlap == {"db": 5}


def test_arrivals_when_rounds_differ_then_have_a_finding_in_the_form_of_a_burst_s():
    rounds = [arriving(a_round(n), rate=10_000) for n in (1, 2, 3)]
    result = judge(a_run(rounds, plan=a_plan(method=(LATENCY, an_arrivals_step()))))
    (found,) = result.bursts
    assert result.verdict == "held"
    assert (found.id, found.rounds, found.concurrency) == ("burst", 3, 5)
    assert (found.overlap, found.overlap_min, found.spread_ms_p50) == (5, 5, None)
    assert found.hop_overlap == {"db": 5}


def test_arrivals_when_sent_late_in_every_round_then_inconclusive_and_says_how_much():
    rounds = [arriving(a_round(n), late=50) for n in (1, 2, 3)]
    result = judge(a_run(rounds, plan=a_plan(method=(LATENCY, an_arrivals_step()))))
    assert result.verdict == "inconclusive"
    assert "sent 0 % of its requests when they were due" in result.reason


def test_arrivals_when_sent_late_then_what_is_broken_is_broken_all_the_same():
    rounds = [arriving(a_round(n, balance=70), late=50) for n in (1, 2, 3)]
    result = judge(a_run(rounds, plan=a_plan(method=(LATENCY, an_arrivals_step()))))
    assert result.verdict == "violated"


def test_traffic_when_outcomes_differ_then_counts_each():
    outcomes = ("acknowledged", "acknowledged", "rejected", "unknown")
    result = judge(a_run([a_round(1, outcomes=outcomes)]))
    assert result.traffic == {
        "withdraw": OperationCount(sent=4, acknowledged=2, rejected=1, unknown=1)
    }


def test_fault_when_seen_then_says_when_and_how_often():
    (fault,) = judge(a_run()).faults
    assert fault.seen_on_wire
    assert fault.messages == 36
    assert fault.applied_at < fault.undone_at


def test_power_when_only_always_is_judged_then_there_is_no_such_sentence():
    result = judge(a_run(plan=a_plan(invariants=[NEVER_OVERDRAWN])))
    assert (result.verdict, result.power) == ("held", "")
    assert result.reason == "every invariant held, tested in 3 rounds"


def test_power_when_invariants_differ_then_is_that_of_the_weakest():
    weak = msgspec.structs.replace(
        MONEY_CONSERVED, name="weak", expression="balance + 10 * acknowledged(withdraw) == 100"
    )
    plan = a_plan(rounds=2, invariants=[MONEY_CONSERVED, weak])
    result = judge(a_run(2, plan=plan))
    assert result.power.startswith("held in 2 rounds")


def test_power_when_an_invariant_is_sampled_then_is_that_of_the_others():
    assert judge(a_run(2)).power.startswith("held in 2 rounds: a race")
    assert judge(a_run(2, plan=a_plan(rounds=2, invariants=[NEVER_OVERDRAWN]))).power == ""


def test_note_when_turns_were_dropped_then_says_so():
    result = judge(changed(a_run(), a(HopCounted, round=2), dropped=7))
    assert result.notes == ("hop db saw more turns than were kept, so its overlap may be higher",)


STOPS = [
    Interrupted(signal="SIGINT", during="round 2"),
    LimitReached(limit=Duration.of_s(10), during="round 2"),
    TargetFailed(what="probe balance", detail="no such table"),
    HarnessFailed(what="round 2", detail="Traceback\n  File x\nKeyError: 'a'\n"),
]


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: type(stop).__name__)
def test_reason_when_stopped_after_a_violation_then_has_one_line_and_the_violation_once(stop):
    events = a_run([a_round(1, balance=80)])
    result = judge([*events[:-1], stop, events[-1]])
    violated = next(each for each in result.invariants if each.verdict == "violated")
    assert result.reason.count(violated.summary) == 1
    assert result.reason.count("round 2") <= 1
    assert "\n" not in result.reason
    assert result.missing == ()


def test_reason_when_interrupted_and_the_steady_state_did_not_come_back_then_says_each_once():
    events = changed(
        a_run([a_round(1, balance=80)]),
        a(SteadyStateJudged, when="after"),
        held=False,
        failing=("balance == 100",),
        values={"balance": 80},
    )
    result = judge([*events[:-1], STOPS[0], events[-1]])
    assert [each.verdict for each in result.invariants].count("violated") == 2
    assert result.reason.startswith("interrupted by SIGINT during round 2; ")
    for finding in result.invariants:
        assert result.reason.count(finding.summary) <= 1


def test_reason_when_the_steady_state_was_not_there_before_then_is_only_that():
    events = a_run([])
    before = changed(
        events, a(SteadyStateJudged, when="before"), held=False, failing=("balance == 100",),
        values={"balance": 99},
    )  # fmt: skip
    result = judge(
        [e for e in before if not isinstance(e, SteadyStateJudged) or e.when == "before"]
    )
    assert result.verdict == "inconclusive"
    assert result.missing == (result.reason,)
    assert "the steady state was not there before the method" in result.reason


def test_result_when_written_and_read_then_is_the_same():
    result = judge(a_run([a_round(1, balance=80)]))
    text = msgspec.json.encode(result, enc_hook=to_builtin)
    assert msgspec.json.decode(text, type=Result) == result
    assert json.loads(text)["invariants"][1]["counterexample"]["round"] == 1
