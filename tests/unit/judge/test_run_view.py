from harness.judge.collect import RoundCollector
from harness.judge.evidence import Call, Lack
from harness.judge.run_view import RoundSummary, RunView, traffic_of
from harness.model.verdicts import OperationCount
from tests.support.journals import a_plan, a_run, at


def call(op, outcome, operation="w"):
    return Call(op=op, operation=operation, burst="b", sent=at(0), outcome=outcome)


CALLS = [call(1, "acknowledged"), call(2, "rejected"), call(3, "unknown"), call(4, None)]


def view(*rounds):
    return RunView(
        started=a_run()[0],
        finished=None,
        stops=(),
        contradictions=(),
        rounds=rounds,
        invariants=(),
        faults=(),
        steady_before=None,
        steady_after=None,
        not_undone=(),
        notes=(),
    )


def summary(number, *, finished=True, lacks=(), tainted=None, calls=CALLS):
    return RoundSummary(
        round=number,
        finished=finished,
        lacks=lacks,
        tainted=tainted,
        settled=True,
        overlaps={},
        hop_overlaps={},
        spreads={},
        traffic=traffic_of(calls),
    )


def test_traffic_when_never_returned_then_is_unknown():
    assert traffic_of([*CALLS, call(5, "acknowledged", "v")]) == {
        "w": OperationCount(sent=4, acknowledged=1, rejected=1, unknown=2),
        "v": OperationCount(sent=1, acknowledged=1, rejected=0, unknown=0),
    }


def test_traffic_when_over_rounds_then_is_the_sum_of_all_of_them():
    total = view(summary(1), summary(2, finished=False)).traffic
    assert total == {"w": OperationCount(sent=8, acknowledged=2, rejected=2, unknown=4)}


def test_rounds_when_they_lack_something_then_finish_and_do_not_count():
    lack, taint = Lack(short="s", detail="d"), Lack(short="t", detail="e")
    rounds = (
        summary(1),
        summary(2, lacks=(lack,)),
        summary(3, tainted=taint),
        summary(4, finished=False),
    )
    assert [each.round for each in view(*rounds).finished_rounds] == [1, 2, 3]
    assert [each.round for each in view(*rounds).counted_rounds] == [1]
    assert summary(5, lacks=(lack,), tainted=taint).all_lacks == (taint, lack)


def test_summary_when_made_of_evidence_then_keeps_what_the_run_needs():
    evidence = RoundCollector(7, a_plan(), reset=True, tainted=None).evidence(finished=False)
    made = RoundSummary.of(evidence)
    assert (made.round, made.finished, made.settled, made.traffic) == (7, False, False, {})
