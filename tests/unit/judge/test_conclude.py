import re
import traceback
from pathlib import Path

import pytest

import harness
from harness.judge.conclude import Missing, Shown, Stop, conclude, stop_of
from harness.model.events import (
    HarnessFailed,
    Interrupted,
    LimitReached,
    SetupRefused,
    TargetFailed,
)
from harness.model.units import Duration
from harness.model.verdicts import InvariantFinding, Verdict

PIECES = (
    *("consistent", "finished", "steady_before", "steady_after", "traffic", "overlap"),
    *("faults", "settled", "rounds_counted", "undone"),
)


def finding(verdict, name="i"):
    return InvariantFinding(name=name, kind="at_end", verdict=verdict, summary=f"{verdict} it is")


def everything(**changed):
    shown = dict.fromkeys(PIECES, Shown("it is there"))
    return {"stops": (), "invariants": (finding("held"),), **shown, **changed}


def test_verdict_when_all_evidence_is_there_then_is_held():
    assert conclude(**everything()).verdict is Verdict.HELD


@pytest.mark.parametrize("piece", [*PIECES, "stops", "invariants"])
def test_verdict_when_one_piece_is_withheld_then_is_not_held_and_says_what_is_missing(piece):
    conclusion = conclude(**everything(**{piece: None}))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert len(conclusion.missing) == 1


@pytest.mark.parametrize("piece", PIECES)
def test_verdict_when_one_piece_speaks_against_it_then_is_not_held(piece):
    conclusion = conclude(**everything(**{piece: Missing(("not there",))}))
    assert conclusion.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    assert conclusion.missing == ("not there",)


@pytest.mark.parametrize("piece", PIECES)
def test_verdict_when_one_piece_is_missing_without_a_reason_then_is_not_held(piece):
    assert conclude(**everything(**{piece: Missing(())})).verdict is not Verdict.HELD


def test_parameters_when_listed_then_none_has_a_default():
    assert conclude.__kwdefaults__ is None
    assert set(everything()) == set(conclude.__annotations__) - {"return"}


def test_verdict_when_no_invariant_was_judged_then_says_so():
    conclusion = conclude(**everything(invariants=()))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert conclusion.missing == ("no invariant was judged",)


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        pytest.param(["held", "violated"], Verdict.VIOLATED, id="violated beats held"),
        pytest.param(
            ["inconclusive", "violated"], Verdict.VIOLATED, id="violated beats inconclusive"
        ),
        pytest.param(["violated", "error"], Verdict.ERROR, id="error beats violated"),
        pytest.param(["held", "inconclusive"], Verdict.INCONCLUSIVE, id="inconclusive beats held"),
    ],
)
def test_verdict_when_invariants_differ_then_is_the_worst(verdicts, verdict):
    invariants = tuple(finding(each, f"i{n}") for n, each in enumerate(verdicts))
    assert conclude(**everything(invariants=invariants)).verdict is verdict


def test_verdict_when_violated_without_a_fault_seen_then_stays_violated():
    conclusion = conclude(
        **everything(faults=Missing(("fault not seen",)), invariants=(finding("violated"),))
    )
    assert conclusion.verdict is Verdict.VIOLATED
    assert conclusion.missing == ("fault not seen",)


def test_verdict_when_evidence_contradicts_itself_then_is_an_error_even_if_violated():
    conclusion = conclude(
        **everything(consistent=Missing(("twice",)), invariants=(finding("violated"),))
    )
    assert conclusion.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        pytest.param([Verdict.ABORTED], Verdict.ABORTED, id="limit"),
        pytest.param([Verdict.ABORTED, Verdict.ERROR], Verdict.ERROR, id="error beats limit"),
        pytest.param([Verdict.ERROR, Verdict.INTERRUPTED], Verdict.INTERRUPTED, id="interrupted"),
        pytest.param([Verdict.ERROR, Verdict.REFUSED], Verdict.REFUSED, id="refused"),
    ],
)
def test_verdict_when_stopped_then_is_that_of_the_stop(verdicts, verdict):
    stops = tuple(Stop(verdict=each, because="it stopped") for each in verdicts)
    assert conclude(**everything(stops=stops)).verdict is verdict


@pytest.mark.parametrize(
    ("event", "verdict", "because"),
    [
        pytest.param(
            LimitReached(limit=Duration.of_s(10), during="round 3"),
            Verdict.ABORTED,
            "the limit of 10 s was reached during round 3",
            id="limit",
        ),
        pytest.param(
            Interrupted(signal="SIGINT", during="round 3"),
            Verdict.INTERRUPTED,
            "interrupted by SIGINT during round 3",
            id="interrupted",
        ),
        pytest.param(
            TargetFailed(what="probe balance", detail="no such table"),
            Verdict.ERROR,
            "probe balance: no such table",
            id="target",
        ),
        pytest.param(
            SetupRefused(message="port taken"), Verdict.REFUSED, "port taken", id="refused"
        ),
    ],
)
def test_event_when_it_stops_a_run_then_says_the_verdict_and_why(event, verdict, because):
    assert stop_of(event) == Stop(verdict=verdict, because=because)


def raised_by(failing) -> str:
    try:
        failing()
    except Exception:
        return traceback.format_exc()
    raise AssertionError


def a_group():
    raise ExceptionGroup("several", [OSError("no space left on device")])


@pytest.mark.parametrize(
    ("detail", "because"),
    [
        (
            raised_by(lambda: 1 // 0),
            "round 2: ZeroDivisionError: integer division or modulo by zero",
        ),
        (raised_by(a_group), "round 2: OSError: no space left on device"),
        ("the disk is full", "round 2: the disk is full"),
        ("", "round 2: "),
    ],
)
def test_harness_when_it_failed_then_the_reason_is_what_was_raised(detail, because):
    assert stop_of(HarnessFailed(what="round 2", detail=detail)) == Stop(
        verdict=Verdict.ERROR, because=because
    )


def test_held_when_searched_for_in_the_judge_then_only_conclude_makes_it():
    """Naming the member is allowed for looking at a verdict; building a conclusion with it is not."""
    room = Path(harness.__file__).parent
    makes = re.compile(r"Conclusion\(|verdict=Verdict\.HELD|verdict=\"held\"|return Verdict\.HELD")
    found = {
        str(path.relative_to(room)) for path in room.rglob("*.py") if makes.search(path.read_text())
    }
    assert found == {"judge/conclude.py"}


def test_missing_when_the_steady_state_was_not_there_then_nothing_behind_it_is_named():
    nothing = dict.fromkeys(("traffic", "overlap", "faults", "settled", "rounds_counted"))
    conclusion = conclude(**everything(steady_before=Missing(("value is 99",)), **nothing))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert conclusion.missing == ("value is 99",)
