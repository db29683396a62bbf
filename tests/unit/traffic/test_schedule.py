"""When requests are due, and how late they were: arithmetic that must not drift."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.traffic.schedule import Lateness, Schedule

rates = st.floats(min_value=0.1, max_value=10_000)


def test_requests_when_planned_then_due_at_equal_gaps_from_the_first() -> None:
    schedule = Schedule(1_000, 50, 4)
    assert [schedule.due(k) for k in range(4)] == [1_000, 20_001_000, 40_001_000, 60_001_000]


@given(rate=rates, first=st.integers(0, 10**15), k=st.integers(0, 1_000_000))
def test_a_request_when_due_then_by_its_number_alone_and_never_drifting(
    rate: float, first: int, k: int
) -> None:
    due = Schedule(first, rate, k + 1).due(k)
    exact = first + Fraction(k) * 10**9 / Fraction(rate)
    assert abs(due - exact) <= 1 + exact * Fraction(1, 2**50)


@given(rate=rates, k=st.integers(0, 1_000_000))
def test_requests_when_in_order_then_due_in_order(rate: float, k: int) -> None:
    schedule = Schedule(0, rate, k + 2)
    assert schedule.due(k) < schedule.due(k + 1)


@given(st.lists(st.integers(-1_000, 10**12), min_size=1, max_size=300))
def test_lateness_when_summed_up_then_99_of_100_kept_to_its_bound(late: list[int]) -> None:
    lateness = Lateness()
    for each in late:
        lateness.add(sent=10**15 + each, due=10**15)
    kept = sum(max(0, each) <= lateness.p99.ns for each in late)
    assert kept >= 0.99 * len(late)
    assert lateness.p99.ns in {max(0, each) for each in late}
    assert lateness.max.ns == max([0, *late])
    assert lateness.sent == len(late)


def test_lateness_when_of_two_hundred_then_two_may_be_beyond_its_bound() -> None:
    lateness = Lateness()
    for each in range(200, 0, -1):
        lateness.add(sent=each, due=0)
    assert (lateness.p99.ns, lateness.max.ns) == (198, 200)


def test_lateness_when_nothing_was_sent_then_is_none() -> None:
    assert (Lateness().p99, Lateness().max) == (Duration.ZERO, Duration.ZERO)
