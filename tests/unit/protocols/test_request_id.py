"""Ids as each carrier has them: found, absent, doubled, too long."""

import pytest

from harness.model.breaker import IdCarrier
from harness.protocols.request_id import MOST_OF_AN_ID, rid_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def read(carrier, *headers, target="/"):
    head = "".join(f"{line}\r\n" for line in (f"GET {target} HTTP/1.1", *headers)).encode("latin-1")
    return rid_of(carrier)(head, head.lower(), head.split(b" ")[1])


HEADER = IdCarrier(name="X-Request-Id")


@pytest.mark.parametrize(
    ("headers", "rid"),
    [
        (["x-request-id: r1"], "r1"),
        (["Host: a", "X-REQUEST-ID:\t  R1 \t", "A: b"], "R1"),
        (["X-Request-Id: \xe4"], "\xe4"),
        (["X-Request-Id:"], ""),
        (["X-Request-Id: r1", "A: b", "x-request-id: r2", "x-request-id: r3"], "r1, r2, r3"),
        (["X-Request-Identity: r1", "A: x-request-id: r2", "XX-Request-Id: r3"], None),
        ([], None),
    ],
)
def test_header_when_it_carries_the_id_then_is_read_in_any_case(headers, rid):
    assert read(HEADER, *headers) == rid


def test_header_when_it_comes_by_the_thousand_then_is_cut_like_any_long_one():
    assert read(HEADER, *["x-request-id: r1"] * 3000) == ("r1, " * MOST_OF_AN_ID)[:MOST_OF_AN_ID]
    assert read(HEADER, "x-request-id: " + "r" * 999) == "r" * MOST_OF_AN_ID


def test_header_when_its_name_can_be_none_then_is_never_found():
    assert read(IdCarrier(name="x-\u20ac"), "x-€: r".encode().decode("latin-1")) is None


@pytest.mark.parametrize(
    ("value", "rid"),
    [
        (TRACE, TRACE[3:35]),
        (TRACE.replace("00-", "cc-", 1), TRACE[3:35]),
        (TRACE.upper(), None),
        (TRACE[:-1], None),
        (f"{TRACE}, {TRACE}", None),
        ("r1", None),
    ],
)
def test_traceparent_when_it_is_one_then_is_its_trace_id(value, rid):
    assert read(IdCarrier(where="traceparent"), f"Traceparent: {value}") == rid
    assert read(IdCarrier(where="traceparent")) is None


@pytest.mark.parametrize(
    ("target", "rid"),
    [
        ("/p?rid=r1", "r1"),
        ("/p?a=b&rid=r1&rid=r2", "r1"),
        ("/p?rid=a%2Fb+c", "a/b c"),
        ("/p?rid=%zz%", "%zz%"),
        ("/p?rid=", ""),
        ("/p?xrid=r1&rid", None),
        ("/rid=r1", None),
    ],
)
def test_query_when_it_carries_the_id_then_is_decoded(target, rid):
    assert read(IdCarrier(where="query", name="rid"), target=target) == rid


@pytest.mark.parametrize(
    ("target", "rid"),
    [("/a/r1/b?c=d/e", "/a/r1/b"), ("*", "*"), ("/", "/"), ("/" + "r" * 999, "/" + "r" * 255)],
)
def test_path_when_it_carries_the_id_then_is_told_whole(target, rid):
    assert read(IdCarrier(where="path"), target=target) == rid
