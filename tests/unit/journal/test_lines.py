"""One event, one line, and back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal import lines
from harness.model.errors import HarnessBug
from harness.model.events import FaultIntended, ProbeRead, RoundStarted
from harness.model.units import Duration, Instant
from tests.support import strategies


@given(strategies.events)
def test_event_when_encoded_and_decoded_then_is_the_same(event):
    assert lines.decode(lines.encode(event)) == event


@given(st.lists(strategies.events, max_size=4))
def test_events_when_decoded_together_then_are_those_decoded_singly(events):
    written = [lines.encode(event) for event in events]
    assert lines.decode_all(b"".join(written)) == [lines.decode(line) for line in written]


@given(strategies.events)
def test_event_when_encoded_then_stands_on_one_line(event):
    line = lines.encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


def test_event_when_encoded_then_has_the_written_form_people_know():
    event = FaultIntended(
        n=17,
        t=5,
        at="2026-11-25T10:12:31.000001Z",
        fault="latency@db",
        kind="latency",
        on="db",
        round=1,
        params={"latency": "40ms"},
        undo={},
    )
    assert lines.encode(event) == (
        b'{"type":"FaultIntended","n":17,"t":5,"at":"2026-11-25T10:12:31.000001Z",'
        b'"fault":"latency@db","kind":"latency","on":"db","round":1,'
        b'"params":{"latency":"40ms"},"undo":{},"words":"","phase":"","outage":""}\n'
    )


def test_value_without_written_form_when_encoded_then_is_a_bug_naming_the_event():
    event = ProbeRead(
        probe="p",
        purpose="always",
        round=1,
        asked=Instant.of_ns(1),
        answered=Instant.of_ns(2),
        value=object(),
    )
    with pytest.raises(HarnessBug, match="ProbeRead cannot be written"):
        lines.encode(event)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"type":"RoundStarted","round":"one"}', id="wrong-type"),
        pytest.param(b'{"type":"RoundStarted"}', id="field-missing"),
        pytest.param(b'{"type":"Nonsense"}', id="unknown-event"),
        pytest.param(b"[]", id="no-object"),
    ],
)
def test_json_that_is_no_event_when_decoded_then_is_refused(line):
    with pytest.raises(msgspec.ValidationError):
        lines.decode(line)


def test_text_when_looked_for_in_a_line_then_has_its_escaped_form():
    event = RoundStarted(round=1, at='say "hi"\n')
    assert lines.encode_text('say "hi"\n') in lines.encode(event)


def test_known_types_when_compared_with_the_union_then_name_every_event():
    assert {"RunStarted", "ProbeRead", "HopCounted"} <= lines.KNOWN_TYPES
    assert Duration.__name__ not in lines.KNOWN_TYPES
