"""A fault's own keys: what a kind allows, and what is left at its default."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.experiment.fault_parts import Fault, Match, ToxicFault
from harness.experiment.worded import choice
from tests.unit.experiment.tiny import KINDS, Cut, Down, Latency, Status

FAULT = TypeAdapter(choice(KINDS.faults, Fault, "fault"))


def a_fault(**keys):
    return FAULT.validate_python({"on": "db", **keys})


@pytest.mark.parametrize("kind", [Latency, Status, Cut])
def test_toxic_when_its_class_allows_less_then_so_does_the_file(kind):
    base = Fault.for_kind(kind)
    assert issubclass(base, ToxicFault)
    assert base.model_fields["stream"].default == kind.streams[0]


def test_fault_when_its_kind_has_no_stream_then_has_no_key_of_toxics():
    assert Fault.for_kind(Down) is Fault
    assert a_fault(down=True).in_a_step() == {"stream": None}


@pytest.mark.parametrize(
    ("keys", "codec", "per"),
    [
        ({"latency": "1ms"}, "turn", "connection"),
        ({"latency": "1ms", "codec": "redis", "per": "request"}, "redis", "request"),
        ({"latency": "1ms", "match": {"header": "a", "values": ["b"]}}, "http", "request"),
        ({"status": 503}, "http", "request"),
        ({"status": 503, "per": "connection"}, "http", "connection"),
    ],
)
def test_toxic_when_little_is_said_then_match_or_its_kind_decides(keys, codec, per):
    fault = a_fault(**keys)
    assert (fault.codec_in_use, fault.per_in_use) == (codec, per)


@pytest.mark.parametrize(
    "keys",
    [
        {"skip": -1},
        {"skip": True},
        {"first": 0},
        {"seed": -1},
        {"seed": 2**63},
        {"per": "message"},
        {"codec": "mysql"},
        {"match": {"header": "a"}},
        {"match": {"header": "a b", "values": ["c"]}},
        {"match": {"header": "a", "values": []}},
        {"match": {"header": "a", "values": ["b\nc"]}},
    ],
    ids=str,
)
def test_key_when_its_value_is_none_of_its_own_then_is_refused(keys):
    with pytest.raises(ValidationError):
        a_fault(latency="1ms", **keys)


def test_match_when_it_names_what_the_harness_sets_itself_then_is_right():
    """It is looked for, not sent."""
    assert Match.model_validate({"header": "Connection", "values": ["close"]}).values == ["close"]
