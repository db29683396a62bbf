"""The estimate is a coarse range, grows with the work, and never exceeds the time limit."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker import BreakerPlan, OpenTime
from harness.model.units import Duration
from harness.outputs.duration_estimate import about, estimate
from tests.support.journals import LATENCY, a_burst, a_plan, an_arrivals_step

replace = msgspec.structs.replace


def test_estimate_when_fifty_requests_may_wait_in_line_then_the_range_is_wide() -> None:
    plan = a_plan(rounds=20, method=(LATENCY, a_burst(50)))
    assert estimate(replace(plan, time_limit=Duration.of_s(600))).text == "about 10 s to 2 min"


def test_estimate_when_nothing_is_slow_then_low_and_high_are_close() -> None:
    assert estimate(a_plan(rounds=1, method=())).text == "about 2 s to 10 s"


def test_estimate_when_the_limit_is_shorter_then_it_is_the_limit() -> None:
    plan = replace(a_plan(rounds=1000), time_limit=Duration.of_s(30))
    assert estimate(plan).text == "about 30 s"


def test_estimate_when_a_fault_lasts_then_the_round_waits_for_it() -> None:
    lasting = replace(LATENCY, lasts=Duration.of_s(10))
    plan = a_plan(rounds=3, method=(lasting, a_burst()))
    assert estimate(plan).text.startswith("about 30 s")


def test_estimate_when_requests_arrive_for_a_while_then_each_round_lasts_as_long() -> None:
    arrivals = an_arrivals_step(rate=50, requests=500)
    found = estimate(a_plan(rounds=3, method=(arrivals,)))
    assert found.text.startswith("about 30 s")
    assert "3 rounds of reset, arrivals and the settle gap" in found.because
    assert "one request after another" not in found.because


def test_estimate_when_there_are_arrivals_and_a_burst_then_both_are_added() -> None:
    arrivals = an_arrivals_step(rate=50, requests=500)
    found = estimate(a_plan(rounds=3, method=(LATENCY, arrivals, a_burst())))
    assert "reset, hold, arrivals, a few delayed messages a request" in found.because


def test_estimate_when_several_plans_then_their_sum() -> None:
    plan = a_plan(rounds=1, method=())
    assert estimate(plan, plan, plan).text == "about 5 s to 30 s"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (17, "15 s"), (58, "1 min"), (85, "1.5 min"), (3500, "1 h"), (9000, "2 h")],
)
def test_about_when_given_a_duration_then_the_nearest_rung(seconds: float, words: str) -> None:
    assert about(Duration.of_s(seconds)) == words


@given(st.integers(1, 500), st.integers(1, 100))
def test_estimate_when_rounds_are_added_then_it_never_shrinks(rounds: int, more: int) -> None:
    limit = Duration.of_s(1_000_000)
    plans = [
        replace(a_plan(rounds=count, method=(LATENCY, a_burst(50))), time_limit=limit)
        for count in (rounds, rounds + more)
    ]
    least, most = (upper_end(estimate(plan).text) for plan in plans)
    assert least <= most


def upper_end(text: str) -> float:
    number, unit = text.split()[-2:]
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def test_estimate_when_a_breaker_is_judged_then_it_is_about_the_length_of_its_script() -> None:
    plan = a_plan(rounds=1, method=())
    limit = Duration.of_s(10_000)
    quick = BreakerPlan(
        calls="withdraw",
        behind="db",
        threshold=5,
        open=OpenTime(first=Duration.of_s(2)),
        call_timeout=Duration.of_s(1),
    )
    told = estimate(replace(plan, time_limit=limit, breaker=quick))
    assert told.text == "about 1 min to 2 min"
    assert told.because.startswith("starting, then the quick script")
    full = replace(quick, script="full")
    assert estimate(replace(plan, time_limit=limit, breaker=full)).text == "about 5 min"
    unknown = replace(quick, open=None)
    told = estimate(replace(plan, time_limit=limit, breaker=unknown))
    assert "less once the open time has shown" in told.because
