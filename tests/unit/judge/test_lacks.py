from dataclasses import replace

import msgspec.structs
import pytest

from harness.judge.evidence import Call
from harness.judge.lacks import HopTurns, RoundFacts, lacks_of
from harness.model.events import (
    FaultApplied,
    FaultSeen,
    FaultUndone,
    HopCounted,
    NeverSettled,
    Settled,
)
from harness.model.plan import FaultStep
from harness.model.units import Duration
from tests.support.journals import FAULT, a_burst, a_plan, a_round, at


def one(kind):
    return next(event for event in a_round(1) if isinstance(event, kind))


def seen(**changed):
    fields = {"messages": 12, "hit": 12, "missed": 0, "median": None, "summary": ""}
    return {FAULT: FaultSeen(fault=FAULT, round=1, **{**fields, **changed})}


def gone(**changed):
    return {FAULT: msgspec.structs.replace(one(FaultUndone), found=False, **changed)}


def calls(outcome="acknowledged"):
    return tuple(
        Call(op=op, operation="w", burst="burst", sent=at(0), last=at(9), outcome=outcome)
        for op in (1, 2)
    )


def never(**changed):
    fields = {"probes": (), "in_flight": 0, "limit": Duration.of_s(10)}
    return NeverSettled(round=1, **{**fields, **changed})


WHOLE = RoundFacts(
    finished=True,
    reset=True,
    settled=Settled(round=1, after=Duration.of_ms(1)),
    never_settled=None,
    calls=calls(),
    overlap=2,
    applied={FAULT: one(FaultApplied)},
    seen=seen(),
    undone={FAULT: one(FaultUndone)},
    hops={"db": one(HopCounted)},
    turns={"db": HopTurns(served=12, unserved=0)},
)


def test_fault_when_its_first_messages_may_have_been_the_warm_up_then_says_so():
    plan = a_plan()
    method = tuple(
        msgspec.structs.replace(step, first=4) if isinstance(step, FaultStep) else step
        for step in plan.method
    )
    facts = replace(WHOLE, seen=seen(hit=0))
    (lack,) = lacks_of(msgspec.structs.replace(plan, method=method), facts)
    assert "`first: 4` may have been used up before the burst was released" in lack.detail
    (lack,) = lacks_of(plan, facts)
    assert "first" not in lack.detail


def test_round_when_whole_then_lacks_nothing():
    assert lacks_of(a_plan(), WHOLE) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"finished": False}, "did not finish", id="broken off"),
        pytest.param({"calls": ()}, "no operation was sent", id="no traffic"),
        pytest.param({"overlap": 1}, "at most 1 of 2", id="no overlap"),
        pytest.param(
            {"overlap": 1, "calls": (*calls("unknown"), *calls())},
            "two are needed; 2 outcomes are unknown: no answer × 2",
            id="overlap lost to unknowns",
        ),
        pytest.param({"calls": calls("unknown")}, "not one of 2", id="all unknown"),
        pytest.param({"calls": calls(None)}, "not one of 2", id="none returned"),
        pytest.param({"hops": {}}, "nobody counted", id="hop not counted"),
        pytest.param({"applied": {}}, "never applied", id="fault not applied"),
        pytest.param({"seen": {}}, "nobody looked", id="fault not looked for"),
        pytest.param({"seen": seen(hit=0)}, "never seen", id="fault not seen"),
        pytest.param(
            {"seen": seen(hit=0, unseen="nobody can")},
            "never seen on the wire (12 messages while it lasted): nobody can",
            id="fault that cannot be seen",
        ),
        pytest.param(
            {"undone": gone(why="its lease ended")},
            "gone before it was undone: its lease ended",
            id="fault gone with its lease",
        ),
        pytest.param({"undone": gone()}, "undone: somebody else removed it", id="fault removed"),
        pytest.param({"seen": seen(missed=2)}, "no trace on 2 of 12", id="fault partly missed"),
        pytest.param({"settled": None}, "nothing says", id="settling unknown"),
        pytest.param(
            {"settled": None, "never_settled": never(probes=("a", "b"))},
            "never settled within 10 s (probes still changing: a, b)",
            id="never settled",
        ),
        pytest.param(
            {"settled": None, "never_settled": never(in_flight=2)},
            "requests still in flight: 2",
            id="in flight",
        ),
        pytest.param(
            {"settled": None, "never_settled": never(held=300)},
            "never settled within 10 s (bytes still held back by a fault)",
            id="held back",
        ),
        pytest.param(
            {"settled": None, "never_settled": never()},
            "something still moved on the wire",
            id="wire in motion",
        ),
    ],
)
def test_round_when_something_is_not_there_then_that_is_its_only_lack(changed, words):
    (lack,) = lacks_of(a_plan(), replace(WHOLE, **changed))
    assert words in lack.detail


def test_hop_when_nobody_dials_it_then_is_named_before_the_fault_it_explains():
    counted = HopCounted(
        hop="db", round=1, connections=0, bytes_up=0, bytes_down=0, turns=0, dropped=0
    )
    first, second = lacks_of(a_plan(), replace(WHOLE, hops={"db": counted}, seen=seen(hit=0)))
    assert first.detail == (
        "no bytes passed hop db during a burst: does the service dial {hops.db.url} or {hops.db.address}?"
    )
    assert "never seen" in second.detail


@pytest.mark.parametrize(
    ("hit", "lacks"), [(3, 0), (0, 1)], ids=["connections-show-it", "nothing-does"]
)
def test_hop_when_a_fault_lets_no_message_pass_then_their_absence_is_no_lack(hit, lacks):
    counted = HopCounted(
        hop="db", round=1, connections=3, bytes_up=0, bytes_down=0, turns=0, dropped=0
    )
    down = seen(of="connection", messages=hit, hit=hit, unseen="" if hit else "nobody dialled")
    found = lacks_of(a_plan(), replace(WHOLE, hops={"db": counted}, seen=down))
    assert len(found) == lacks
    assert all("(0 connections while it lasted): nobody dialled" in each.detail for each in found)


def test_plan_when_it_declares_no_fault_then_none_is_missed():
    plan = a_plan(method=[a_burst()])
    assert lacks_of(plan, replace(WHOLE, applied={}, seen={}, undone={}, hops={})) == ()


def with_rules(plan, rejected):
    """The plan with an operation ``w``, whose answers are sorted by this rule or the default one."""
    given = plan.target.operations[0]
    operation = msgspec.structs.replace(given, name="w", acknowledged=None, rejected=rejected)
    target = msgspec.structs.replace(plan.target, operations=(operation,))
    return msgspec.structs.replace(plan, target=target)


def test_round_when_all_were_rejected_by_the_default_rule_then_it_does_not_count():
    facts = replace(WHOLE, calls=calls("rejected"))
    (lack,) = lacks_of(with_rules(a_plan(), None), facts)
    assert "not one of 2 requests was acknowledged" in lack.detail


def test_round_when_all_were_rejected_by_the_users_own_rule_then_it_counts():
    facts = replace(WHOLE, calls=calls("rejected"))
    assert lacks_of(with_rules(a_plan(), "status == 409"), facts) == ()


RULED = with_rules(a_plan(), "status == 409")
REFUSED = replace(WHOLE, calls=calls("rejected"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            {"turns": {"db": HopTurns(served=0, unserved=12)}},
            "no message of hop db was answered by postgres",
            id="a-fault-answered-all",
        ),
        pytest.param({"turns": {}}, "no message of hop db", id="no-message-at-all"),
        pytest.param(
            {"turns": {"db": HopTurns(served=2, unserved=2)}},
            "2 messages or connections of db came to no answer of the server",
            id="one-for-each-rejection",
        ),
        pytest.param(
            {"seen": seen(of="connection", hit=2)},
            "2 messages or connections of db",
            id="a-refused-connection-for-each",
        ),
    ],
)
def test_round_when_faults_alone_may_have_rejected_all_then_it_does_not_count(changed, words):
    (lack,) = lacks_of(RULED, replace(REFUSED, **changed))
    assert words in lack.detail
    assert not lack.withheld


def test_round_when_more_were_rejected_than_faults_can_have_then_it_counts():
    turns = {"db": HopTurns(served=1, unserved=1)}
    assert lacks_of(RULED, replace(REFUSED, turns=turns)) == ()


def test_round_when_something_was_acknowledged_then_counts_without_an_answer_of_the_server():
    """Such as a service that does without its cache."""
    turns = {"db": HopTurns(served=0, unserved=12)}
    assert lacks_of(RULED, replace(WHOLE, turns=turns)) == ()


def test_rejections_when_the_round_has_no_fault_then_need_no_hop():
    plan = with_rules(a_plan(method=[a_burst()]), "status == 409")
    bare = replace(REFUSED, applied={}, seen={}, undone={}, hops={}, turns={})
    assert lacks_of(plan, bare) == ()
