from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from harness.expressions.plain import plain
from harness.judge.evidence import Call, Lack, Reading, RoundEvidence, Span
from tests.support.journals import a_reading, at


def call(op, sent, last):
    return Call(
        op=op, operation="w", burst="b", sent=at(sent), last=None if last is None else at(last)
    )


def evidence(calls=(), lacks=(), tainted=None):
    return RoundEvidence(
        round=1,
        finished=True,
        calls=tuple(calls),
        readings=(),
        settled=None,
        never_settled=None,
        lacks=tuple(lacks),
        tainted=tainted,
        overlaps={"b": 3, "c": 5},
        hop_overlaps={},
        spreads={},
    )


def test_reading_when_exact_then_its_text_is_a_decimal():
    event = a_reading("80.10", purpose="at-end", round=1, asked=at(1), exact=True)
    reading = Reading.of(event)
    assert (reading.value, reading.exact) == ("80.10", Decimal("80.10"))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.fractions()
    | st.text() | st.binary() | st.dates() | st.datetimes() | st.timedeltas()
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(values)
def test_reading_when_of_any_value_then_is_what_the_probe_saw(value):
    read = plain(value)
    written = msgspec.json.decode(msgspec.json.encode(read.value))
    event = a_reading(written, purpose="at-end", round=1, asked=at(1), exact=read.exact)
    reading = Reading.of(event)
    assert reading.exact == read.exact_value
    assert type(reading.exact) is type(read.exact_value)


def test_reading_when_a_fraction_without_end_then_is_that_fraction():
    event = a_reading("1/3", purpose="at-end", round=1, asked=at(1), exact=True)
    assert Reading.of(event).exact == Fraction(1, 3)


def test_reading_when_not_exact_then_its_text_is_text():
    event = a_reading("80.10", purpose="at-end", round=1, asked=at(1))
    assert Reading.of(event).exact == "80.10"


def test_in_flight_when_calls_overlap_or_touch_then_is_one_stretch():
    spans = evidence([call(2, 5, 9), call(1, 0, 5), call(3, 20, 30), call(4, 40, None)]).in_flight
    assert spans == (
        Span(start=at(0), end=at(9)),
        Span(start=at(20), end=at(30)),
        Span(start=at(40), end=at(40)),
    )


def test_span_when_it_holds_a_reading_then_holds_all_of_it():
    span = Span(start=at(0), end=at(10))

    def reading(asked, answered):
        return Reading.of(
            a_reading(1, purpose="always", round=1, asked=at(asked), answered=at(answered))
        )

    assert span.holds(reading(0, 10))
    assert not span.holds(reading(9, 11))
    assert not span.holds(reading(-1, 5))


def test_round_when_it_lacks_something_or_is_tainted_then_does_not_count():
    lack = Lack(short="s", detail="d")
    assert evidence().counts
    assert not evidence(lacks=[lack]).counts
    assert not evidence(tainted=lack).counts
    assert evidence().overlap == 5
