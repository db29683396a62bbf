from msgspec.structs import replace

from harness.judge.collect import RoundCollector
from harness.judge.evidence import Lack
from harness.judge.invariants import INVARIANTS
from harness.judge.judgement import Broken, RoundJudgement
from harness.judge.judges import InvariantJudges
from harness.model.verdicts import Counterexample
from tests.support.journals import MONEY_CONSERVED, NEVER_OVERDRAWN, a_plan
from tests.unit.judge.rounds import an_invariant, in_turn
from tests.unit.judge.rounds import evidence as a_round

KINDS = dict(INVARIANTS.items())


def evidence():
    return RoundCollector(1, a_plan(), reset=True, tainted=None).evidence(finished=False)


def test_findings_when_no_round_was_judged_then_each_invariant_is_inconclusive():
    judges = InvariantJudges([NEVER_OVERDRAWN, MONEY_CONSERVED], KINDS)
    assert [each.verdict for each in judges.findings(None)] == ["inconclusive", "inconclusive"]


def test_round_when_judged_on_the_way_then_is_remembered_only_when_added():
    judges = InvariantJudges([MONEY_CONSERVED], KINDS)
    said = judges.judge(evidence())
    assert judges.findings(None)[0].summary == "no round was judged"
    assert "did not finish" in judges.findings(said)[0].summary
    judges.add(said)
    assert "did not finish" in judges.findings(None)[0].summary


def test_broken_rounds_when_some_do_not_count_then_are_those_that_do():
    judges = InvariantJudges([MONEY_CONSERVED], KINDS)
    proof = Broken(counterexample=Counterexample(round=1, summary="s"), unknown=0)
    weak = Lack(short="overlap under 2", detail="d")
    for changes in (
        {"broken": proof},
        {"broken": proof, "lack": weak},
        {"broken": proof, "error": "e"},
        {},
    ):
        judges.add({"money-conserved": RoundJudgement(round=1, finished=True, **changes)})
    assert judges.broken_rounds("money-conserved") == 1
    assert judges.broken_rounds("steady-state") == 0


def test_round_when_its_violation_is_doubted_then_none_of_its_readings_is_told_as_broken():
    late = Lack(short="late effects of an earlier round", detail="d", withheld=True)
    plan = an_invariant("monotonic", "it")
    judges = InvariantJudges([plan], KINDS)
    for changes in ({}, {"late": late}):
        judges.add(judges.judge(a_round(in_turn([3, 2, 1]), **changes)))
    (finding,) = judges.findings(None)
    assert finding.summary == "violated at 2 of 6 readings, in 1 of 2 rounds"


def test_kind_when_unknown_then_is_an_error_that_names_the_known_ones():
    judges = InvariantJudges([replace(MONEY_CONSERVED, kind="sometimes")], KINDS)
    (finding,) = judges.findings(judges.judge(evidence()))
    assert finding.verdict == "error"
    assert "no invariant is called sometimes; known are always, at_end" in finding.summary


def test_expression_when_it_cannot_be_read_then_is_an_error():
    judges = InvariantJudges([replace(MONEY_CONSERVED, expression="1 +")], KINDS)
    assert "cannot be read: found the end" in judges.findings(None)[0].summary


def test_judge_when_it_raises_then_the_others_are_still_asked():
    class Raising:
        def __init__(self, plan):
            pass

        def judge(self, evidence):
            raise ZeroDivisionError("oops")

        def finding(self, judgements, *, enough=None):
            return InvariantJudges([MONEY_CONSERVED], KINDS).findings(None)[0]

    plans = [replace(NEVER_OVERDRAWN, kind="raising"), MONEY_CONSERVED]
    said = InvariantJudges(plans, {**KINDS, "raising": Raising}).judge(evidence())
    assert "its judge failed in round 1: ZeroDivisionError('oops')" in said["never-overdrawn"].error
    assert said["money-conserved"].error is None
