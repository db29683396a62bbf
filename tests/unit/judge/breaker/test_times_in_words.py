import pytest

from harness.judge.breaker.times_in_words import in_ms, in_seconds


@pytest.mark.parametrize(
    ("ns", "said"), [(1_500_000_000, "1.50 s"), (4_999_999, "0.00 s"), (0, "0.00 s")]
)
def test_span_when_in_seconds_then_has_two_decimals(ns, said):
    assert in_seconds(ns) == said


@pytest.mark.parametrize(
    ("ns", "said"),
    [
        (31_400_000, "31 ms"),
        (5_000_000, "5 ms"),
        (1_100_000, "1.1 ms"),
        (9_960_000, "10 ms"),
        (0, "0 ms"),
    ],
)
def test_span_when_in_ms_then_has_a_tenth_only_where_it_is_small(ns, said):
    assert in_ms(ns) == said
