"""One finding for each invariant, the worst of them, and what keeps everything from being judged."""

import pytest

from harness.judge.breaker import judge as judging
from harness.judge.breaker.finding import Draft, Subject, counterexample
from harness.judge.breaker.judge import JUDGED_BY_KIND, conclude, finding_of
from harness.judge.breaker.registry import Invariant, invariants
from tests.support.breaker_histories import Story

SUBJECT = Subject(id="BRK-08", name="trials", severity="critical", condition="…", phases=(8,))


def story(**declared):
    made = Story(**declared)
    made.phase(5, "outage", fault="status")
    made.write("5F 60R", every=10)
    return made


def held(number="BRK-01"):
    draft = Draft(subject=Subject(id=number, name="n", severity="minor", condition="c", phases=()))
    draft.need("calls", 1, at_least=1)
    return draft.held_or_inconclusive("all went well", power="much")


def undecided(number="BRK-02"):
    draft = Draft(subject=Subject(id=number, name="n", severity="minor", condition="c", phases=()))
    return draft.inconclusive("too few calls")


def left_out(number="BRK-03"):
    draft = Draft(subject=Subject(id=number, name="n", severity="minor", condition="c", phases=()))
    return draft.not_applicable("phase 8 was not run")


def test_result_when_judged_then_has_a_finding_of_each():
    result = story().result()
    assert len(result.invariants) == len(invariants())
    assert result.error is None
    assert result.front["operation"] == "fetch"


def test_judge_when_it_raises_then_is_inconclusive_and_hides_no_other(monkeypatch):
    def broken(known):
        raise ZeroDivisionError("no calls")

    spoilt = [
        Invariant(subject=one.subject, judge=broken) if one.subject.id == "BRK-04" else one
        for one in invariants()
    ]
    monkeypatch.setattr(judging, "invariants", lambda: tuple(spoilt))
    found = {one.id: one for one in story().result().invariants}
    assert found["BRK-04"].verdict == "inconclusive"
    assert found["BRK-04"].summary == "its judge failed: ZeroDivisionError: no calls"
    assert found["BRK-01"].verdict == "held"


@pytest.mark.parametrize("kind", ["in-flight", "eject"])
def test_kind_when_it_has_no_such_states_then_others_are_not_applicable(kind):
    known = story(kind=kind).known()
    for one in invariants():
        found = finding_of(one, known)
        spoken = int(one.subject.id[-2:]) in JUDGED_BY_KIND[kind]
        if not spoken:
            assert found.verdict == "not-applicable"
            assert kind in found.summary


def test_verdict_when_concluded_then_is_the_worst():
    violated = finding_of(
        Invariant(
            subject=SUBJECT,
            judge=lambda known: Draft(subject=SUBJECT).violated(
                "100 of 100", counterexample("100 of 100", [])
            ),
        ),
        story().known(),
    )
    assert conclude([held(), undecided(), violated, left_out()], "full") == (
        "violated",
        "BRK-08 violated: 100 of 100",
    )
    assert conclude([held(), undecided(), undecided("BRK-05")], "full") == (
        "inconclusive",
        "BRK-02 inconclusive: too few calls, and 1 more",
    )


@pytest.mark.parametrize(
    ("script", "words"),
    [("quick", "not exercised by the quick script"), ("full", "not applicable")],
)
def test_verdict_when_held_on_some_then_says_on_how_many(script, words):
    assert conclude([held(), left_out()], script) == ("held", f"held on 1 of 2; 1 {words}")
    assert conclude([held()], script) == ("held", "held on 1 of 1")


@pytest.mark.parametrize("findings", [[], [left_out()]])
def test_verdict_when_nothing_took_part_then_is_inconclusive(findings):
    assert conclude(findings, "full") == ("inconclusive", "no invariant was judged")


def test_clock_when_broken_then_is_an_error_and_no_verdict():
    written = story()
    written.call("F", at=5000, answered=4000)
    result = written.result()
    assert result.error is not None
    assert result.error.startswith("the run's clock is broken")
    assert (result.verdict, result.invariants) == ("inconclusive", ())


@pytest.mark.parametrize("failure", ["status >=", "stauts >= 500"])
def test_declaration_when_it_cannot_be_evaluated_then_is_an_error(failure):
    result = story(failure=failure).result()
    assert result.error is not None
    assert result.error.startswith("what the experiment declares as failure or ignored: ")


def test_run_when_barred_then_nothing_is_held_or_violated():
    result = Story(baseline=0)
    result.phase(5, "outage", fault="status")
    result.write("60F", every=10)
    found = result.result()
    assert {one.verdict for one in found.invariants} <= {"inconclusive", "not-applicable"}
    trips = next(one for one in found.invariants if one.id == "BRK-01")
    assert "the baseline was not run" in trips.summary
