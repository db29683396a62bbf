"""The files as a whole, and the JSON Schema that editors read."""

import pytest

from harness.experiment.nodes import plain
from harness.experiment.report import Report
from harness.experiment.schema import experiment_fields, json_schema, target_fields
from harness.experiment.source import parse
from tests.unit.experiment.tiny import HERE, KINDS

TOXIC_KEYS = ("stream", "toxicity", "per", "codec", "skip", "first", "match", "seed")


@pytest.mark.parametrize("which", ["experiment", "target"])
def test_schema_when_made_then_is_closed_and_says_which_draft(which):
    schema = json_schema(which, KINDS)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    # What a file includes may have what it lacks itself.
    assert {"required": ["include"]} in schema["anyOf"]


@pytest.mark.parametrize(
    ("which", "fields"), [("experiment", experiment_fields), ("target", target_fields)]
)
def test_schema_when_compared_with_the_keys_of_a_file_then_has_just_these(which, fields):
    properties = json_schema(which, KINDS)["properties"]
    assert set(properties) == {*fields(KINDS), "include"}
    for key, said in properties.items():
        assert said.get("description"), f"{key} is not described"


def test_schema_when_a_kind_is_registered_then_its_word_is_in_it():
    definitions = json_schema("experiment", KINDS)["$defs"]
    latency = definitions["Fault_latency"]["properties"]
    assert set(latency) == {"on", "for", *TOXIC_KEYS, "latency", "jitter"}
    assert latency["codec"]["enum"] == ["turn", "http", "postgres", "redis"]
    assert latency["toxicity"]["default"] == "100%"
    assert latency["jitter"]["default"] == "0s"
    assert "ms" in latency["latency"]["pattern"]
    assert set(definitions["Fault_down"]["properties"]) == {"on", "for", "down"}
    assert definitions["Fault_down"]["properties"]["down"]["const"] is True
    assert definitions["Fault_status"]["properties"]["stream"]["const"] == "downstream"
    assert "KB/s" not in definitions["Fault_bandwidth"]["properties"]["bandwidth"]["pattern"]
    assert "/s" in definitions["Fault_bandwidth"]["properties"]["bandwidth"]["pattern"]
    assert definitions["Settle"]["properties"]["gap"]["default"] == "100ms"


def test_schema_when_a_key_may_be_left_out_then_null_is_still_no_value():
    assert '{"type": "null"}' not in str(json_schema("experiment", KINDS)).replace("'", '"')


@pytest.mark.parametrize("which", ["experiment", "target"])
def test_good_file_when_its_keys_are_compared_then_all_are_in_the_schema(which):
    file = plain(parse((HERE / "good" / f"{which}.yaml").read_text(), "f", Report()))
    assert set(file) <= set(json_schema(which, KINDS)["properties"])


def test_schema_when_a_service_may_have_limits_and_a_container_then_they_are_in_it():
    schema = json_schema("target", KINDS)
    definitions = schema["$defs"]
    run = definitions["Service_run"]["properties"]
    assert run["limits"] == {"$ref": "#/$defs/Limits", "default": None}
    assert definitions["Limits"]["properties"]["files"]["type"] == "integer"
    assert run["compose"]["type"] == "string"
    assert set(definitions["Service_compose"]["required"]) == {"compose"}
    assert definitions["Operation"]["oneOf"] == [{"required": ["http"]}, {"required": ["command"]}]
    assert "services" not in schema["anyOf"][0]["required"]
