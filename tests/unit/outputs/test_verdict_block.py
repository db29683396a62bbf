"""What a person reads at the end of a run, word for word."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from harness.model.plan import Expected
from harness.model.verdicts import InvariantFinding, Result, SteadyStateFinding, Verdict
from harness.outputs.paragraphs import render
from harness.outputs.progress import Trouble
from harness.outputs.verdict_block import block, heading, row, unexpected
from tests.support.results import (
    KNOWN_BUG,
    MONEY_CONSERVED_VIOLATED,
    a_result,
    a_violation,
)

LOG = """\
exit code 3 after 0.4 s; the last lines of its log:
Traceback (most recent call last):
  File "app.py", line 1, in <module>
ModuleNotFoundError: No module named 'asyncpg'
"""


def shown(
    *results: Result, troubles: Mapping[str, Sequence[Trouble]] | None = None, width: int = 120
) -> str:
    runs = [(result, Path("runs") / result.run) for result in results]
    kept = {run: tuple(said) for run, said in (troubles or {}).items()}
    return render(block(runs, kept), width=width, color=False)


def an_end(verdict: str, exit_code: int, reason: str, **changes: Any) -> Result:
    """A run that came to no verdict on its invariants."""
    return a_result(
        verdict=verdict,
        exit_code=exit_code,
        reason=reason,
        as_expected=False,
        **{"power": "", "invariants": (), "bursts": (), "faults": (), **changes},
    )


def test_block_when_a_known_bug_shows_and_the_sound_variant_holds(
    snapshot: SnapshotAssertion,
) -> None:
    assert shown(a_violation(), a_result()) == snapshot


def test_block_when_the_screen_is_80_wide(snapshot: SnapshotAssertion) -> None:
    text = shown(a_violation(), a_result(), width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text == snapshot


def test_block_when_a_bug_lost_its_mark(snapshot: SnapshotAssertion) -> None:
    assert shown(a_result("naive", expected=KNOWN_BUG, as_expected=False, exit_code=1)) == snapshot


def test_block_when_evidence_is_missing(snapshot: SnapshotAssertion) -> None:
    result = an_end(
        "inconclusive",
        3,
        "rounds 1–20: nothing moved through hop db during the burst (and 1 more)",
        missing=(
            "rounds 1–20: nothing moved through hop db during the burst; does app dial {hops.db.url}?",
            "fault latency@db was never seen on the wire",
        ),
        notes=("the journal's last line was not finished",),
    )
    assert shown(result) == snapshot


def test_block_when_a_service_died(snapshot: SnapshotAssertion) -> None:
    result = an_end("error", 5, "service app died at start")
    trouble = Trouble(what="service app", detail=LOG, hint="Run its command by hand to see more.")
    assert shown(result, troubles={result.run: [trouble]}) == snapshot


def test_block_when_the_time_was_up(snapshot: SnapshotAssertion) -> None:
    result = an_end("aborted", 4, "the time limit of 60 s was reached during round 2")
    trouble = Trouble(what="the time limit of 60 s was reached", told_by=Verdict.ABORTED)
    assert shown(result, troubles={result.run: [trouble]}) == snapshot


def test_block_when_interrupted(snapshot: SnapshotAssertion) -> None:
    result = an_end("interrupted", 130, "SIGINT arrived during round 2")
    assert shown(result) == snapshot


def test_block_when_the_steady_state_did_not_come_back(snapshot: SnapshotAssertion) -> None:
    state = SteadyStateFinding(
        before="held", after="not held", detail="balance == 100 (balance = 80)"
    )
    assert shown(a_violation(steady_state=state)) == snapshot


def test_block_when_a_fault_stays_then_it_comes_last_and_can_be_copied(
    snapshot: SnapshotAssertion,
) -> None:
    command = "curl -X DELETE http://127.0.0.1:8474/proxies/db/toxics/harness-latency-db-2026-11-25T10-12-31"
    result = a_result(
        exit_code=6, as_expected=False, not_undone=(f"toxic latency on proxy db\n{command}",)
    )
    text = shown(result, a_violation(), width=60)
    assert text.splitlines()[-1].strip() == command
    assert text == snapshot


def test_block_when_a_detail_is_a_whole_log_then_its_end_is_kept() -> None:
    result = an_end("error", 5, "service app died at start")
    log = "\n".join(["died", *(f"line {number}" for number in range(1, 101)), "x" * 10_000])
    text = shown(result, troubles={result.run: [Trouble(what="app", detail=log)]})
    assert "line 100" in text
    assert "line 77\n" not in text
    assert "77 lines before these are in the journal" in text
    assert len(text) < 3_000


def test_block_when_the_target_speaks_to_the_terminal_then_nothing_acts_on_it() -> None:
    evil = "\x1b[2J\x1b]0;title\x07[bold]\u202e"
    finding = msgspec.structs.replace(MONEY_CONSERVED_VIOLATED, summary=evil, name=evil)
    result = a_violation(invariants=(finding,), reason=evil, notes=(evil,), not_undone=(evil,))
    text = shown(result, troubles={result.run: [Trouble(what=evil, detail=evil, hint=evil)]})
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[bold]" in text


def test_block_when_setup_was_refused_then_the_way_on_is_told_too() -> None:
    message = "127.0.0.1:15432 is taken, hop db is pinned to it.\nStop what listens there."
    result = an_end("refused", 2, message)
    trouble = Trouble(what="not as needed", detail=message, told_by=Verdict.REFUSED)
    assert shown(result, troubles={result.run: [trouble]}).startswith(
        "atomic  refused: 127.0.0.1:15432 is taken, hop db is pinned to it.\n"
        "        Stop what listens there.\n"
    )


def test_block_when_a_run_broke_off_then_what_was_broken_is_shown_and_what_held_is_not() -> None:
    text = shown(
        an_end(
            "aborted",
            4,
            "the time was up",
            invariants=(*a_result().invariants[1:], *a_violation().invariants[:1]),
        )
    )
    assert "money-conserved  violated in 20 of 20 rounds" in text
    assert "held" not in text


def test_block_when_the_run_says_what_an_invariant_lacks_then_it_is_said_once() -> None:
    lack = "rounds 1–3: at most 1 of 5 requests was in flight at a time, two are needed"
    finding = InvariantFinding(
        name="money-conserved",
        kind="at_end",
        verdict="inconclusive",
        summary=f"no round counts: {lack}",
    )
    result = an_end("inconclusive", 3, lack, missing=(lack,), invariants=(finding,))
    assert shown(result).count("at most 1 of 5") == 1


def test_block_when_held_but_another_invariant_has_less_power_then_it_has_its_own_line() -> None:
    weaker = InvariantFinding(
        name="no-double-spend",
        kind="at_end",
        verdict="held",
        summary="held in 3 rounds that count (17 do not: overlap under 2): a race …",
    )
    text = shown(a_result(invariants=(*a_result().invariants, weaker)))
    assert "no-double-spend  held in 3 rounds that count" in text


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(a_violation(), "", id="known-bug"),
        pytest.param(a_result(), "", id="held"),
        pytest.param(
            a_violation(as_expected=False, expected=Expected()), "held was expected", id="new-bug"
        ),
        pytest.param(
            a_result(as_expected=False, expected=KNOWN_BUG),
            "violated by money-conserved was expected",
            id="fixed-bug",
        ),
        pytest.param(
            a_violation(as_expected=False, expected=KNOWN_BUG),
            "violated by money-conserved and no other was expected",
            id="another-bug",
        ),
        pytest.param(an_end("inconclusive", 3, ""), "", id="no-verdict-surprises-nobody"),
        pytest.param(a_result(as_expected=False, exit_code=6), "", id="held-but-a-fault-stayed"),
    ],
)
def test_unexpected_when_verdict_and_expectation_differ_then_it_says_what_was_expected(
    result: Result, expected: str
) -> None:
    assert unexpected(result) == expected


@pytest.mark.parametrize(
    ("result", "rounds", "expected"),
    [
        pytest.param(
            a_violation(), "20/20", "  naive     20/20   violated   as expected\n", id="known-bug"
        ),
        pytest.param(
            a_result(), "20/20", "  atomic    20/20   held       as expected\n", id="held"
        ),
        pytest.param(
            a_result(as_expected=False, expected=KNOWN_BUG),
            "20/20",
            "  atomic    20/20   held       unexpected: violated by money-conserved was expected\n",
            id="fixed-bug",
        ),
        pytest.param(an_end("error", 5, ""), " 2/20", "  atomic     2/20   error\n", id="error"),
        pytest.param(
            a_result(None),
            None,
            "  bank-overdraft  20 rounds   held       as expected\n",
            id="bare",
        ),
    ],
)
def test_row_when_a_run_is_judged_then_one_line_says_it(
    result: Result, rounds: str | None, expected: str
) -> None:
    assert render([row(result, width=8, rounds=rounds)], width=120, color=False) == expected


def test_row_when_unexpected_then_it_stands_out() -> None:
    result = a_result(as_expected=False, expected=KNOWN_BUG)
    assert "\x1b[1;31mheld" in render([row(result, width=8)], width=120, color=True)


def test_heading_when_there_is_no_title_then_the_name_alone_stands_there() -> None:
    assert heading("bank-overdraft", "", 7).text == "bank-overdraft      seed 7"
