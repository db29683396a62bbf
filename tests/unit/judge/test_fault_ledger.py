import pytest
from msgspec.structs import replace

from harness.judge.fault_ledger import FaultLedger
from harness.model.events import FaultIntended, FaultNotUndone, FaultSeen, FaultUndone
from tests.support.journals import FAULT, LATENCY, a_round

FAULTS = ("FaultIntended", "FaultApplied", "FaultSeen", "FaultUndone")


def events(number=1):
    return [event for event in a_round(number) if type(event).__name__ in FAULTS]


def ledger(*taken):
    said = []
    made = FaultLedger()
    for event in taken:
        made.take(event, said.append)
    return made, said


def test_fault_when_taken_back_then_nothing_remains():
    made, said = ledger(*events())
    assert said == []
    assert made.remaining(finished=True) == ()


def test_fault_when_in_force_then_remains_only_once_the_run_is_over():
    made, _ = ledger(*(each for each in events() if not isinstance(each, FaultUndone)))
    assert made.remaining(finished=False) == ()
    assert made.remaining(finished=True) == (
        f"fault {FAULT} of round 1 was applied and never undone",
    )


def test_fault_when_undoing_failed_then_remains_at_once_until_it_is_undone():
    before, undone = events()[:2], next(e for e in events() if isinstance(e, FaultUndone))
    failed = FaultNotUndone(fault=FAULT, round=1, because="b", remains="r", command="c")
    made, _ = ledger(*before, failed)
    assert made.remaining(finished=False) == ("r (b); remove it with: c",)
    made.take(undone, print)
    assert made.remaining(finished=True) == ()


def test_fault_when_never_intended_then_is_reported():
    _, said = ledger(*(each for each in events() if not isinstance(each, FaultIntended)))
    assert len(said) == 3
    assert "never intended" in said[0]


def test_finding_when_seen_in_all_rounds_then_says_strength_messages_and_median():
    made, _ = ledger(*events(1), *events(2))
    finding = made.finding(LATENCY, [1, 2])
    assert finding.seen_on_wire
    assert finding.summary == "40 ms latency seen on 24 messages of hop db, 41 ms in the median"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"hit": 0}, id="not hit"),
        pytest.param({"missed": 1}, id="missed once"),
    ],
)
def test_finding_when_one_round_did_not_see_it_whole_then_it_was_not_seen(changed):
    odd = [replace(e, **changed) if isinstance(e, FaultSeen) else e for e in events(2)]
    made, _ = ledger(*events(1), *odd)
    assert not made.finding(LATENCY, [1, 2]).seen_on_wire


def test_finding_when_nobody_looked_then_it_was_not_seen():
    made, _ = ledger(*events(1))
    assert not made.finding(LATENCY, [1, 2]).seen_on_wire
    assert not made.finding(LATENCY, []).seen_on_wire
    assert made.finding(LATENCY, []).summary == "40 ms latency never seen on hop db"


def test_finding_when_the_intention_has_the_kinds_own_words_then_these_are_told():
    intended, *others = events()
    made, _ = ledger(replace(intended, words="40 ms ± 10 ms latency"), *others)
    assert made.finding(LATENCY, [1]).summary == (
        "40 ms ± 10 ms latency seen on 12 messages of hop db, 41 ms in the median"
    )


@pytest.mark.parametrize(("hit", "of"), [(1, "1 connection"), (3, "3 connections")])
def test_finding_when_connections_show_it_then_they_are_counted(hit, of):
    shown = [
        replace(e, of="connection", messages=hit, hit=hit, median=None)
        if isinstance(e, FaultSeen)
        else replace(e, words="down")
        if isinstance(e, FaultIntended)
        else e
        for e in events()
    ]
    made, _ = ledger(*shown)
    assert made.finding(LATENCY, [1]).summary == f"down seen on {of} of hop db"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        pytest.param({}, "latency seen", id="no attribute"),
        pytest.param({"latency": True}, "latency seen", id="a switch"),
        pytest.param({"latency": "100KB/s"}, "100KB/s latency seen", id="no duration"),
    ],
)
def test_summary_when_the_main_attribute_is_no_duration_then_is_told_as_it_stands(params, words):
    made, _ = ledger(*events(1))
    assert made.finding(replace(LATENCY, params=params), [1]).summary.startswith(words)
