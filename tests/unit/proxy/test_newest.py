"""What ended, the newest of it: paging, bounds, and what was too many to keep."""

from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.newest import Newest


def newest(count, kept=10):
    log = Newest(kept)
    for number in range(count):
        log.append(number)
    return log


def test_numbers_when_asked_for_from_anywhere_then_are_those_behind_it():
    log = newest(8)
    assert [log.since(after) for after in (0, 3, 7, 8, 99)] == [
        (list(range(8)), 8), ([3, 4, 5, 6, 7], 8), ([7], 8), ([], 8), ([], 8),
    ]  # fmt: skip
    assert (log.next, log.dropped) == (8, 0)


def test_numbers_when_bounded_then_the_rest_comes_with_the_next_question():
    log = newest(8)
    assert log.since(0, 3) == ([0, 1, 2], 3)
    assert log.since(3, 3) == ([3, 4, 5], 6)
    assert log.since(6, 3) == ([6, 7], 8)


def test_dropped_when_asked_for_too_late_then_is_counted_once():
    log = newest(25)
    assert log.since(10)[0] == list(range(15, 25))
    assert log.dropped == 5
    log.since(0)
    assert log.dropped == 5


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 10), st.integers(1, 20))
def test_reader_when_it_pages_on_then_each_is_read_once_or_counted_as_dropped(batches, kept, most):
    log, after, read, total = Newest(kept), 0, [], 0
    for batch in batches:
        for _ in range(batch):
            log.append(total)
            total += 1
        found, after = log.since(after, most)
        assert len(found) <= most
        read += found
    while after < log.next:
        found, after = log.since(after, most)
        read += found
    assert read == sorted(set(read))
    assert len(read) + log.dropped == total
