"""What came of one call: an answer only if it was whole."""

from typing import Any

from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Failure
from harness.traffic.flight import Flight
from harness.traffic.response import ResponseReader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def flight(came: bytes = OK, **changes: Any) -> Flight:
    reader = ResponseReader()
    reader.feed(came)
    known: dict[str, Any] = {"sent": 10, "first": 20, "last": 30, "how": "answered", **changes}
    return Flight(content=b"", reader=reader, timeout=Duration.of_s(1), **known)


def test_a_call_when_answered_whole_then_is_an_answer() -> None:
    came = flight().result()
    assert isinstance(came, Answer)
    assert (came.status, came.body) == (200, b"ok")
    assert (came.sent.ns, came.first.ns, came.last.ns) == (10, 20, 30)


def test_a_call_when_we_left_it_then_is_none_whatever_had_come() -> None:
    came = flight(OK[:-1], how="left", because="we left").result()
    assert came == Failure(
        because="we left", how="left", status=200, first=Instant.of_ns(20), last=Instant.of_ns(30)
    )


def test_a_call_when_the_answer_is_none_then_says_why() -> None:
    came = flight(b"SSH-2.0\r\n", how="eof").result()
    assert isinstance(came, Failure)
    assert came.because == "answer is not HTTP"


def test_a_call_when_nothing_came_then_has_no_first_byte() -> None:
    came = flight(b"", how="deadline", because="no answer within 1 s", first=0).result()
    assert isinstance(came, Failure)
    assert (came.first, came.status, came.how) == (None, None, "deadline")
