"""Whole journals to results: what is there, what is taken away, what contradicts itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.judge.fold import Judge, judge
from harness.model.errors import UserError
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    BurstReleased,
    BurstWritten,
    FaultApplied,
    FaultIntended,
    FaultNotUndone,
    FaultSeen,
    FaultUndone,
    HarnessFailed,
    HopCounted,
    HopRead,
    HopRequestArrived,
    HopRequestEnded,
    Interrupted,
    LimitReached,
    LoopLagged,
    NeverSettled,
    OperationReturned,
    OperationSent,
    PhaseEntered,
    PhaseLeft,
    ProbeRead,
    ProcessSampled,
    ResetDone,
    RoundFinished,
    RoundsCutShort,
    RoundStarted,
    RunFinished,
    Settled,
    SetupRefused,
    SteadyStateJudged,
    TargetFailed,
)
from harness.model.outcomes import Unknown
from harness.model.plan import Expected
from harness.model.units import Duration
from tests.support import strategies
from tests.support.journals import (
    FAULT,
    MONEY_CONSERVED,
    NEVER_OVERDRAWN,
    a,
    a_burst,
    a_plan,
    a_reading,
    a_round,
    a_run,
    at,
    changed,
    numbered,
    without,
)

HELD = a_run()
VIOLATED = Expected(verdict="violated", invariants=("money-conserved",))
LOST = [a_round(n, balance=80) for n in (1, 2, 3)]


def finding(result, name):
    return next(each for each in result.invariants if each.name == name)


def inserted(events, before, *new):
    """The new events in front of the first one that ``before`` picks."""
    where = next(n for n, event in enumerate(events) if before(event))
    return numbered([*events[:where], *new, *events[where:]])


# A run that held, and one that did not


def test_run_when_everything_is_there_then_is_held_with_its_power():
    result = judge(HELD)
    assert (result.verdict, result.exit_code, result.as_expected) == ("held", 0, True)
    assert result.missing == ()
    assert result.power.startswith("held in 3 rounds: a race with a chance of 64 % or more")
    assert finding(result, "never-overdrawn").summary == "held (9 readings, one every 20 ms)"
    assert result.environment == {"python": "3.11.2", "cpus": 2}


def test_run_when_twenty_rounds_lose_money_then_says_how_sure_that_is():
    result = judge(a_run([a_round(n, balance=80) for n in range(1, 21)]))
    assert (result.verdict, result.exit_code) == ("violated", 1)
    assert result.reason == ("money-conserved: violated in 20 of 20 rounds (95 % CI 0.83–1.00)")
    assert result.power == ""


def test_violation_when_expected_then_is_as_expected():
    expected = Expected(verdict="violated", invariants=("money-conserved",))
    result = judge(a_run(LOST, plan=a_plan(expected=expected)))
    assert (result.verdict, result.as_expected, result.exit_code) == ("violated", True, 0)


def test_held_when_a_violation_was_expected_then_says_so_and_exits_one():
    expected = Expected(verdict="violated", invariants=("money-conserved",))
    result = judge(a_run(plan=a_plan(expected=expected)))
    assert (result.verdict, result.as_expected, result.exit_code) == ("held", False, 1)
    assert "a violation of money-conserved was expected" in result.reason


def test_counterexample_when_several_then_is_the_one_with_the_largest_difference():
    rounds = [a_round(1, balance=60), a_round(2, balance=90), a_round(3, balance=70)]
    counterexample = finding(judge(a_run(rounds)), "money-conserved").counterexample
    assert counterexample.round == 2
    assert counterexample.summary == (
        "round 2: 5 of 5 withdraw were acknowledged; 100 - balance is 10, "
        "but 10 * acknowledged(withdraw) is 50 (balance = 90)"
    )
    assert counterexample.values["readings"]["balance"]["value"] == 90
    assert counterexample.values["counts"] == {
        "withdraw": {"acknowledged": 5, "rejected": 0, "unknown": 0}
    }


def test_counterexample_when_one_has_fewer_unknown_then_is_that_one():
    unsure = ("acknowledged",) * 4 + ("unknown",)
    rounds = [a_round(1, balance=60), a_round(2, outcomes=unsure, balance=100)]
    assert finding(judge(a_run(rounds)), "money-conserved").counterexample.round == 1


def test_violation_when_earlier_requests_were_never_answered_then_proves_nothing():
    unsure = ("acknowledged",) * 4 + ("unknown",)
    result = judge(a_run([a_round(1, outcomes=unsure), a_round(2, balance=60)]))
    assert result.verdict == "inconclusive"
    assert "1 of 5 outcomes of round 1 are unknown (the connection was cut × 1)" in " ".join(
        result.missing
    )


GAVE_UP = changed(
    a_round(1),
    a(OperationReturned, op=1_004),
    status=504,
    outcome=Unknown(because="answered 504"),
)


def test_violation_when_an_earlier_answer_left_its_outcome_unknown_then_proves_nothing():
    """A service that answers 504 does not wait for its store; the store may go on."""
    result = judge(a_run([GAVE_UP, a_round(2, balance=60)]))
    assert result.verdict == "inconclusive"
    assert "are unknown (answered 504 × 1), so their effects may have landed later" in result.reason


def test_steady_state_when_an_answer_left_an_outcome_unknown_then_is_not_called_violated():
    result = judge(a_run([GAVE_UP, a_round(2)], steady_after="not held"))
    assert result.verdict == "inconclusive"


def test_round_when_the_reset_did_not_put_the_state_back_then_neither_holds_nor_breaks():
    rounds = [a_round(1), a_round(2, balance=60)]
    run = [
        replace(event, failing=("balance == 100",))
        if isinstance(event, ResetDone) and event.round == 2
        else event
        for event in a_run(rounds)
    ]
    result = judge(run)
    assert result.verdict == "inconclusive"
    assert "balance == 100 did not hold" in " ".join(result.missing)


def test_fault_when_it_was_changed_meanwhile_then_the_run_is_not_held_and_names_it():
    run = [
        replace(event, as_applied=False) if isinstance(event, FaultUndone) else event
        for event in a_run([a_round(1), a_round(2)])
    ]
    result = judge(run)
    assert result.verdict == "inconclusive"
    assert "somebody else changed it" in result.reason


# Evidence taken away

EVIDENCE = [
    event
    for event in HELD
    if isinstance(
        event,
        RoundStarted
        | FaultIntended
        | FaultApplied
        | FaultSeen
        | FaultUndone
        | BurstReleased
        | OperationSent
        | OperationReturned
        | Settled
        | HopCounted
        | RoundFinished
        | SteadyStateJudged
        | RunFinished,
    )
    or (isinstance(event, ProbeRead) and event.purpose == "at-end")
    or (isinstance(event, ResetDone) and event.round is not None)
]


@given(st.sampled_from(EVIDENCE))
def test_run_when_one_piece_of_evidence_is_gone_then_is_never_held(gone):
    result = judge([event for event in HELD if event is not gone])
    assert result.verdict in ("inconclusive", "error"), f"held without {gone}"
    assert result.reason


@given(st.data())
def test_run_when_some_operations_are_gone_then_is_never_violated(data):
    """A part of the journal lost whole leaves no contradiction between a request and its answer."""
    gone = data.draw(st.sets(st.sampled_from([r * 1_000 + i for r in (1, 2, 3) for i in range(5)])))
    others = data.draw(st.sets(st.sampled_from([BurstWritten, BurstReleased])))
    events = [
        event
        for event in HELD
        if getattr(event, "op", None) not in gone and type(event) not in others
    ]
    result = judge(events)
    assert result.verdict != "violated"
    assert result.verdict != "held" or not gone


@given(st.data())
def test_run_when_any_number_of_events_is_gone_then_never_raises_and_is_held_only_whole(data):
    kept = data.draw(st.lists(st.booleans(), min_size=len(HELD) - 1, max_size=len(HELD) - 1))
    events = [HELD[0]] + [event for event, keep in zip(HELD[1:], kept, strict=True) if keep]
    gone = [event for event in EVIDENCE if event not in events]
    result = judge(events)
    assert result.verdict != "violated"
    assert not gone or result.verdict != "held"


@given(st.integers(1, 3), st.integers(0, 100))
def test_reading_when_exchanged_at_the_end_of_a_round_then_flips_to_violated(number, balance):
    events = changed(HELD, a(ProbeRead, purpose="at-end", round=number), value=balance)
    assert judge(events).verdict == ("held" if balance == 50 else "violated")


def test_journal_when_empty_then_holds_no_run():
    with pytest.raises(UserError, match="holds no run"):
        judge([])


def test_journal_when_torn_then_is_an_error_that_still_lists_what_was_broken():
    result = judge(a_run(LOST, finished=False))
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert result.reason.startswith(
        "the journal ends before the run did; money-conserved: violated"
    )
    assert finding(result, "money-conserved").verdict == "violated"


# The fold


@given(st.integers(0, len(HELD)))
def test_fold_when_asked_on_the_way_then_ends_as_if_it_had_not_been(stop):
    live = Judge()
    for n, event in enumerate(HELD):
        live.feed(event)
        if n == stop:
            live.result()
    assert live.result() == judge(HELD)


@given(st.lists(strategies.events, max_size=12))
def test_judge_when_fed_with_anything_then_never_raises(events):
    folded = Judge()
    for event in [HELD[0], *events]:
        folded.feed(event)
    result = folded.result()
    assert result.verdict != "held"


def test_judge_when_an_event_cannot_be_digested_then_the_run_is_an_error():
    class Unheard:
        n = 7

    folded = Judge()
    for event in HELD:
        folded.feed(event)
    folded.feed(Unheard())
    result = folded.result()
    assert result.verdict == "error"
    assert "judging Unheard (event 7) failed" in result.reason


def test_judge_when_many_rounds_then_keeps_no_raw_events():
    folded = Judge()
    for event in HELD:
        folded.feed(event)
    assert folded._open is None
    assert folded._outstanding == set()


# Power


def test_rounds_when_requests_never_overlap_then_are_no_evidence():
    result = judge(a_run([a_round(n, overlapping=False) for n in (1, 2)]))
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert result.reason.startswith("no two requests were in flight together")


def test_rounds_when_some_do_not_count_then_the_power_is_that_of_the_others():
    result = judge(a_run([a_round(n, overlapping=n > 1) for n in (1, 2, 3)]))
    assert result.verdict == "held"
    assert result.power == (
        "held in 2 rounds that count (1 does not: overlap under 2): a race with a chance of "
        "78 % or more per round would have shown with 95 % confidence"
    )


def test_rounds_when_so_many_outcomes_are_unknown_then_do_not_count():
    unsure = ("unknown",) * 4 + ("acknowledged",)
    result = judge(a_run([a_round(1, outcomes=unsure), a_round(2)]))
    assert result.verdict == "held"
    assert "1 does not: overlap under 2" in result.power


def test_rounds_when_all_outcomes_are_unknown_then_show_nothing_even_without_counts():
    plan = a_plan(rounds=1, invariants=[NEVER_OVERDRAWN])
    result = judge(a_run([a_round(1, outcomes=("unknown",) * 5)], plan=plan))
    assert result.verdict == "inconclusive"
    assert "not one of 5 requests was acknowledged or rejected" in result.reason


def test_violation_when_the_round_does_not_count_then_stands():
    result = judge(a_run([a_round(1, overlapping=False, balance=80)]))
    assert result.verdict == "violated"
    assert "none of which counts" in finding(result, "money-conserved").summary


def test_method_when_nothing_is_sent_then_is_inconclusive():
    quiet = [a_round(n, outcomes=(), balance=100) for n in (1, 2)]
    plan = a_plan(rounds=2, method=[step for step in a_plan().method if step != a_burst()])
    result = judge(a_run(quiet, plan=plan))
    assert result.verdict == "inconclusive"
    assert result.reason.startswith("no operation was sent")


def test_burst_when_never_released_then_its_round_cannot_be_broken():
    events = a_run([a_round(1), a_round(2, balance=60)])
    gone = without(events, a(BurstReleased, round=2))
    assert judge(gone).verdict == "inconclusive"
    assert "burst burst was never released" in judge(gone).reason


def test_rounds_when_fewer_were_run_than_planned_then_are_not_held():
    result = judge(a_run(2, plan=a_plan(rounds=3)))
    assert (result.verdict, result.reason) == (
        "inconclusive",
        "2 of 3 rounds were run to their end",
    )


# Rounds that were enough


def cut_short(parts, *, stop_after=2, expected=VIOLATED, after=None, **changes):
    """A run of ten planned rounds that was cut short after these."""
    plan = replace(a_plan(rounds=10, expected=expected), stop_after=stop_after)
    events = a_run(parts, plan=plan)
    last = max(n for n, event in enumerate(events) if isinstance(event, RoundFinished)) + 1
    said = RoundsCutShort(**{"rounds": len(parts), "broken": 2, **changes})
    return numbered([*events[:last], said, *(after or []), *events[last:]])


def enough_after(parts, **options):
    """After how many rounds the judge says that they were enough, if ever."""
    judging = Judge()
    for event in cut_short(parts, **options):
        judging.feed(event)
        if isinstance(event, RoundFinished) and judging.enough_broken():
            return event.round
    return None


def test_rounds_when_enough_were_broken_then_none_is_missing_and_the_sentence_says_so():
    result = judge(cut_short(LOST[:2]))
    assert (result.verdict, result.as_expected, result.exit_code) == ("violated", True, 0)
    assert (result.rounds, result.planned_rounds, result.missing) == (2, 10, ())
    assert result.reason == (
        "money-conserved: violated in 2 of 2 rounds, then stopped (95 % CI 0.15–1.00)"
    )


def test_enough_when_every_expected_invariant_was_broken_so_often_then_and_not_before():
    assert enough_after(LOST) == 2
    assert enough_after([a_round(1, balance=80), a_round(2), a_round(3, balance=80)]) == 3
    assert enough_after(LOST[:1]) is None


def test_enough_when_one_of_two_expected_ones_is_never_broken_then_all_rounds_run():
    both = Expected(verdict="violated", invariants=("money-conserved", "never-overdrawn"))
    assert enough_after(LOST, expected=both) is None
    steady = Expected(verdict="violated", invariants=("money-conserved", "steady-state"))
    assert enough_after(LOST, expected=steady) is None


def test_enough_when_none_is_named_then_any_one_will_do():
    assert enough_after(LOST, expected=Expected(verdict="violated")) == 2


def test_enough_when_the_plan_calls_nothing_enough_then_all_rounds_run():
    assert enough_after(LOST, stop_after=None) is None
    assert not Judge().enough_broken()


def test_enough_when_a_broken_round_does_not_count_then_is_not_counted():
    alone = [
        a_round(n, balance=90, outcomes=("acknowledged",) * 5, overlapping=False) for n in (1, 2, 3)
    ]
    assert enough_after(alone) is None


@pytest.mark.parametrize(
    ("events", "words"),
    [
        pytest.param(
            cut_short([a_round(1), a_round(2)]), "had not been broken", id="nothing broken"
        ),
        pytest.param(cut_short(LOST[:2], stop_after=3), "had not been broken", id="too few"),
        pytest.param(cut_short(LOST[:2], rounds=3), "after 3, and 2 were run", id="other number"),
        pytest.param(
            cut_short(LOST[:2], after=a_round(3)), "began after the rounds", id="another round"
        ),
        pytest.param(
            cut_short(LOST[:2], stop_after=None), "had not been broken", id="nothing is enough"
        ),
    ],
)
def test_rounds_when_cut_short_without_reason_then_the_evidence_contradicts_itself(events, words):
    result = judge(events)
    assert result.verdict == "error"
    assert words in result.reason


def test_run_when_no_invariant_is_declared_then_is_inconclusive():
    result = judge(a_run(plan=a_plan(invariants=[])))
    assert (result.verdict, result.reason) == ("inconclusive", "no invariant was judged")


# Faults


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        pytest.param(FaultSeen, {"hit": 0}, "was never seen on the wire", id="not seen"),
        pytest.param(FaultSeen, {"missed": 3}, "left no trace on 3 of 12", id="partly missed"),
        pytest.param(FaultUndone, {"found": False}, "somebody else removed it", id="gone"),
        pytest.param(
            HopCounted,
            {"turns": 0},
            "no bytes passed hop db",
            id="nobody dials",
        ),
    ],
)
def test_fault_when_not_in_force_then_the_run_is_not_held_and_names_fault_and_round(
    kind, fields, words
):
    result = judge(changed(HELD, a(kind, round=2), **fields))
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert words in result.reason
    assert "round 2" in result.reason
    assert "db" in result.reason


def test_violation_when_a_fault_was_not_seen_then_stands_with_a_note():
    result = judge(changed(a_run(LOST), a(FaultSeen, round=2), hit=0))
    assert result.verdict == "violated"
    assert any("the violation stands" in note for note in result.notes)
    assert any("never seen on the wire" in missing for missing in result.missing)


def test_fault_when_applied_and_never_undone_then_exits_six():
    result = judge(without(HELD, a(FaultUndone, round=3)))
    assert result.exit_code == 6
    assert result.verdict == "inconclusive"
    assert result.not_undone == (f"fault {FAULT} of round 3 was applied and never undone",)


def test_fault_when_undoing_failed_then_exits_six_and_says_the_command():
    failed = FaultNotUndone(
        fault=FAULT, round=3, because="no answer", remains="toxic latency on db", command="curl …"
    )
    events = inserted(without(HELD, a(FaultUndone, round=3)), a(RunFinished), failed)
    result = judge(events)
    assert result.exit_code == 6
    assert result.not_undone == ("toxic latency on db (no answer); remove it with: curl …",)


def test_fault_when_undone_later_by_a_rollback_then_is_undone():
    undone = next(e for e in HELD if isinstance(e, FaultUndone) and e.round == 3)
    failed = FaultNotUndone(fault=FAULT, round=3, because="b", remains="r", command="c")
    events = inserted(without(HELD, a(FaultUndone, round=3)), a(RunFinished), failed, undone)
    assert judge(events).exit_code == 0


def test_run_when_it_says_itself_what_remains_then_exits_six():
    result = judge(changed(HELD, a(RunFinished), not_undone=("proxy db at …",)))
    assert (result.exit_code, result.not_undone) == (6, ("proxy db at …",))


# Settling


def never_settled(events, number, **fields):
    never = NeverSettled(round=number, probes=("balance",), in_flight=0, limit=Duration.of_s(10))
    return [
        replace(never, n=event.n, **fields) if a(Settled, round=number)(event) else event
        for event in events
    ]


def test_probe_when_it_never_settles_then_its_invariant_is_inconclusive_and_names_it():
    result = judge(never_settled(HELD, 3))
    assert result.verdict == "inconclusive"
    assert finding(result, "money-conserved").summary == (
        "round 3: probe balance gave no two equal readings within 10 s"
    )


def test_violation_when_another_round_never_settled_then_stands():
    result = judge(never_settled(a_run([a_round(1, balance=80), a_round(2), a_round(3)]), 3))
    assert result.verdict == "violated"


def test_round_when_it_never_settled_then_it_and_the_next_cannot_be_broken():
    """What the first left moving may have changed the state of the second."""
    result = judge(never_settled(a_run([a_round(1), a_round(2, balance=80)]), 1))
    assert result.verdict == "inconclusive"


def test_request_when_in_flight_beyond_its_round_then_the_next_round_cannot_be_broken():
    events = a_run([a_round(1), a_round(2, balance=60), a_round(3)])
    late = next(e for e in events if a(OperationReturned, op=1_000)(e))
    events = never_settled(
        without(events, a(OperationReturned, op=1_000)), 1, probes=(), in_flight=1
    )
    result = judge(inserted(events, a(RoundFinished, round=2), late))
    assert (result.verdict, result.missing[0][:20]) == ("inconclusive", "money-conserved: rou")
    assert "in flight" in finding(result, "money-conserved").summary


def test_state_when_not_reset_before_a_round_then_the_round_cannot_be_broken():
    events = without(a_run([a_round(1), a_round(2, balance=60)]), a(ResetDone, round=2))
    result = judge(events)
    assert result.verdict == "inconclusive"
    assert "the state was not put back" in result.reason


def test_reset_when_within_its_round_before_anything_was_sent_then_counts():
    reset = ResetDone(round=2)
    events = inserted(without(HELD, a(ResetDone, round=2)), a(FaultIntended, round=2), reset)
    assert judge(events).verdict == "held"


# Steady state


def test_steady_state_when_not_there_before_then_nothing_was_injected():
    events = changed(
        a_run([], plan=a_plan(rounds=3), steady_after="not judged"),
        a(SteadyStateJudged, when="before"),
        held=False,
        failing=("balance == 100",),
        values={"balance": 70},
    )
    result = judge(events)
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    assert result.reason.startswith(
        "the steady state was not there before the method: balance == 100 is false "
        "(balance = 70); nothing was injected"
    )
    assert result.steady_state.before == "not held"


def test_steady_state_when_not_back_after_then_is_violated_by_name():
    result = judge(a_run(steady_after="not held"))
    assert (result.verdict, result.exit_code) == ("violated", 1)
    assert finding(result, "steady-state").kind == "steady-state"


def test_steady_state_when_never_looked_at_after_then_is_not_held():
    assert judge(a_run(steady_after="not judged")).verdict == "inconclusive"


def test_steady_state_when_none_is_declared_then_none_is_missed():
    assert judge(a_run(plan=a_plan(steady_state=()))).verdict == "held"


# Stops


@pytest.mark.parametrize(
    ("event", "verdict", "exit_code"),
    [
        pytest.param(LimitReached(limit=Duration.of_s(9), during="x"), "aborted", 4, id="limit"),
        pytest.param(
            Interrupted(signal="SIGINT", during="x"), "interrupted", 130, id="interrupted"
        ),
        pytest.param(TargetFailed(what="reset", detail="no"), "error", 5, id="target"),
        pytest.param(HarnessFailed(what="w", detail="d"), "error", 5, id="harness"),
        pytest.param(SetupRefused(message="port taken"), "refused", 2, id="refused"),
    ],
)
def test_run_when_stopped_then_has_the_verdict_of_the_stop_and_lists_what_was_broken(
    event, verdict, exit_code
):
    result = judge(inserted(a_run(LOST), a(RunFinished), event))
    assert (result.verdict, result.exit_code) == (verdict, exit_code)
    assert "money-conserved: violated in 3 of 3 rounds" in result.reason
    assert finding(result, "money-conserved").verdict == "violated"


def test_round_when_broken_off_then_is_not_judged_at_its_end():
    broken_off = without(a_round(1, balance=80), a(RoundFinished))
    limit = LimitReached(limit=Duration.of_s(9), during="round 1")
    result = judge(a_run([[*broken_off, limit]]))
    assert result.verdict == "aborted"
    assert finding(result, "money-conserved").verdict == "inconclusive"


def test_round_when_broken_off_after_a_certain_violation_then_that_is_reported():
    broken_off = without(a_round(1, during=(100, -5)), a(RoundFinished))
    limit = LimitReached(limit=Duration.of_s(9), during="round 1")
    result = judge(a_run([[*broken_off, limit]]))
    assert result.verdict == "aborted"
    assert finding(result, "never-overdrawn").verdict == "violated"


# Evaluation problems and judges that raise


def test_expression_when_it_has_no_value_then_is_an_error_with_the_numbers():
    odd = replace(MONEY_CONSERVED, expression="100 / (balance - 50) == 1")
    result = judge(a_run(plan=a_plan(invariants=[NEVER_OVERDRAWN, odd])))
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert result.reason == (
        "money-conserved: 100 / (balance - 50) == 1 has no value in round 1: "
        "100 / 0 divides by zero (balance = 50)"
    )


def test_error_when_another_invariant_is_broken_then_hides_nothing():
    odd = replace(NEVER_OVERDRAWN, name="odd", expression="balance < 'x'")
    result = judge(a_run(LOST, plan=a_plan(invariants=[odd, MONEY_CONSERVED])))
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert "the number 100 and the text 'x'" in result.reason
    assert "money-conserved: violated in 3 of 3" in result.reason


def test_error_when_the_same_invariant_is_broken_elsewhere_then_shows_both():
    odd = replace(MONEY_CONSERVED, expression="100 / (balance - 50) == 3")
    rounds = [a_round(1), a_round(2, balance=70), a_round(3)]
    result = judge(a_run(rounds, plan=a_plan(invariants=[odd])))
    found = finding(result, "money-conserved")
    assert found.verdict == "error"
    assert found.counterexample.round == 2
    assert "violated" in found.summary


def test_judge_when_one_raises_then_is_an_error_and_hides_no_violation():
    class Raising:
        def __init__(self, plan):
            self.plan = plan

        def judge(self, evidence):
            raise ZeroDivisionError(evidence.round)

        def finding(self, judgements):
            raise RuntimeError(len(judgements))

    from harness.judge.invariants import INVARIANTS

    kinds = {**dict(INVARIANTS.items()), "raising": Raising}
    plan = a_plan(invariants=[replace(NEVER_OVERDRAWN, kind="raising"), MONEY_CONSERVED])
    folded = Judge(kinds)
    for event in a_run(LOST, plan=plan):
        folded.feed(event)
    result = folded.result()
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert finding(result, "money-conserved").verdict == "violated"


# Contradictions


def contradictory():
    sent, returned = a(OperationSent, op=2_001), a(OperationReturned, op=2_001)
    an_answer = next(e for e in HELD if returned(e))
    a_request = next(e for e in HELD if sent(e))
    started = a(RoundStarted, round=2)
    end = a(RoundFinished, round=2)
    yield "answer before its request", changed(HELD, returned, first=at(1), last=at(2))
    yield "last byte before the first", changed(HELD, returned, last=at(20_210))
    yield "answer to nothing", without(HELD, sent)
    yield "two answers", inserted(HELD, end, an_answer)
    yield "more answers than requests", inserted(HELD, end, replace(an_answer, op=2_999))
    yield "two requests of one number", inserted(HELD, end, a_request)
    yield "answer to another operation", changed(HELD, returned, operation="deposit")
    yield "acknowledged without an answer", changed(HELD, returned, first=None)
    yield "settled with a request in flight", without(HELD, returned)
    yield "answer after the state was read", changed(HELD, returned, last=at(29_000))
    yield "more hit than messages", changed(HELD, a(FaultSeen, round=2), hit=13)
    yield (
        "reading before its question",
        changed(HELD, a(ProbeRead, purpose="at-end", round=2), answered=at(1)),
    )
    yield (
        "event outside its round",
        inserted(
            HELD,
            a(RoundStarted, round=3),
            a_reading(50, purpose="always", round=2, asked=at(29_000)),
        ),
    )
    yield "event of another round", changed(HELD, a(Settled, round=2), round=1)
    yield "round within a round", inserted(HELD, end, RoundStarted(round=9))
    yield "round twice", inserted(HELD, a(RunFinished), RoundStarted(round=2))
    yield "end without a beginning", inserted(HELD, started, RoundFinished(round=2))
    yield "run twice", [HELD[0], *HELD]
    yield "fault never intended", without(HELD, a(FaultIntended, round=2))
    yield "fault confirmed before asked", changed(HELD, a(FaultApplied, round=2), confirmed=at(1))
    yield "requests that nobody knows", without(without(HELD, sent), returned)
    yield "burst backwards", changed(HELD, a(BurstReleased, round=2), last=at(1))
    yield "turn backwards", changed(HELD, a(HopRequestEnded, conn=1, seq=2), ended=at(1))


@pytest.mark.parametrize(
    "events", [pytest.param(events, id=name) for name, events in contradictory()]
)
def test_evidence_when_it_contradicts_itself_then_is_an_error_and_never_a_verdict(events):
    result = judge(events)
    assert (result.verdict, result.exit_code) == ("error", 5)
    assert result.reason.startswith("the evidence contradicts itself: ")


def test_outcome_when_unknown_without_an_answer_then_contradicts_nothing():
    events = changed(
        HELD,
        a(OperationReturned, op=2_001),
        first=None,
        status=None,
        outcome=Unknown(because="no answer within 30 s"),
    )
    assert judge(events).verdict == "held"


def test_reading_when_it_was_hidden_as_a_secret_then_the_invariant_is_not_judged():
    run = [
        replace(event, hidden=True) if isinstance(event, ProbeRead) else event
        for event in a_run([a_round(1, balance=60), a_round(2)])
    ]
    result = judge(run)
    assert result.verdict == "inconclusive"
    assert "which the journal hides" in " ".join(result.missing)


def of_a_phase(number):
    """Traffic of a breaker's script; the numbers of its operations are those of a round's."""
    sent = OperationSent(
        op=number * 1_000,
        operation="withdraw",
        round=0,
        burst="outage",
        rid="r00001-0a0b0c0d",
        request=1,
        sent=at(1),
        due=at(1),
        phase="outage",
    )
    returned = OperationReturned(
        op=number * 1_000,
        operation="withdraw",
        round=0,
        status=200,
        outcome=Unknown("answered 500"),
        first=at(2),
        last=at(3),
        phase="outage",
        how="answered",
    )
    ends = {"round": 0, "step": "outage", "phase": "outage"}
    none = Duration.ZERO
    return [
        PhaseEntered(phase="outage", number=5, name="outage"),
        ArrivalsStarted(planned=1, rate=100, first=at(1), **ends),
        sent,
        returned,
        ArrivalsFinished(sent=1, dropped=0, late_p99=none, late_max=none, most=1, cap=500, **ends),
        HopRequestArrived(hop="db", conn=1, seq=1, arrived=at(1), phase="outage"),
        HopRequestEnded(hop="db", conn=1, seq=1, end="answered", ended=at(2), phase="outage"),
        HopRead(hop="db", phase="outage", since=at(0), until=at(4), requests=1, connections=1),
        LoopLagged(phase="outage", worst=none, where="callers"),
        ProcessSampled(service="app", process=7, phase="outage", taken=at(3)),
        PhaseLeft(phase="outage"),
    ]


@pytest.mark.parametrize("place", ["before a round", "within a round", "behind the rounds"])
def test_phases_when_anywhere_in_a_run_then_belong_to_no_round(place):
    events = a_run(2)
    (first, second) = [n for n, event in enumerate(events) if isinstance(event, RoundStarted)]
    at_place = {"before a round": first, "within a round": first + 5, "behind the rounds": -1}[
        place
    ]
    mixed = [*events[:at_place], *of_a_phase(1), *events[at_place:]]
    assert second > first
    assert judge(mixed) == judge(events)
