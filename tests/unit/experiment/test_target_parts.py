"""The parts of a target file, each by itself."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.experiment.target_parts import Hop, Operation, Ready, Service, Variant, no_keys
from harness.experiment.worded import choice
from harness.model.units import Duration
from tests.unit.experiment.tiny import KINDS


def test_operation_when_only_its_line_is_given_then_has_these_defaults():
    operation = Operation.model_validate({"http": "POST /buy"})
    assert operation.timeout == Duration.of_s(30)
    assert (operation.acknowledged, operation.rejected, operation.on) == (None, None, None)
    assert not operation.has_json


def test_body_when_json_is_null_then_is_a_body():
    assert Operation.model_validate({"http": "POST /buy", "json": None}).has_json


def test_body_when_json_and_text_then_is_refused():
    with pytest.raises(ValidationError, match="json and body stand together"):
        Operation.model_validate({"http": "POST /buy", "json": 1, "body": "1"})


def test_ready_when_nothing_is_given_then_waits_thirty_seconds():
    assert Ready.model_validate({}).within == Duration.of_s(30)


def test_hop_when_from_is_left_out_then_nobody_in_the_files_dials_it():
    assert Hop.model_validate({"to": "db"}).source is None
    assert Hop.model_validate({"from": "app", "to": "db"}).source == "app"
    with pytest.raises(ValidationError):
        Hop.model_validate({"source": "app", "to": "db"})


def test_variant_when_it_stands_alone_then_has_no_title():
    assert Variant.model_validate(no_keys(None)).title == ""
    assert no_keys({"title": "a"}) == {"title": "a"}


def test_operation_when_it_is_a_command_then_has_no_line():
    operation = Operation.model_validate({"command": "bash night.sh {n}", "key": "{n}"})
    assert (operation.http, operation.command, operation.key) == (None, "bash night.sh {n}", "{n}")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"http": "POST /", "command": "a"}, "http and command stand together"),
        ({"key": "{rid}"}, "the key 'http' is missing"),
        ({"command": "a", "on": "app"}, "on beside command"),
        ({"command": "a", "headers": {}, "body": "b"}, "headers and body beside command"),
        ({"command": "a", "json": None}, "json beside command"),
    ],
)
def test_operation_when_it_is_neither_or_both_then_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        Operation.model_validate(given)


def test_service_when_its_kind_is_a_container_then_none_stands_for_it():
    service = TypeAdapter(choice(KINDS.services, Service, "service"))
    beside = service.validate_python({"run": "a", "compose": "f#a"})
    assert (beside.kind, beside.stand_in, beside.takes_env) == ("run", "f#a", True)
    alone = service.validate_python({"compose": "f#a"})
    assert (alone.kind, alone.stand_in) == ("compose", None)
    engine = service.validate_python({"embedded": "postgres", "compose": "f#a"})
    assert (engine.kind, engine.stand_in, engine.takes_env) == ("embedded-postgres", "f#a", False)
