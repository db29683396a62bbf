"""The parts of an experiment file, each by itself."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.experiment.experiment_parts import (
    BURST,
    DEFAULT_HOLD,
    EXPECTATION,
    EXPECTED_VARIANTS,
    Arrivals,
    OneBurst,
    Settle,
    Step,
    ViolatedBy,
    burst_parts,
)
from harness.model.units import Duration

ONE = {"operation": "a", "concurrency": 2}


@pytest.mark.parametrize(
    ("value", "paths", "hold"),
    [
        (ONE, [("at",)], DEFAULT_HOLD),
        ({**ONE, "hold": "1ms"}, [("at",)], Duration.of_ms(1)),
        ([ONE, ONE], [("at", 0), ("at", 1)], DEFAULT_HOLD),
        ({"operations": [ONE], "hold": "0s"}, [("at", "operations", 0)], Duration.ZERO),
    ],
    ids=["one", "with-hold", "list", "operations"],
)
def test_burst_when_in_any_of_its_forms_then_has_parts_with_places(value, paths, hold):
    burst = TypeAdapter(BURST).validate_python(value)
    parts = burst_parts(burst, ("at",))
    assert [path for path, _ in parts] == paths
    assert {(part.operation, part.concurrency) for _, part in parts} == {("a", 2)}
    assert getattr(burst, "hold", DEFAULT_HOLD) == hold


@pytest.mark.parametrize(
    "value",
    [[], {}, "a", {"operations": []}, {**ONE, "concurrency": 0}, {**ONE, "concurrency": True}],
)
def test_burst_when_wrong_then_is_refused(value):
    with pytest.raises(ValidationError):
        TypeAdapter(BURST).validate_python(value)


def test_step_when_it_has_both_or_none_then_is_refused():
    burst = OneBurst.model_validate(ONE)
    assert Step.model_validate({"burst": burst}).burst == burst
    arrivals = {"operation": "a", "rate": "1/s", "for": "5s"}
    assert Step.model_validate({"arrivals": arrivals}).arrivals.rate == 1
    for value in ({}, {"fault": 1, "burst": 1}, {"burst": 1, "arrivals": arrivals}):
        with pytest.raises(ValidationError, match=r"stand together|is empty"):
            Step.model_validate(value)


def test_expectation_when_told_then_is_a_word_or_names():
    adapter = TypeAdapter(EXPECTATION)
    assert adapter.validate_python("held") == "held"
    assert adapter.validate_python({"violated": ["a"]}) == ViolatedBy(violated=["a"])
    for value in ("broken", True, {"violated": []}, {"held": ["a"]}, ["held"]):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_variants_when_told_then_are_a_list_or_a_mapping():
    adapter = TypeAdapter(EXPECTED_VARIANTS)
    assert adapter.validate_python(["a", "b"]) == ["a", "b"]
    assert adapter.validate_python({"a": "violated"}) == {"a": "violated"}
    for value in ([], {}, "a"):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_settle_when_nothing_is_given_then_has_these_defaults():
    assert (Settle().gap, Settle().limit) == (Duration.of_ms(100), Duration.of_s(10))


def test_arrivals_when_told_then_have_a_rate_a_second_and_an_end():
    said = {"operation": "a", "rate": "3000/min", "for": "10s", "vars": {"n_": [1]}, "cap": 9}
    arrivals = Arrivals.model_validate(said)
    assert (arrivals.rate, arrivals.lasts, arrivals.cap) == (50, Duration.of_s(10), 9)
    assert Arrivals.model_validate({"operation": "a", "rate": "1/h", "for": "1s"}).cap is None


@pytest.mark.parametrize("key", ["operation", "rate", "for"])
def test_arrivals_when_a_key_is_missing_then_are_refused(key):
    said = {"operation": "a", "rate": "1/s", "for": "1s"}
    del said[key]
    with pytest.raises(ValidationError):
        Arrivals.model_validate(said)
