"""File name, YAML word and class agree, and a kind says what it is in one line."""

import dataclasses
import sys
from pathlib import Path

import msgspec
import pytest

from harness.assembly import vocabulary

KINDS = [
    pytest.param(sort, word, kind, id=f"{sort}-{word}")
    for sort in ("faults", "services", "probes", "resets", "invariants")
    for word, kind in getattr(vocabulary(), sort).items()
]


@pytest.mark.parametrize(("sort", "word", "kind"), KINDS)
def test_kind_when_registered_then_its_file_bears_its_word(sort, word, kind):
    module = Path(sys.modules[kind.__module__].__file__)
    assert module.stem == word.replace("-", "_")


@pytest.mark.parametrize(("sort", "word", "kind"), KINDS)
def test_kind_when_registered_then_its_class_bears_its_word(sort, word, kind):
    """``sql`` is ``Sql``, ``SqlProbe`` or ``SqlReset``."""
    camel = "".join(part.capitalize() for part in word.replace("-", "_").split("_"))
    assert kind.__name__.startswith(camel)


@pytest.mark.parametrize(("sort", "word", "kind"), KINDS)
def test_kind_when_registered_then_says_what_it_is_in_one_line(sort, word, kind):
    assert 10 < len(kind.summary) < 100
    assert "\n" not in kind.summary


@pytest.mark.parametrize(("sort", "word", "kind"), KINDS)
def test_kind_when_given_an_unknown_key_then_refuses_it(sort, word, kind):
    from pydantic import TypeAdapter, ValidationError

    assert dataclasses.is_dataclass(kind.Params)
    assert kind.Params.__dataclass_params__.frozen
    with pytest.raises(ValidationError) as error:
        TypeAdapter(kind.Params).validate_python({"no-such-key": 1})
    assert any(detail["loc"] == ("no-such-key",) for detail in error.value.errors())
    with pytest.raises((msgspec.ValidationError, TypeError, ValueError)):
        kind.Params(**{"no-such-key": 1})
