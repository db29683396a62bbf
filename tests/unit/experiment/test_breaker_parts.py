"""The keys of a breaker, each by itself: every form, and what is refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.experiment.breaker_parts import (
    BREAKER,
    Fallback,
    IdHeader,
    IdQuery,
    OpenTimes,
    Retries,
)
from harness.experiment.schema import json_schema
from harness.model.breaker import Window
from harness.model.units import Duration
from tests.unit.experiment.tiny import KINDS

ADAPTER = TypeAdapter(BREAKER)


def read(**keys):
    return ADAPTER.validate_python({"calls": "a", "behind": "b", **keys})


def refusal(**keys):
    with pytest.raises(ValidationError) as caught:
        read(**keys)
    (detail,) = caught.value.errors(include_url=False)
    return detail


def test_breaker_when_only_what_it_guards_is_told_then_nothing_is_declared():
    block = read()
    assert {k: v for k, v in dict(block).items() if v is not None} == {
        "calls": "a",
        "behind": "b",
        "reaction": Duration.ZERO,
        "errors_when_healthy": 0.0,
        "script": "quick",
    }


@pytest.mark.parametrize("missing", ["calls", "behind"])
def test_breaker_when_what_it_guards_is_missing_then_is_refused(missing):
    keys = {"calls": "a", "behind": "b"}
    del keys[missing]
    with pytest.raises(ValidationError, match=missing):
        ADAPTER.validate_python(keys)


@pytest.mark.parametrize(
    ("key", "value", "is_read_as"),
    [
        ("id", {"header": "X-Id"}, IdHeader(header="X-Id")),
        ("id", {"query": "rid"}, IdQuery(query="rid")),
        ("id", "traceparent", "traceparent"),
        ("id", "path", "path"),
        ("threshold", 5, 5),
        ("threshold", "50%", 0.5),
        ("threshold", "100%", 1.0),
        ("window", 100, Window(calls=100)),
        ("window", "10s", Window(time=Duration.of_s(10))),
        ("open", "1500ms", Duration.of_ms(1500)),
        ("open", {"first": "2s"}, OpenTimes(first="2s")),
        (
            "open",
            {"first": "2s", "factor": 2, "at_most": "60s", "jitter": "10%"},
            OpenTimes(first="2s", factor=2.0, at_most="60s", jitter="10%"),
        ),
        ("call_timeout", "1s", Duration.of_s(1)),
        ("call_timeout", "none", "none"),
        ("retries", {"attempts": 3}, Retries(attempts=3)),
        ("fallback", {"json": None}, Fallback(json=None)),
        ("errors_when_healthy", "0%", 0.0),
        ("errors_when_healthy", "1.5%", 0.015),
        ("reaction", "0s", Duration.ZERO),
        ("phases", ["trip", "burst", "hung-trial"], ["trip", "burst", "hung-trial"]),
        ("script", "full", "full"),
        ("kind", "eject", "eject"),
        ("isolation", "none", "none"),
    ],
)
def test_key_when_in_one_of_its_forms_then_is_read(key, value, is_read_as):
    assert getattr(read(**{key: value}), key) == is_read_as


def test_fallback_when_it_is_null_then_that_is_a_body():
    assert read(fallback={"json": None}).fallback.has_json
    assert not read(fallback={"status": 200}).fallback.has_json


@pytest.mark.parametrize(
    ("keys", "where", "says"),
    [
        ({"threshold": 0}, ("threshold",), "0 is out of range"),
        ({"threshold": 0.5}, ("threshold",), "found the number 0.5"),
        ({"threshold": True}, ("threshold",), "found true"),
        ({"threshold": "0%"}, ("threshold",), "0% is out of range"),
        ({"threshold": "101%"}, ("threshold",), "101% is out of range"),
        ({"threshold": "half"}, ("threshold",), "found the text 'half'"),
        ({"window": 1.5}, ("window",), "found the number 1.5"),
        ({"window": 0}, ("window",), "0 is out of range"),
        ({"window": "0s"}, ("window",), "0s is no time at all"),
        ({"open": "0s"}, ("open", "<span>"), "0s is no time at all"),
        ({"open": {"factor": 2}}, ("open", "<mapping>", "first"), ""),
        ({"open": {"first": "1s", "factor": 0.5}}, ("open", "<mapping>", "factor"), ""),
        ({"open": {"first": "1s", "jitter": "101%"}}, ("open", "<mapping>", "jitter"), "101%"),
        ({"call_timeout": "0s"}, ("call_timeout",), "0s is no time at all"),
        ({"id": "x-request-id"}, ("id", "<word>"), "found the text 'x-request-id'"),
        ({"id": {"header": "a b"}}, ("id", "<header>", "header"), "'a b' is no name of a header"),
        ({"id": {"header": "a", "prefix": "b"}}, ("id", "<header>", "prefix"), ""),
        ({"id": {"query": ""}}, ("id", "<query>", "query"), ""),
        ({"trials": {"permits": 0}}, ("trials", "permits"), ""),
        ({"slow": {"threshold": "50%"}}, ("slow", "over"), ""),
        ({"retries": {"around": "both"}}, ("retries", "around"), ""),
        ({"phases": []}, ("phases",), ""),
        ({"phases": ["bursts"]}, ("phases", 0), "unknown phase 'bursts'"),
        ({"kind": "consequtive"}, ("kind",), ""),
        ({"rejection": {"status": 99}}, ("rejection", "status"), ""),
        ({"bulkhead": 0}, ("bulkhead",), ""),
        ({"instances": 1.5}, ("instances",), ""),
        ({"failure": " "}, ("failure",), "found the text ' '"),
        ({"treshold": 5}, ("treshold",), ""),
        ({"open": None}, (), "there is nothing behind the colon"),
    ],
    ids=str,
)
def test_key_when_its_value_is_none_of_its_own_then_is_refused_where_it_stands(keys, where, says):
    detail = refusal(**keys)
    assert detail["loc"] == where
    assert says in detail.get("ctx", {}).get("found", "")


def test_threshold_when_it_is_a_fraction_then_the_percentage_is_told():
    assert refusal(threshold=0.5)["ctx"]["hint"] == "Write 50%."


def test_breaker_when_it_is_no_mapping_then_is_refused():
    with pytest.raises(ValidationError, match="found a list"):
        ADAPTER.validate_python([])


def test_schema_when_made_then_has_every_key_of_a_breaker_with_its_words():
    schema = json_schema("experiment", KINDS)
    keys = schema["$defs"]["Breaker"]["properties"]
    assert set(keys) >= {"calls", "behind", "id", "trials", "slow", "phases", "process"}
    assert {key for key, said in keys.items() if not said.get("description")} == set()
    assert keys["phases"]["items"]["enum"][0] == "warm-up"
    assert {"required": ["experiment", "target", "breaker"]} in schema["anyOf"]
