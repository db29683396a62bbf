"""Hypothesis strategies for what the rooms share: any event, any value of a field's type.

Made from the types themselves, so a new event or field is covered the moment it exists.
"""

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from msgspec import Struct

from harness.model.events import JOURNAL_SCHEMA, AnyEvent, RunStarted
from harness.model.units import Duration, Instant, Size

# JSON has no half surrogate pairs; those are the journal's own test.
texts = st.text(st.characters(codec="utf-8"), max_size=12)
durations = st.integers(-(10**15), 10**15).map(Duration.of_ns)
instants = st.integers(0, 2**62).map(Instant.of_ns)
sizes = st.integers(0, 2**40).map(Size)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    Any: plain_values,
    NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: texts,
    Duration: durations,
    Instant: instants,
    Size: sizes,
}

# We write our own schema only; what happens to a later one is the reader's own test.
_FIXED: dict[Any, dict[str, st.SearchStrategy[Any]]] = {
    RunStarted: {"schema": st.just(JOURNAL_SCHEMA)}
}


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field annotated with ``hint`` may hold.

    Raises:
        TypeError: the hint is of a kind that no struct had so far; add it here.
    """
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return structs(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([of_type(argument) for argument in arguments])
    if origin is tuple:
        return _tuples(arguments)
    if origin is dict:
        return st.dictionaries(of_type(arguments[0]), of_type(arguments[1]), max_size=2)
    raise TypeError(f"no strategy for {hint!r}")


def _tuples(arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Of any length where the hint ends in dots, else of just these."""
    if arguments[1:] == (...,):
        return st.lists(of_type(arguments[0]), max_size=2).map(tuple)
    return st.tuples(*map(of_type, arguments))


def structs(kind: type[Struct]) -> st.SearchStrategy[Any]:
    """Any value of a msgspec struct."""

    def build() -> st.SearchStrategy[Any]:
        hints = get_type_hints(kind)
        fields = {name: of_type(hints[name]) for name in kind.__struct_fields__}
        return st.builds(kind, **(fields | _FIXED.get(kind, {})))

    return st.deferred(build)


events: st.SearchStrategy[Any] = st.one_of([structs(kind) for kind in get_args(AnyEvent)])
