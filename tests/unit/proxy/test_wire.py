"""Attributes on the wire: defaults, order, ranges."""

import pytest

from harness.proxy.wire import (
    MOST_MS,
    WireAttribute,
    WireProblem,
    completed,
    milliseconds,
    span_ns,
)

WIRE = (milliseconds("latency"), WireAttribute(name="rate", default=7, least=0, most=9))


def test_completed_when_some_are_given_then_all_are_there_in_order():
    assert list(completed(WIRE, {"rate": 1, "foo": 3}).items()) == [("latency", 0), ("rate", 1)]
    assert completed(WIRE, {})["rate"] == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": -1}, "rate: -1 is out of range, use 0 to 9"),
        ({"rate": 10}, "rate: 10 is out of range, use 0 to 9"),
        ({"latency": MOST_MS + 1}, f"use {-(2**63)} to {MOST_MS} ms"),
    ],
)
def test_completed_when_out_of_range_then_names_attribute_and_range(given, message):
    with pytest.raises(WireProblem) as problem:
        completed(WIRE, given)
    assert message in str(problem.value)


def test_completed_when_at_the_edge_then_is_taken():
    edge = {"latency": MOST_MS, "rate": 9}
    assert completed(WIRE, edge) == edge


@pytest.mark.parametrize(("given", "ns"), [(3, 3_000_000), (0, 0), (-5, 0)])
def test_span_ns_when_negative_then_is_none(given, ns):
    assert span_ns({"latency": given}, "latency") == ns
