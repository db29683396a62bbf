"""Kinds are found by their file, described by themselves, and never twice."""

import sys

import msgspec
import pytest
from hypothesis import given

from harness.kinds import Registry, main_attribute, params, to_params, to_plain
from harness.model.errors import UserError
from harness.model.units import Duration
from tests.support.strategies import durations


@params
class Slow:
    latency: Duration
    jitter: Duration = Duration.ZERO


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes modules into a package of kinds and gives its registry."""

    def write(**modules):
        folder = tmp_path / "some_kinds"
        folder.mkdir()
        (folder / "__init__.py").touch()
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        return Registry(package="some_kinds", group="harness.tests.none")

    yield write
    for name in [name for name in sys.modules if name.startswith("some_kinds")]:
        del sys.modules[name]


def test_kind_when_its_module_is_in_the_package_then_is_found(package):
    registry = package(
        latency="class Latency:\n    kind = 'latency'",
        down="class Down:\n    kind = 'down'",
        _shared="class Hidden:\n    kind = 'hidden'",
    )
    assert list(registry) == ["down", "latency"]
    assert registry["latency"].__name__ == "Latency"
    assert "hidden" not in registry
    assert [name for name, _ in registry.items()] == ["down", "latency"]


def test_kind_when_only_imported_into_a_module_then_is_not_counted_twice(package):
    registry = package(
        down="class Down:\n    kind = 'down'",
        up="from some_kinds.down import Down\nclass Up(Down):\n    kind = 'up'",
    )
    assert list(registry) == ["down", "up"]


def test_name_when_taken_twice_then_both_owners_are_named(package):
    registry = package(a="class A:\n    kind = 'same'", b="class B:\n    kind = 'same'")
    with pytest.raises(UserError, match="'same' is taken twice, by harness and by harness"):
        list(registry)


@given(durations, durations)
def test_params_when_made_plain_then_come_back(latency, jitter):
    value = Slow(latency=latency, jitter=jitter)
    assert to_params(Slow, to_plain(value)) == value


def test_params_when_made_plain_then_durations_are_text():
    assert to_plain(Slow(latency=Duration.of_ms(40))) == {"latency": "40ms", "jitter": "0s"}


def test_params_when_a_value_is_wrong_then_is_refused():
    with pytest.raises(msgspec.ValidationError):
        to_params(Slow, {})


def test_main_attribute_when_it_has_a_namesake_then_is_that_and_else_the_first():
    assert main_attribute(Slow, "jitter") == "jitter"
    assert main_attribute(Slow, "slow") == "latency"


def test_registry_when_used_as_a_mapping_then_has_its_ways(package):
    registry = package(down="class Down:\n    kind = 'down'")
    assert len(registry) == 1
    assert registry.get("up") is None
    assert dict(registry) == {"down": registry["down"]}


def test_main_attribute_when_there_is_no_attribute_then_says_so():
    @params
    class Nothing:
        pass

    with pytest.raises(ValueError, match="down has no attribute"):
        main_attribute(Nothing, "down")
