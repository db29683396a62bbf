"""How built-in and foreign kinds are found, named and described. Knows none of them.

Built-ins are found by listing their package: a module ``latency.py`` there holds one class whose
``kind`` is ``"latency"``. Foreign ones come through an entry point of the same group. A name taken
twice is an error that names both distributions.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from harness.model.errors import UserError
from harness.model.units import from_builtin, to_builtin


class Described(Protocol):
    """What every kind says of itself, as class attributes."""

    kind: str
    """The word in YAML."""
    summary: str
    """One line for people."""
    Params: type
    """A frozen dataclass made by ``params``."""


D = TypeVar("D", bound=Described)
P = TypeVar("P")


def params(cls: type[P]) -> type[P]:
    """Makes ``cls`` a frozen, keyword-only dataclass in which pydantic refuses unknown keys.

    A plain dataclass would let a misspelt key pass in silence.
    """
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]  # read by pydantic alone
    return made


def to_params(kind: type[P], plain: Mapping[str, Any]) -> P:
    """Plain values, as a plan or an event has them, into a kind's ``Params``."""
    return msgspec.convert(dict(plain), kind, dec_hook=from_builtin)


def to_plain(value: Any) -> dict[str, Any]:
    """A kind's ``Params`` as plain values, durations and sizes as text."""
    return cast("dict[str, Any]", msgspec.to_builtins(value, enc_hook=to_builtin))


def main_attribute(params_type: type, kind: str) -> str:
    """The attribute that stands directly behind the kind's word in YAML: its namesake, or the first.

    Raises:
        ValueError: the kind has no attributes.
    """
    names = [field.name for field in dataclasses.fields(params_type)]
    if not names:
        raise ValueError(f"{kind} has no attribute, so none can stand behind its word")
    return kind if kind in names else names[0]


class Registry(Mapping[str, type[D]], Generic[D]):
    """The kinds of one sort by their words, sorted; loaded on first use."""

    def __init__(self, *, package: str, group: str) -> None:
        self._package = package
        self._group = group
        self._found: dict[str, type[D]] | None = None

    def _load(self) -> dict[str, type[D]]:
        if self._found is not None:
            return self._found
        found: dict[str, type[D]] = {}
        owner: dict[str, str] = {}
        package = importlib.import_module(self._package)
        for module_info in pkgutil.iter_modules(package.__path__):
            if module_info.name.startswith("_"):
                continue
            module = importlib.import_module(f"{self._package}.{module_info.name}")
            for value in vars(module).values():
                if (
                    isinstance(value, type)
                    and value.__module__ == module.__name__
                    and "kind" in vars(value)
                ):
                    self._add(found, owner, cast("type[D]", value), "harness")
        for entry in entry_points(group=self._group):
            distribution = entry.dist.name if entry.dist else "an unnamed distribution"
            self._add(found, owner, cast("type[D]", entry.load()), distribution)
        self._found = found
        return found

    def _add(
        self, found: dict[str, type[D]], owner: dict[str, str], kind: type[D], whose: str
    ) -> None:
        if kind.kind in found:
            raise UserError(
                f"{self._group}: the name {kind.kind!r} is taken twice, by {owner[kind.kind]} and by {whose}.",
                hint="Remove one of the two distributions.",
            )
        found[kind.kind] = kind
        owner[kind.kind] = whose

    def __getitem__(self, name: str) -> type[D]:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._load()))

    def __len__(self) -> int:
        return len(self._load())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinds:
    """The vocabulary of the experiment files: YAML word to the kind's class, a sort each.

    Compared by identity, so that what is made from a vocabulary can be kept beside it.
    """

    faults: Mapping[str, type[Described]]
    services: Mapping[str, type[Described]]
    probes: Mapping[str, type[Described]]
    resets: Mapping[str, type[Described]]
    invariants: Mapping[str, type[Described]]
