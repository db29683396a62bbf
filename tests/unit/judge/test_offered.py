"""The load that was really offered: late and dropped requests are a lack, and never pass in silence."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness.judge.evidence import Call
from harness.judge.offered import OfferedLoad, lacks_of_load, offered_load, tolerance
from harness.model.events import ArrivalsFinished, ArrivalsStarted
from harness.model.units import Duration
from tests.support.journals import at

GAP = 20.0  # ms, at 50 a second


def load(
    late: Sequence[float], *, dropped: int = 0, rate: float = 50, planned: int | None = None
) -> OfferedLoad:
    """One request for each, so many milliseconds behind its due time."""
    started = ArrivalsStarted(
        round=1,
        step="pay",
        planned=len(late) + dropped if planned is None else planned,
        rate=rate,
        first=at(100),
    )
    finished = ArrivalsFinished(
        round=1,
        step="pay",
        sent=len(late),
        dropped=dropped,
        late_p99=Duration.of_ms(max(late, default=0)),
        late_max=Duration.of_ms(max(late, default=0)),
        most=3,
        cap=30,
    )
    calls = [
        Call(
            op=k,
            operation="pay",
            burst="pay",
            sent=at(100 + 1000 * k / rate + behind),
            due=at(100 + 1000 * k / rate),
        )
        for k, behind in enumerate(late)
    ]
    other = Call(op=1_000, operation="pay", burst="burst", sent=at(10_000))
    return offered_load(started, finished, [*calls, other])


def shorts(*loads: OfferedLoad) -> list[str]:
    return [lack.short for lack in lacks_of_load(loads)]


def test_load_when_as_planned_then_lacks_nothing() -> None:
    made = load([0.1] * 100)
    assert (made.sent, made.in_time, made.dropped) == (100, 100, 0)
    assert shorts(made) == []


def test_load_when_up_to_a_tenth_is_late_then_lacks_nothing() -> None:
    assert shorts(load([0.1] * 90 + [21] * 10)) == []


def test_load_when_more_than_a_tenth_is_late_then_says_how_much_was_in_time() -> None:
    (lack,) = lacks_of_load([load([0.1] * 62 + [50] * 38)])
    assert lack.short == "load sent late"
    assert lack.detail.startswith(
        "arrivals pay: sent 62 % of its requests when they were due, within 20 ms (99 % within 50 ms)"
    )
    assert not lack.withheld


def test_load_when_some_was_dropped_then_says_how_much_was_sent() -> None:
    (lack,) = lacks_of_load([load([0.1] * 31, dropped=19)])
    assert lack.short == "load dropped at the cap"
    assert lack.detail == (
        "arrivals pay: sent 62 % of what was planned; 19 of 50 requests were due while 30 were in "
        "flight, and no more may be"
    )


def test_load_when_a_single_request_was_dropped_then_is_not_all_of_it() -> None:
    (lack,) = lacks_of_load([load([0.1] * 999, dropped=1)])
    assert "sent 99 % of what was planned" in lack.detail


def test_load_when_behind_from_the_first_then_names_the_rate_that_was_reached() -> None:
    # Each request takes as long again as its gap: half the rate.
    (lack,) = lacks_of_load([load([GAP * k for k in range(100)])])
    assert "reached 25." in lack.detail
    assert "instead of 50" in lack.detail


def test_tolerance_when_the_rate_is_high_then_is_what_a_busy_machine_takes() -> None:
    assert tolerance(5) == Duration.of_ms(100)
    assert tolerance(25) == tolerance(5_000) == Duration.of_ms(20)


@given(
    late=st.lists(st.floats(0, 100), min_size=1, max_size=60),
    dropped=st.integers(0, 5),
)
def test_load_when_of_any_lateness_then_lacks_exactly_what_was_late_or_dropped(
    late: list[float], dropped: int
) -> None:
    found = shorts(load(late, dropped=dropped))
    in_time = sum(round(each * 1_000_000) <= 20_000_000 for each in late)
    assert ("load sent late" in found) == (in_time < 0.9 * len(late))
    assert ("load dropped at the cap" in found) == (dropped > 0)
