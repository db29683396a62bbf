"""All 26 are there, each under its own number, and none without its module."""

from pathlib import Path

import pytest

from harness.judge.breaker import invariants as package
from harness.judge.breaker.registry import invariant, invariants


def test_invariants_when_listed_then_are_26_in_the_order_of_their_numbers():
    numbers = [one.subject.id for one in invariants()]
    assert numbers == [f"BRK-{number:02}" for number in range(1, 27)]


def test_module_when_in_the_package_then_is_listed_by_its_number():
    modules = sorted(Path(package.__file__).parent.glob("brk*.py"))
    assert [path.stem[3:5] for path in modules] == [
        one.subject.id.removeprefix("BRK-") for one in invariants()
    ]


def test_invariant_when_asked_for_by_number_then_is_found():
    assert invariant("BRK-08").subject.name == "trials are limited"
    with pytest.raises(KeyError):
        invariant("BRK-27")


def test_subject_when_written_then_says_its_condition_and_phases():
    for one in invariants():
        assert one.subject.condition
        assert one.subject.phases == tuple(sorted(one.subject.phases))
        assert set(one.subject.phases) <= set(range(20))
