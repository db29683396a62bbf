"""The turn log: paging, what is still open, what was too many to keep."""

from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.turn import Turn
from harness.proxy.turn_log import TurnLog
from tests.support.playbook import t


def turn(seq, end="answered"):
    return Turn(conn=1, seq=seq, arrived=t(0), upstream=None, ended=t(1), end=end)


def log_of(count, kept=100):
    log = TurnLog(kept=kept)
    for seq in range(count):
        log.append(turn(seq))
    return log


def test_page_when_asked_from_the_last_next_then_has_what_is_new():
    log = log_of(3)
    page = log.page(0, [])
    assert ([x.seq for x in page.turns], page.next, page.dropped) == ([0, 1, 2], 3, 0)
    log.append(turn(3))
    page = log.page(page.next, [])
    assert ([x.seq for x in page.turns], page.next) == ([3], 4)


def test_page_when_turns_are_open_then_shows_them_without_moving_on():
    page = log_of(1).page(1, [turn(9, "open")])
    assert ([x.end for x in page.turns], page.next) == (["open"], 1)


def test_dropped_when_turns_were_too_many_then_counts_them_once():
    log = log_of(15, kept=10)
    page = log.page(0, [])
    assert ([x.seq for x in page.turns], page.dropped) == (list(range(5, 15)), 5)
    assert log.page(0, []).dropped == 5


def test_dropped_when_old_turns_were_read_in_time_then_counts_none():
    log = log_of(10, kept=10)
    after = log.page(0, []).next
    for seq in range(10, 20):
        log.append(turn(seq))
    page = log.page(after, [])
    assert ([x.seq for x in page.turns], page.dropped) == (list(range(10, 20)), 0)


def test_dropped_when_another_caller_asks_from_far_ahead_then_hides_no_loss():
    log = log_of(15, kept=10)
    assert log.page(10**9, []).turns == ()
    assert log.page(0, []).dropped == 5


def test_bytes_when_nothing_passed_then_are_zero_both_ways_and_on_both_sides():
    log = TurnLog()
    assert (log.bytes_up, log.bytes_down, log.sent_up, log.sent_down) == (0, 0, 0, 0)


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 10))
def test_reader_when_it_pages_on_then_each_turn_is_read_or_counted_as_dropped(batches, kept):
    log, after, read, total = TurnLog(kept=kept), 0, 0, 0
    for batch in batches:
        for _ in range(batch):
            log.append(turn(total))
            total += 1
        page = log.page(after, [])
        after, read = page.next, read + len(page.turns)
    page = log.page(after, [])
    assert read + page.dropped == total
