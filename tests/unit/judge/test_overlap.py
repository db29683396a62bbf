from hypothesis import given
from hypothesis import strategies as st

from harness.judge.evidence import Call
from harness.judge.overlap import front_overlaps, peak
from tests.support.journals import at

moments = st.integers(0, 12)
intervals = st.lists(st.tuples(moments, moments).map(sorted), max_size=8)


def call(op, sent, first, last, burst="b"):
    return Call(
        op=op,
        operation="w",
        burst=burst,
        sent=at(sent),
        first=None if first is None else at(first),
        last=None if last is None else at(last),
    )


@given(intervals)
def test_peak_when_compared_with_looking_at_every_moment_then_agrees(spans):
    # Between two whole moments nothing begins or ends.
    brute = max(
        (
            sum(start < middle < end for start, end in spans)
            for middle in [m + 0.5 for m in range(12)]
        ),
        default=0,
    )
    assert peak((at(start), at(end)) for start, end in spans) == brute


def test_peak_when_one_ends_as_another_begins_then_they_do_not_overlap():
    assert peak([(at(0), at(5)), (at(5), at(9))]) == 1


def test_overlap_when_answered_then_ends_with_the_first_byte():
    calls = [call(1, 0, 5, 50), call(2, 10, 15, 60)]
    assert front_overlaps(calls) == {"b": 1}


def test_overlap_when_never_answered_then_lasts_to_the_end_of_the_operation():
    calls = [call(1, 0, None, 50), call(2, 10, 15, 60)]
    assert front_overlaps(calls) == {"b": 2}


def test_overlap_when_never_returned_then_shows_none():
    calls = [call(1, 0, None, None), call(2, 10, 15, 60)]
    assert front_overlaps(calls) == {"b": 1}


def test_overlap_when_two_bursts_then_each_has_its_own():
    calls = [call(1, 0, 9, 9), call(2, 0, 9, 9), call(3, 0, 9, 9, burst="c")]
    assert front_overlaps(calls) == {"b": 2, "c": 1}
