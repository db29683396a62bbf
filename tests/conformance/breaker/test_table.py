"""Invariant by variant: each defect breaks its own invariant and no other; the sound breakers break none.

What cannot but be broken with it stands beside the mutant, with the reason. The snapshot is the table
to read: ``V`` violated, ``h`` held, ``?`` inconclusive, ``-`` not applicable.
"""

from functools import cache

import pytest

from harness.judge.breaker.judge import judge
from tests.support.breaker_model.declaration import declared
from tests.support.breaker_model.generate import generate
from tests.support.breaker_model.mutants import MUTANTS
from tests.support.breaker_model.settings import Settings

SEED = 2
NUMBERS = [f"BRK-{number:02}" for number in range(1, 27)]
LETTERS = {"violated": "V", "held": "h", "inconclusive": "?", "not-applicable": "-"}

SOUND = {
    "five in a row": Settings(process=True, per_key=True),
    "slow counts": Settings(slow=150),
    "three trials": Settings(permits=3, to_close=3, permits_in_total=True),
    "backs off": Settings(factor=2, at_most=4000, jitter=0.1),
    "half of twenty": Settings(
        kind="count-window", threshold=None, share=0.5, window=20, minimum=10
    ),
    "answers by fallback": Settings(fallback=True),
    "two attempts": Settings(attempts=2),
}


def row(history):
    result = judge(history)
    assert result.error is None
    return {one.id: LETTERS[one.verdict] for one in result.invariants}


@cache
def row_of_sound(name):
    settings = SOUND[name]
    return row(generate(declared(settings, "full"), settings, seed=SEED))


@cache
def row_of(mutant_id):
    return row(next(one for one in MUTANTS if one.id == mutant_id).history(SEED))


def violated(letters):
    return {number for number, letter in letters.items() if letter == "V"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_defect_when_judged_then_breaks_its_own_invariant_and_what_goes_with_it(mutant):
    assert violated(row_of(mutant.id)) == {mutant.breaks, *mutant.also}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_breaker_when_it_has_not_the_defect_then_breaks_nothing(mutant):
    assert violated(row(mutant.history(SEED, sound=True))) == set()


@pytest.mark.parametrize("name", SOUND)
def test_breaker_when_sound_then_breaks_nothing_in_the_full_script(name):
    assert violated(row_of_sound(name)) == set()


def test_breaker_when_sound_and_everything_is_declared_then_the_full_script_leaves_nothing_open():
    found = row_of_sound("five in a row")
    assert {number: letter for number, letter in found.items() if letter != "h"} == {}


def test_invariant_when_broken_alone_then_no_other_is_said_to_go_with_it():
    """Those that no defect breaks alone: a leak, an early trial and a late trip are each two things."""
    alone = {mutant.breaks for mutant in MUTANTS if not mutant.also}
    assert sorted({*NUMBERS} - alone) == [
        "BRK-03", "BRK-04", "BRK-06", "BRK-09", "BRK-11", "BRK-19", "BRK-21", "BRK-26"
    ]  # fmt: skip


def test_table_when_drawn_then_is_the_one_that_we_know(snapshot):
    rows = {name: row_of_sound(name) for name in SOUND}
    rows |= {mutant.id: row_of(mutant.id) for mutant in MUTANTS}
    assert "\n" + drawn(rows) == snapshot


def drawn(rows):
    width = max(map(len, rows))
    head = " " * width + "  " + " ".join(number.removeprefix("BRK-") for number in NUMBERS)
    lines = [
        f"{name:<{width}}  " + " ".join(f"{row[number]:>2}" for number in NUMBERS)
        for name, row in rows.items()
    ]
    return "\n".join([head, *lines])
