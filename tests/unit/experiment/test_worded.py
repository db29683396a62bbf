"""One word among the keys tells the kind; its attributes stand beside it or under it."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.experiment.experiment_parts import Invariant
from harness.experiment.fault_parts import Fault
from harness.experiment.target_parts import Probe, Reset, Service
from harness.experiment.worded import choice, word_of
from tests.unit.experiment.tiny import KINDS, Limits

FAULT = TypeAdapter(choice(KINDS.faults, Fault, "fault"))
SERVICE = TypeAdapter(choice(KINDS.services, Service, "service"))
RESET = TypeAdapter(choice(KINDS.resets, Reset, "reset"))
INVARIANT = TypeAdapter(choice(KINDS.invariants, Invariant, "invariant"))


@pytest.mark.parametrize(
    ("value", "kind", "params"),
    [
        ({"latency": "40ms"}, "latency", {"latency": "40ms", "jitter": "0s"}),
        ({"latency": "40ms", "jitter": "1ms"}, "latency", {"latency": "40ms", "jitter": "1ms"}),
        ({"latency": {"latency": "40ms"}}, "latency", {"latency": "40ms", "jitter": "0s"}),
        ({"slicer": {"average_size": "64B", "delay": "10us"}}, "slicer", {"average_size": "64B", "delay": "10us"}),
        ({"slicer": "64B"}, "slicer", {"average_size": "64B", "delay": "0s"}),
        ({"down": True}, "down", {}),
        ({"bandwidth": "100KB/s", "shared": True}, "bandwidth", {"rate": "100KB/s", "shared": True}),
        ({"status": 429, "retry_after": "1s"}, "status", {"status": 429, "body": "", "retry_after": "1s"}),
        ({"status": {}}, "status", {"status": 503, "body": "", "retry_after": None}),
        ({"cut": "1KiB", "how": "close"}, "cut", {"bytes": "1KiB", "messages": None, "timeout": "0s", "how": "close"}),
        ({"cut": {"messages": 0}}, "cut", {"bytes": None, "messages": 0, "timeout": "0s", "how": "reset"}),
        # What is a word of its own elsewhere is here a key of the other.
        ({"cut": "1B", "timeout": "5s"}, "cut", {"bytes": "1B", "messages": None, "timeout": "5s", "how": "reset"}),
        ({"timeout": "5s"}, "timeout", {"timeout": "5s"}),
    ],
)  # fmt: skip
def test_fault_when_worded_in_any_way_then_has_its_params(value, kind, params):
    fault = FAULT.validate_python({"on": "db", **value})
    assert (fault.kind, fault.on, fault.plain_params()) == (kind, "db", params)


def test_service_when_its_kind_has_a_hyphen_then_word_and_value_are_apart():
    assert word_of("embedded-postgres") == ("embedded", "postgres")
    assert SERVICE.validate_python({"embedded": "postgres"}).kind == "embedded-postgres"


@pytest.mark.parametrize(
    ("limits", "plain"),
    [({"files": 256}, {"files": 256}), ({}, {"files": None})],
    ids=["given", "nothing-in-it"],
)
def test_attribute_when_it_is_a_dataclass_then_its_fields_are_keys(limits, plain):
    service = SERVICE.validate_python({"run": "a", "limits": limits})
    assert service.params().limits == Limits(**limits)
    assert service.plain_params() == {"run": "a", "cwd": None, "limits": plain}


def test_word_when_beside_another_that_knows_it_as_a_key_then_is_no_word():
    assert SERVICE.validate_python({"compose": "a#b"}).plain_params() == {"compose": "a#b"}
    assert SERVICE.validate_python({"compose": "a#b", "run": "c"}).texts() == {"run": "c"}


def test_main_attribute_when_not_the_kinds_namesake_then_is_the_first():
    invariant = INVARIANT.validate_python({"at_end": "a == 1"})
    assert invariant.texts() == {"at_end": "a == 1"}
    assert invariant.plain_params() == {"expression": "a == 1"}


@pytest.mark.parametrize(
    ("adapter", "value"),
    [
        (FAULT, {"on": "db"}),
        (FAULT, {"on": "db", "latency": "40ms", "down": True}),
        (FAULT, {"on": "db", "down": False}),
        (FAULT, {"on": "db", "down": {}}),
        (FAULT, {"on": "db", "down": True, "stream": "upstream"}),
        (FAULT, {"on": "db", "status": 503, "stream": "upstream"}),
        (FAULT, {"on": "db", "status": 503, "codec": "turn"}),
        (FAULT, {"on": "db", "status": "503"}),
        (FAULT, {"on": "db", "slicer": "64B", "timeout": "5s"}),
        (FAULT, {"on": "db", "latency": "40ms", "delay": "1ms"}),
        (FAULT, {"on": "db", "latency": {"latency": "40ms"}, "jitter": "1ms"}),
        (FAULT, {"on": "db", "slicer": {}}),
        (FAULT, {"on": "db", "latency": 40}),
        (FAULT, "latency"),
        (SERVICE, {"embedded": "oracle"}),
        (SERVICE, {"run": "a", "embedded": "postgres"}),
        (SERVICE, {"run": {"run": "a"}}),
        (RESET, {"sql": "DELETE", "file": "a.sql"}),
        (RESET, {"redis": []}),
        (RESET, {"redis": {"a": "b"}}),
        (SERVICE, {"run": "a", "limits": {"files": "256"}}),
        (SERVICE, {"run": "a", "limits": {"files": 256, "file": 1}}),
        (SERVICE, {"run": "a", "limits": {"files": 3}}),
        (SERVICE, {"run": "a", "limits": []}),
        (SERVICE, {"run": "a", "node": "b", "compose": "c#d"}),
    ],
)
def test_value_when_its_words_do_not_fit_then_is_refused(adapter, value):
    with pytest.raises(ValidationError):
        adapter.validate_python(value)


@pytest.mark.parametrize(
    ("sort", "base"),
    [
        ("faults", Fault),
        ("services", Service),
        ("probes", Probe),
        ("resets", Reset),
        ("invariants", Invariant),
    ],
)
def test_key_when_unknown_to_a_kind_then_is_refused_by_every_kind(sort, base):
    for kind, described in getattr(KINDS, sort).items():
        word, value = word_of(kind)
        adapter = TypeAdapter(choice({kind: described}, base, "one"))
        with pytest.raises(ValidationError) as raised:
            adapter.validate_python({word: value or "1B", "nonsense": 1})
        assert any(detail["type"] == "unknown_key" for detail in raised.value.errors())


def test_choice_when_there_is_no_kind_then_nothing_is_taken():
    with pytest.raises(ValidationError):
        TypeAdapter(choice({}, Fault, "fault")).validate_python({"latency": "1ms"})


def test_params_when_the_kind_refuses_them_then_says_so():
    fault = FAULT.validate_python({"on": "db", "latency": "1ms", "jitter": "2ms"})
    with pytest.raises(ValueError, match="jitter is larger"):
        fault.params()


@pytest.mark.parametrize(
    "value",
    [
        {"latency": True},
        {"bandwidth": True},
        {"slicer": {"average_size": True}},
        {"latency": "40ms", "jitter": True},
    ],
)
def test_fault_when_a_flag_stands_for_an_amount_then_it_is_told_as_yaml_has_it(value):
    with pytest.raises(ValidationError, match="found true"):
        FAULT.validate_python({"on": "db", **value})
