from dataclasses import replace

import pytest

from harness.judge.evidence import Lack
from harness.judge.run_evidence import conclusion_of, steady_in_words
from harness.judge.run_view import RoundSummary, RunView
from harness.model.events import RoundsCutShort, RunFinished, SteadyStateJudged
from harness.model.verdicts import InvariantFinding, OperationCount, Verdict
from tests.support.journals import a_plan, a_run


def steady(when, *, held=True):
    return SteadyStateJudged(
        when=when,
        held=held,
        failing=() if held else ("balance == 100",),
        values={"balance": 80},
        final=True,
    )


def a_summary(number, **changed):
    fields = {
        "finished": True,
        "lacks": (),
        "tainted": None,
        "settled": True,
        "overlaps": {"burst": 5},
        "hop_overlaps": {},
        "spreads": {},
        "traffic": {"w": OperationCount(sent=5, acknowledged=5, rejected=0, unknown=0)},
    }
    return RoundSummary(round=number, **{**fields, **changed})


WHOLE = RunView(
    started=a_run()[0],
    finished=RunFinished(),
    stops=(),
    contradictions=(),
    rounds=tuple(a_summary(n) for n in (1, 2, 3)),
    invariants=(InvariantFinding(name="i", kind="at_end", verdict="held", summary="held"),),
    faults=(),
    steady_before=steady("before"),
    steady_after=steady("after"),
    not_undone=(),
    notes=(),
)


def test_run_when_whole_then_everything_is_shown():
    assert conclusion_of(WHOLE).verdict is Verdict.HELD


def test_rounds_when_fewer_were_enough_then_none_is_missing():
    cut = RoundsCutShort(rounds=2, broken=1)
    two = replace(WHOLE, rounds=WHOLE.rounds[:2])
    assert "2 of 3 rounds were run to their end" in conclusion_of(two).missing
    assert conclusion_of(replace(two, cut_short=cut)).missing == ()
    one = replace(WHOLE, rounds=WHOLE.rounds[:1], cut_short=cut)
    assert "1 of 3 rounds were run to their end" in conclusion_of(one).missing


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"finished": None}, "nothing is known of the end", id="no end"),
        pytest.param({"steady_before": None}, "state before the method", id="no look before"),
        pytest.param({"steady_after": None}, "state after the last undo", id="no look after"),
        pytest.param(
            {"steady_after": steady("after", held=False)},
            "not there after the last undo: balance == 100 is false (balance = 80)",
            id="not back",
        ),
        pytest.param({"rounds": ()}, "no operation was sent", id="no round"),
        pytest.param({"rounds": (a_summary(1),)}, "1 of 3 rounds were run", id="too few rounds"),
        pytest.param({"not_undone": ("toxic",)}, "not undone: toxic", id="not undone"),
        pytest.param({"invariants": ()}, "no invariant was judged", id="no invariant"),
    ],
)
def test_run_when_something_is_not_there_then_is_not_held_and_says_it(changed, words):
    conclusion = conclusion_of(replace(WHOLE, **changed))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert any(words in sentence for sentence in conclusion.missing)


def test_rounds_when_one_withholds_evidence_then_the_others_do_not_make_up_for_it():
    for about in ("round", "traffic", "fault", "settling"):
        lack = Lack(short="s", detail="it is not there", withheld=True, about=about)
        rounds = (a_summary(1), a_summary(2), a_summary(3, lacks=(lack,)))
        conclusion = conclusion_of(replace(WHOLE, rounds=rounds))
        assert conclusion.verdict is Verdict.INCONCLUSIVE
        assert conclusion.missing == ("round 3: it is not there",)


def test_rounds_when_one_merely_does_not_count_then_the_others_do():
    lack = Lack(short="overlap under 2", detail="d", about="traffic")
    rounds = (a_summary(1), a_summary(2), a_summary(3, lacks=(lack,)))
    assert conclusion_of(replace(WHOLE, rounds=rounds)).verdict is Verdict.HELD


def test_rounds_when_none_overlapped_then_says_so():
    rounds = tuple(a_summary(n, overlaps={"burst": 1}) for n in (1, 2, 3))
    assert conclusion_of(replace(WHOLE, rounds=rounds)).missing == (
        "no two requests were in flight together in any of 3 rounds",
    )


def test_contradiction_when_there_is_one_then_is_an_error():
    conclusion = conclusion_of(replace(WHOLE, contradictions=("twice",)))
    assert conclusion.verdict is Verdict.ERROR


def test_plan_when_it_declares_neither_fault_nor_steady_state_then_misses_neither():
    started = a_run(plan=a_plan(method=[], steady_state=()))[0]
    view = replace(WHOLE, started=started, steady_before=None, steady_after=None)
    assert conclusion_of(view).verdict is Verdict.HELD


def test_steady_state_when_not_there_then_words_have_expression_and_values():
    assert steady_in_words(steady("after", held=False)) == "balance == 100 is false (balance = 80)"
    bare = SteadyStateJudged(when="after", held=False, failing=(), values={}, final=True)
    assert steady_in_words(bare) == "the steady state is false"
