"""Plain values: what comes from a database is written down and read back without losing a digit."""

import datetime as dt
import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.plain import Plain, exact_number, plain
from harness.model.units import Duration


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, Plain(None), id="null"),
        pytest.param(True, Plain(True), id="boolean"),
        pytest.param(7, Plain(7), id="whole"),
        pytest.param(2**63, Plain("9223372036854775808", exact=True), id="beyond-64-bits"),
        pytest.param(0.5, Plain(0.5), id="float"),
        pytest.param(math.nan, Plain("NaN"), id="nan"),
        pytest.param(-math.inf, Plain("-Infinity"), id="minus-infinity"),
        pytest.param(Decimal("12.30"), Plain("12.30", exact=True), id="decimal"),
        pytest.param(Decimal("NaN"), Plain("NaN"), id="decimal-nan"),
        pytest.param(Fraction(4, 2), Plain(2), id="whole-fraction"),
        pytest.param(Duration.of_ns(271_123), Plain("271123ns", exact=True), id="span-of-time"),
        pytest.param(dt.timedelta(seconds=59.9), Plain("59.9s", exact=True), id="interval"),
        pytest.param(dt.timedelta(0), Plain("0s", exact=True), id="no-interval"),
        pytest.param(Fraction(-1, 8), Plain("-0.125", exact=True), id="ending-fraction"),
        pytest.param(Fraction(1, 3), Plain("1/3", exact=True), id="endless-fraction"),
        pytest.param(dt.date(2026, 11, 5), Plain("2026-11-05"), id="date"),
        pytest.param(
            dt.datetime(2026, 11, 5, 1, 2, tzinfo=dt.UTC),
            Plain("2026-11-05T01:02:00+00:00"),
            id="moment",
        ),
        pytest.param(b"\x00\xff", Plain("00ff"), id="bytes"),
        pytest.param(UUID(int=1), Plain("00000000-0000-0000-0000-000000000001"), id="uuid"),
        pytest.param([1, Decimal("0.1")], Plain([1, "0.1"]), id="array"),
        pytest.param({"a": b"\1"}, Plain({"a": "01"}), id="map"),
    ],
)
def test_a_value_when_made_plain_then_as_expected(value: Any, expected: Plain) -> None:
    assert plain(value) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.fractions() | st.integers())
def test_a_number_when_written_to_a_line_and_read_back_then_is_the_same(number: Any) -> None:
    line = msgspec.json.encode(plain(number).value)
    read = Plain(msgspec.json.decode(line), plain(number).exact)
    assert Fraction(read.exact_value) == Fraction(number)


@given(st.recursive(st.none() | st.floats() | st.binary() | st.decimals(), st.lists))
def test_anything_when_made_plain_then_is_strict_json(value: Any) -> None:
    json.dumps(plain(value).value, allow_nan=False)


@given(st.timedeltas())
def test_an_interval_when_read_back_then_is_as_long_to_the_microsecond(
    interval: dt.timedelta,
) -> None:
    microseconds = interval // dt.timedelta(microseconds=1)
    assert plain(interval).exact_value == Duration.of_ns(microseconds * 1_000)


def test_exact_number_when_decimal_then_keeps_its_places() -> None:
    assert str(exact_number("12.30")) == "12.30"
    assert exact_number("1/3") == Fraction(1, 3)
    assert exact_number("271123ns") == Duration.of_ns(271_123)
