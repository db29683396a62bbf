"""Models for what is told by one word among its keys: ``{on: db, latency: 40ms}`` is a latency.

The words and their attributes come from the kinds; the keys that all of a sort share come from a
model of ``schema.py``. No word is known here.
"""

import dataclasses
from collections.abc import Collection, Mapping
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    create_model,
)

from harness.experiment.http_words import Headers, LineText
from harness.experiment.report import nearest
from harness.experiment.wording import Strict, keys_of
from harness.experiment.words import (
    JUST_TRUE,
    Amount,
    Bytes,
    BytesPerSecond,
    ExpressionText,
    Span,
    Text,
    TextOrTexts,
    describe,
    problem,
)
from harness.kinds import Described, main_attribute, to_plain
from harness.model.units import Duration, Rate, Size

M = TypeVar("M", bound=Strict)

_WITHIN = "within"
_OWN = "own_"


def _no_flag(value: object) -> object:
    """``true`` behind a word that takes an amount: said as YAML has it, not as Python does."""
    if isinstance(value, bool):
        raise problem(f"found {describe(value)}", "a value with its unit")
    return value


_AMOUNT = BeforeValidator(_no_flag)
_TYPES: dict[Any, Any] = {
    Duration: Annotated[Span, _AMOUNT],
    Size: Annotated[Bytes, _AMOUNT],
    Rate: Annotated[BytesPerSecond, _AMOUNT],
    str: Text,
    str | list[str]: TextOrTexts,
    int | float | str: Amount,
}
# Texts that are more than that, by the names that attributes have.
_TEXTS: dict[str, Any] = {"http": LineText, "endpoint": LineText, "value": ExpressionText}


class Worded(Strict):
    """Base of all that is told by its word; the subclasses are made by ``choice``."""

    described: ClassVar[type[Described]]
    attributes: ClassVar[Mapping[str, str]] = {}
    """The kind's attribute for each field of the model."""
    nestable: ClassVar[bool] = False
    """Whether all attributes may stand under the word: ``slicer: {average_size: 64B}``."""
    hidden: ClassVar[tuple[str, ...]] = ()
    """Attributes that are no keys: the reader of the file fills them in itself."""

    @classmethod
    def for_kind(cls, _described: type[Described]) -> "type[Worded]":
        """The keys that the kind shares with others of its sort; a sort may make a difference."""
        return cls

    @property
    def kind(self) -> str:
        return self.described.kind

    def params(self) -> Any:
        """The kind's own ``Params``.

        Raises:
            ValueError: the kind refuses this combination of attributes.
        """
        return self.described.Params(**self.given())

    def given(self) -> dict[str, Any]:
        """The kind's own attributes that are in the file."""
        within: Any = getattr(self, _WITHIN, self)
        return {
            attribute: getattr(within, field)
            for field, attribute in self.attributes.items()
            if field in within.model_fields_set
        }

    def plain_params(self) -> dict[str, Any]:
        """The kind's own attributes as plain values."""
        return to_plain(self.params())

    def texts(self) -> dict[str, Any]:
        """What stands behind each of the kind's own keys that are in the file."""
        fields = type(self).model_fields
        return {
            fields[field].alias or field: getattr(self, field)
            for field in self.attributes
            if field in fields and field in self.model_fields_set
        }


def word_of(kind: str) -> tuple[str, str | None]:
    """The YAML word of a kind, and the value it must have: ``embedded-postgres`` is
    ``embedded: postgres``."""
    word, dash, value = kind.partition("-")
    return (word, value) if dash else (kind, None)


def choice(kinds: Mapping[str, type[Described]], base: type[Worded], what: str) -> Any:
    """The type of a mapping that holds exactly one of the kinds' words."""
    tagged: dict[str, type[Worded]] = {}
    words = _Words()
    for kind, described in sorted(kinds.items()):
        word, value = word_of(kind)
        own = base.for_kind(described)
        tagged[f"<{kind}>"] = inline = _inline(kind, described, own)
        words.add(word, value, attributes=inline.attributes.values(), shared=keys_of(own))
        if base.nestable and _attributes(described.Params) and value is None:
            tagged[f"<{kind}>{{}}"] = _nested(kind, described, own)

    def check(data: Any) -> Any:
        _check(data, words, what)
        return data

    if not tagged:
        return Annotated[Any, BeforeValidator(check), WithJsonSchema({"not": {}})]
    return annotated(either(lambda data: _tag(data, words, tagged), tagged), BeforeValidator(check))


class _Words:
    """The words of a sort, each with the values it may have and the keys that stand beside it."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.shared: set[str] = set()
        self._beside: dict[str, set[str]] = {}

    def add(
        self, word: str, value: str | None, *, attributes: Collection[str], shared: Collection[str]
    ) -> None:
        self.values.setdefault(word, []).extend([] if value is None else [value])
        self._beside.setdefault(word, set()).update(attributes, shared)
        self.shared.update(shared)

    def found_in(self, data: Any) -> list[str]:
        """Those that stand there as words: ``timeout`` beside ``blackhole_after`` is a key of that."""
        there = [word for word in self.values if word in data]
        return [
            word
            for word in there
            if not any(word in self._beside[other] for other in there if other != word)
        ]


def _tag(data: Any, words: _Words, tagged: Mapping[str, Any]) -> str | None:
    """The tag of the model that reads ``data``; angle brackets, for no key has them."""
    if isinstance(data, Worded):
        return f"<{data.kind}>" + ("{}" if hasattr(data, _WITHIN) else "")
    values = words.values
    word = next(iter(words.found_in(data)), None)
    if word is None:
        return None
    if values[word]:
        return f"<{word}-{data[word]}>"
    nested = f"<{word}>{{}}"
    return nested if isinstance(data[word], dict) and nested in tagged else f"<{word}>"


def annotated(base: Any, *extras: Any) -> Any:
    """``Annotated`` of a type that is made while we run, which no type checker can follow."""
    return Annotated[(base, *extras)]


def made(name: str, base: type[M], fields: Mapping[str, Any]) -> type[M]:
    """A model with these fields besides those of ``base``."""
    make: Any = create_model
    model: type[M] = make(name, __base__=base, **fields)
    return model


def mapping_of(key: Any, value: Any) -> Any:
    """``dict[key, value]`` of types made while we run."""
    made: Any = dict
    return made[key, value]


def list_of(item: Any) -> Any:
    """``list[item]`` of a type made while we run."""
    made: Any = list
    return made[item]


def either(tell: Any, tagged: Mapping[str, Any]) -> Any:
    """A union whose member ``tell`` names by its tag; a single member is no union to pydantic."""
    members = [Annotated[member, Tag(tag)] for tag, member in tagged.items()]
    union: Any = members[0]
    for member in members[1:]:
        union = union | member
    return (
        Annotated[union, Discriminator(tell)] if len(members) > 1 else next(iter(tagged.values()))
    )


def _check(data: Any, known: _Words, what: str) -> None:
    values = known.values
    words = ", ".join(sorted(values))
    if not isinstance(data, dict):
        raise problem(f"found {describe(data)}", f"a mapping with one of {words}")
    found = known.found_in(data)
    if len(found) > 1:
        raise problem(
            f"{' and '.join(found)} stand together", f"one {what} at a time", key=found[1]
        )
    if not found:
        others = [str(key) for key in data if key not in known.shared]
        near = next((n for key in others if (n := nearest(key, values)) is not None), None)
        named = ", ".join(map(repr, others)) if others else "no word that names one"
        raise problem(
            f"unknown {what}: {named}",
            f"one of {words}" if words else f"no {what}",
            f"Did you mean {near}?" if near else "",
            key=others[0] if others else "",
        )
    word = found[0]
    if values[word] and data[word] not in values[word]:
        raise problem(f"{word}: found {describe(data[word])}", f"one of {', '.join(values[word])}")


def _attributes(params: type) -> dict[str, tuple[Any, Any]]:
    """Type and default (``...`` for none) of each attribute of a kind."""
    hints = get_type_hints(params, include_extras=True)
    found: dict[str, tuple[Any, Any]] = {}
    for field in dataclasses.fields(params):
        default: Any = field.default
        if default is dataclasses.MISSING:
            make: Any = field.default_factory
            default = ... if make is dataclasses.MISSING else make()
        found[field.name] = (_typed(field.name, hints[field.name]), default)
    return found


def _typed(name: str, hint: Any) -> Any:
    if name in _TEXTS and hint in (str, str | None):
        return _TEXTS[name] if hint is str else _TEXTS[name] | None
    if name == "headers":
        return Headers
    if hint in _TYPES:
        return _TYPES[hint]
    for plain, ours in _TYPES.items():
        if hint == plain | None:
            return ours | None
    return _nested_dataclass(hint)


def _nested_dataclass(hint: Any) -> Any:
    """``limits: {files: 256}``: a mapping whose keys are the fields of a dataclass, or None of it."""
    inner = [each for each in (get_args(hint) or (hint,)) if dataclasses.is_dataclass(each)]
    if len(inner) != 1 or set(get_args(hint)) - {*inner, NoneType}:
        return hint
    plain: Any = inner[0]
    model = made(plain.__name__, Strict, _keys(plain))
    names = [field.name for field in dataclasses.fields(plain)]

    def into(value: Any) -> Any:
        return plain(
            **{n: getattr(value, _OWN + n) for n in names if _OWN + n in value.model_fields_set}
        )

    mapping = annotated(model, AfterValidator(into))
    return mapping | None if get_args(hint) else mapping


def _keys(params: type) -> dict[str, tuple[Any, Any]]:
    """The attributes as fields of a model, each under its own name as key."""
    return {
        _OWN + name: (hint, Field(default, alias=name))
        for name, (hint, default) in _attributes(params).items()
    }


def _model(
    name: str, described: type[Described], base: type[Worded], fields: dict[str, Any]
) -> type[Worded]:
    model = made(name, base, fields)
    model.__doc__ = described.summary
    model.described = described
    return model


def _inline(kind: str, described: type[Described], base: type[Worded]) -> type[Worded]:
    """``{latency: 40ms, jitter: 10ms}``: the word has the main attribute, others stand beside it."""
    attributes = _attributes(described.Params)
    word, value = word_of(kind)
    main = main_attribute(described.Params, word) if attributes and value is None else None
    fields: dict[str, Any] = {}
    taken: dict[str, str] = {}
    if main is None:
        only: Any = JUST_TRUE if value is None else Literal[value]
        fields["the_word"] = (only, Field(alias=word, description=described.summary))
    for name, (hint, default) in attributes.items():
        if name in base.hidden:
            continue
        field = _OWN + name
        taken[field] = name
        is_main = name == main
        fields[field] = (
            hint,
            Field(
                ... if is_main else default,
                alias=word if is_main else name,
                description=described.summary if is_main else None,
            ),
        )
    model = _model(f"{base.__name__}_{kind}", described, base, fields)
    model.attributes = taken
    return model


def _nested(kind: str, described: type[Described], base: type[Worded]) -> type[Worded]:
    """``slicer: {average_size: 64B, delay: 10us}``: all attributes under the word."""
    own = _keys(described.Params)
    inner = made(f"{base.__name__}_{kind}_attributes", Strict, own)
    model = _model(
        f"{base.__name__}_{kind}_nested",
        described,
        base,
        {_WITHIN: (inner, Field(alias=kind, description=described.summary))},
    )
    model.attributes = {field: field.removeprefix(_OWN) for field in own}
    return model
