"""What all faults have in common: every kind of ours does what the runner asks for."""

import pytest

from harness.faults.down import Down
from harness.faults.fault import Fault, Terms, now
from harness.faults.toxic import ToxicFault

ASKED = [name for name in dir(Fault) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [ToxicFault, Down])
def test_kind_when_the_runner_asks_then_has_an_answer(kind: type):
    assert set(ASKED) >= {"intend", "apply", "undo", "verify", "gone", "remains"}
    assert [name for name in ASKED if not hasattr(kind, name)] == []


def test_terms_when_nothing_is_said_then_there_is_no_lease_that_could_lapse():
    terms = Terms(seed=1)
    assert (terms.lease, terms.lapses()) == (None, 0)


def test_now_when_asked_twice_then_never_goes_back():
    assert now() <= now()
