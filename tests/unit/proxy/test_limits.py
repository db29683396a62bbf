"""Limits: counting, and what the machine allows. The machine's own limit is left alone."""

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.errors import UserError
from harness.proxy import limits
from harness.proxy.limits import ConnectionLimit, allowed_connections


class Machine:
    """Limits of descriptors that are made up."""

    RLIM_INFINITY, RLIMIT_NOFILE = resource.RLIM_INFINITY, resource.RLIMIT_NOFILE

    def __init__(self, soft, hard, *, stubborn=False):
        self.soft, self.hard, self.stubborn = soft, hard, stubborn

    def getrlimit(self, _which):
        return self.soft, self.hard

    def setrlimit(self, _which, pair):
        soft, hard = pair
        if self.stubborn:
            raise ValueError("not on this machine")
        assert hard == self.hard
        assert hard == resource.RLIM_INFINITY or soft <= hard
        self.soft = soft


@pytest.fixture
def machine(monkeypatch):
    def put(*args, **more):
        made = Machine(*args, **more)
        monkeypatch.setattr(limits, "resource", made)
        return made

    return put


@given(st.integers(1, 5), st.lists(st.booleans()))
def test_limit_when_entered_and_left_anyhow_then_never_more_are_in_than_the_most(most, calls):
    limit, inside = ConnectionLimit(most), 0
    for enters in calls:
        if enters and not limit.full:
            limit.enter()
            inside += 1
        elif not enters and inside:
            limit.leave()
            inside -= 1
        assert limit.open == inside
        assert limit.full is (inside == most)


INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "afterwards"),
    [
        (1_048_576, 1_048_576, 10_000, 1_048_576),
        (INFINITE, INFINITE, 10_000, INFINITE),
        (1_024, 1_048_576, 10_000, 20_128),
        (1_024, INFINITE, 10_000, 20_128),
        (1_024, 4_096, 1_984, 4_096),
        (300, 300, 112, 300),
        (3, 3, 1, 3),
    ],
)
def test_default_when_files_are_few_then_fits_them_and_the_soft_limit_rises(
    machine, soft, hard, allowed, afterwards
):
    made = machine(soft, hard)
    assert allowed_connections(None) == allowed
    assert made.soft == afterwards


def test_soft_limit_when_it_cannot_be_raised_then_counts_as_it_is(machine):
    machine(1_024, INFINITE, stubborn=True)
    assert allowed_connections(None) == 448


def test_bound_when_asked_for_then_is_kept_or_refused_with_what_is_possible(machine):
    machine(1_024, 4_096)
    assert allowed_connections(5) == 5
    assert allowed_connections(1_984) == 1_984
    with pytest.raises(UserError, match=r"--max-connections 5000: .*\n.*1984 or fewer"):
        allowed_connections(5_000)
