"""What became of the calls so far: sorted once the hop's log was fetched behind their end."""

from harness.model.events import OperationReturned, OperationSent
from harness.model.outcomes import Acknowledged, Rejected
from harness.model.units import Instant
from harness.proxy.request_log import Request
from harness.runner.breaker.watch import Watch


def at(milliseconds: int) -> Instant:
    return Instant.of_ns(milliseconds * 1_000_000)


class Log:
    """A watch and the arrivals that the hop has told of."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.came: dict[str, list[Request]] = {}
        self._op = 0

    def call(
        self, sent: int, ended: int, *arrived: int, good: bool = True, how: str = "answered"
    ) -> str:
        self._op += 1
        rid = f"r{self._op}"
        self.watch.take(
            OperationSent(
                op=self._op,
                operation="sell",
                round=0,
                burst="",
                rid=rid,
                request=1,
                sent=at(sent),
                phase="p",
            )
        )
        self.watch.take(
            OperationReturned(
                op=self._op,
                operation="sell",
                round=0,
                status=200,
                outcome=Acknowledged() if good else Rejected(),
                first=None,
                last=at(ended),
                phase="p",
                how=how,  # type: ignore[arg-type]  # one of the words
            )
        )
        self.came[rid] = [a_request(rid, moment) for moment in arrived]
        return rid

    def sort(self, known: int = 10_000) -> None:
        self.watch.sort(lambda rid: self.came.get(rid, []), known_up_to=at(known))


def a_request(rid: str, arrived: int) -> Request:
    return Request(
        conn=arrived,
        seq=1,
        peer=None,
        method="GET",
        rid=rid,
        arrived=at(arrived),
        ended=None,
        end="open",
        status=None,
        began=False,
        injected=(),
    )


def test_sort_when_a_call_ended_behind_what_is_known_then_it_waits():
    log = Log()
    log.call(0, 5, 1)
    log.sort(known=5)
    assert log.watch.seen == []
    log.sort(known=6)
    assert [call.rid for call in log.watch.seen] == ["r1"]


def test_sort_when_an_answer_has_no_arrival_then_it_is_a_rejection_whatever_it_says():
    log = Log()
    log.call(0, 1)
    log.call(2, 3, good=False, how="reset")
    log.call(4, 6, 5, good=False)
    log.sort()
    assert [call.rejected for call in log.watch.seen] == [True, False, False]
    assert [call.good for call in log.watch.seen] == [False, False, False]


def test_sort_when_one_id_came_twice_then_it_has_two_attempts_and_the_first_arrival_counts():
    log = Log()
    log.call(0, 9, 1, 4)
    log.sort()
    (call,) = log.watch.seen
    assert (call.attempts, call.arrived, call.good) == (2, at(1), True)


def test_take_when_an_event_bears_no_phase_then_it_is_nobody_s_call():
    log = Log()
    log.watch.take(
        OperationSent(op=9, operation="sell", round=1, burst="", rid="x", request=1, sent=at(0))
    )
    log.sort()
    assert log.watch.seen == []


def test_good_in_a_row_when_one_was_not_then_it_counts_from_there():
    log = Log()
    log.call(0, 2, 1)
    log.call(3, 5, 4, good=False)
    mark_before = log.watch.mark
    log.call(6, 8, 7)
    log.call(9, 11, 10)
    log.sort()
    assert log.watch.good_in_a_row(mark_before) == 2
    assert log.watch.good_in_a_row(log.watch.mark) == 0


def test_trip_when_rejections_follow_failures_then_it_is_the_last_forwarded_call_s_end():
    log = Log()
    log.call(0, 2, 1, good=False)
    log.call(3, 5, 4, good=False)
    log.call(6, 7)
    log.call(8, 10, 9)
    log.sort()
    assert log.watch.trip(0) == at(5)
    assert log.watch.trip(3) is None
    assert log.watch.last_forwarded(0) == at(10)
    assert [call.rid for call in log.watch.rejected_since(0)] == ["r3"]


def test_trip_when_the_first_call_is_rejected_then_nobody_can_tell_when_it_opened():
    log = Log()
    log.call(6, 7)
    log.sort()
    assert log.watch.trip(0) is None
    assert log.watch.last_forwarded(0) is None


def test_first_let_through_when_calls_were_sent_before_the_rejection_then_they_do_not_count():
    log = Log()
    log.call(2, 4)  # rejected
    log.call(1, 9, 3)  # sent before it, and so admitted in the state before
    log.call(5, 8, 7)
    log.sort()
    let_through = log.watch.first_let_through(0)
    assert let_through is not None
    assert let_through.rid == "r3"
