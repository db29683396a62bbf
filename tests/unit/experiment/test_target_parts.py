"""The parts of a target file, each by itself."""

import pytest
from pydantic import ValidationError

from harness.experiment.target_parts import Hop, Operation, Ready, Variant, no_keys
from harness.model.units import Duration


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
