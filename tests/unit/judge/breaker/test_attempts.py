"""Transport retries and deliberate ones, told apart by what the hop saw."""

import pytest

from harness.judge.breaker.attempts import transport_retries
from harness.judge.breaker.known import MS
from harness.model.breaker_history import Arrival


def arrivals(*times, end="cut", began=False, method="GET"):
    """Each arrives at one of the times (ms) and ends 1 later; the last one is answered."""
    ends = [end] * (len(times) - 1) + ["answered"]
    return [
        Arrival(
            conn=index,
            seq=1,
            arrived=at * MS,
            ended=(at + 1) * MS,
            end=how,
            began=began,
            method=method,
        )
        for index, (at, how) in enumerate(zip(times, ends, strict=True))
    ]


@pytest.mark.parametrize(
    ("seen", "count"),
    [
        pytest.param(arrivals(0), 0, id="one-arrival"),
        pytest.param(arrivals(0, 4), 1, id="cut-and-repeated-3-later"),
        pytest.param(arrivals(0, 50), 1, id="49-after-the-cut"),
        pytest.param(arrivals(0, 51), 0, id="50-after-the-cut"),
        pytest.param(arrivals(0, 4, began=True), 0, id="a-byte-had-come"),
        pytest.param(arrivals(0, 4, method="POST"), 0, id="not-idempotent"),
        pytest.param(arrivals(0, 4, end="answered"), 0, id="the-first-was-answered"),
        pytest.param(arrivals(0, 4, end="abandoned"), 0, id="the-service-gave-the-first-up"),
        pytest.param(arrivals(0, 4, 8), 0, id="three-at-once-were-meant"),
        pytest.param(arrivals(0, 4, 100, 104), 2, id="two-attempts-each-repeated"),
        pytest.param(arrivals(0, 100, 104), 1, id="the-second-attempt-repeated"),
    ],
)
def test_arrivals_when_of_one_id_then_tells_the_clients_own_repeats(seen, count):
    assert transport_retries(seen) == count


def test_open_arrival_when_followed_by_another_then_is_no_transport_retry():
    first = Arrival(conn=1, seq=1, arrived=0, end="cut")
    assert transport_retries([first, *arrivals(1)]) == 0
