"""The trees of the two files to typed drafts, piece by piece: one bad operation spoils no other.

What is wrong with a piece is reported and the piece left out; its name stays known, so that nothing
that refers to it is called unknown. Rules across pieces are ``checks_*.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from harness.experiment.breaker_parts import Breaker
from harness.experiment.experiment_parts import (
    Arrivals,
    Invariant,
    Prepare,
    Settle,
    Step,
    Use,
    ViolatedBy,
)
from harness.experiment.fault_parts import Fault
from harness.experiment.nodes import Mapping, Node, Path, Scalar, child, find, plain
from harness.experiment.nodes import Sequence as SequenceNode
from harness.experiment.report import Report
from harness.experiment.schema import (
    INSTEAD_OF_A_BREAKER,
    Fields,
    experiment_fields,
    target_fields,
)
from harness.experiment.target_parts import Hop, Operation, Probe, Reset, Service, Variant
from harness.experiment.wording import report_errors, unknown_key, without_wrong, words_of
from harness.experiment.words import describe
from harness.kinds import Kinds
from harness.model.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that was read: its tree, where in it we are, and where problems go."""

    file: str
    """As the user wrote it."""
    root: Mapping
    at: Path
    """The path of the file's own keys: empty, but for a target within an experiment."""
    report: Report

    def names(self, key: str) -> list[str]:
        """All names under a key, also of pieces that were left out."""
        node = child(find(self.root, self.at), key)
        return list(node.entries) if isinstance(node, Mapping) else []

    def wrong(
        self,
        path: Path,
        found: str,
        expected: str = "",
        hint: str = "",
        *,
        column: int | None = None,
        at_key: bool = False,
    ) -> None:
        """Reports a problem at ``path`` below ``at``."""
        self.report.at(
            self.root, (*self.at, *path), found, expected, hint, column=column, at_key=at_key
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDraft(Draft):
    name: str | None
    title: str
    services: dict[str, Service]
    hops: dict[str, Hop]
    variants: dict[str, Variant]
    resets: list[tuple[Path, Reset]]
    operations: dict[str, Operation]
    probes: dict[str, Probe]
    allow_hosts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentDraft(Draft):
    name: str | None
    title: str
    use: str | None
    variants: list[str] | dict[str, str | ViolatedBy] | None
    steady_state: dict[int, str]
    recovers_within: Duration
    rounds: int
    method: dict[int, Step]
    breaker: Breaker | None
    invariants: dict[str, Invariant]
    settle: Settle
    prepare: dict[int, Prepare]
    time: Duration | None
    seed: int | None

    @property
    def judges_breaker(self) -> bool:
        """Whether the file has a breaker, right or wrong."""
        return child(self.root, "breaker") is not None

    @property
    def says_rounds(self) -> bool:
        return child(self.root, "rounds") is not None

    def faults(self) -> Iterator[tuple[Path, Fault]]:
        """The fault steps with their places."""
        for index, step in self.method.items():
            if step.fault is not None:
                yield ("method", index, "fault"), step.fault

    def arrivals(self) -> Iterator[tuple[Path, Arrivals]]:
        """The steps of arrivals with their places."""
        for index, step in self.method.items():
            if step.arrivals is not None:
                yield ("method", index, "arrivals"), step.arrivals


def is_inline(root: Mapping) -> bool:
    """True when an experiment describes its target itself."""
    target = child(root, "target")
    return isinstance(target, Mapping) and "use" not in target.entries and len(target.entries) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads drafts; made once for a vocabulary, for building the models takes some time."""

    target_fields: Fields
    experiment_fields: Fields
    adapters: dict[str, TypeAdapter[Any]] = field(default_factory=dict)

    @staticmethod
    @lru_cache(maxsize=4)
    def of(kinds: Kinds) -> "Reader":
        """The reader of a vocabulary."""
        return Reader(
            target_fields=target_fields(kinds), experiment_fields=experiment_fields(kinds)
        )

    def target(self, root: Mapping, at: Path, file: str, report: Report) -> TargetDraft:
        """A target file, or the part of an experiment that describes one."""
        read = self._pieces(self.target_fields, "target", root, at, report)
        reset = read["reset"]
        resets = (
            [(("reset", i), one) for i, one in enumerate(reset)]
            if isinstance(reset, list)
            else [(("reset",), reset)]
        )
        return TargetDraft(
            file=file,
            root=root,
            at=at,
            report=report,
            name=read["target"],
            title=read["title"],
            services=read["services"],
            hops=read["hops"],
            variants=read["variants"],
            resets=[(path, one) for path, one in resets if one is not None],
            operations=read["operations"],
            probes=read["probes"],
            allow_hosts=list(read["allow_hosts"].values()),
        )

    def experiment(self, root: Mapping, file: str, report: Report) -> ExperimentDraft:
        """An experiment file. A target within it is read by ``target``, at ``("target",)``."""
        fields = dict(self.experiment_fields)
        if is_inline(root):
            del fields["target"]
        if child(root, "breaker") is not None:
            for key in INSTEAD_OF_A_BREAKER:
                fields[key] = _not_needed(fields[key])
        read = self._pieces(
            fields, "experiment", root, (), report, known=("target",) * is_inline(root)
        )
        use = read.get("target")
        return ExperimentDraft(
            file=file,
            root=root,
            at=(),
            report=report,
            name=read["experiment"],
            title=read["title"],
            use=use.use if isinstance(use, Use) else None,
            variants=read["variants"],
            steady_state=read["steady_state"],
            recovers_within=read["recovers_within"],
            rounds=read["rounds"],
            method=read["method"],
            breaker=read["breaker"],
            invariants=read["invariants"],
            settle=read["settle"],
            prepare=read["prepare"],
            time=read["time"],
            seed=read["seed"],
        )

    def _pieces(
        self,
        fields: Fields,
        which: str,
        root: Mapping,
        at: Path,
        report: Report,
        known: Sequence[str] = (),
    ) -> dict[str, Any]:
        top = find(root, at)
        entries = top.entries if isinstance(top, Mapping) else {}
        words = [*fields, *known, "include"]
        for key in entries:
            if key not in words:
                found, expected, hint = unknown_key(key, words)
                report.at(root, (*at, key), found, expected, hint, at_key=True)
        pieces = _Pieces(adapters=self.adapters, which=which, root=root, report=report)
        read: dict[str, Any] = {}
        for key, (hint, info) in fields.items():
            if key in entries:
                read[key] = pieces.read(hint, info, entries[key].value, (*at, key))
                continue
            if info.is_required() and key not in known:
                report.at(root, at, f"the key {key!r} is missing", info.description or "")
            read[key] = _instead(hint, info)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Validates the keys of one file: a mapping or list entry by entry, all else at once."""

    adapters: dict[str, TypeAdapter[Any]]
    which: str
    root: Mapping
    report: Report

    def read(self, hint: Any, info: FieldInfo, node: Node, path: Path) -> Any:
        """What is right of the value at ``path``; mappings and lists keep their right entries."""
        if isinstance(node, Scalar) and node.value is None:
            self.report.at(
                self.root,
                path,
                "there is nothing behind the colon",
                info.description or "",
                at_key=True,
            )
            return _instead(hint, info)
        shape = get_origin(hint)
        if shape not in (dict, list):
            value = self._checked(str(path[-1]), hint, node, path)
            return _instead(hint, info) if value is None else value
        if not isinstance(node, Mapping if shape is dict else SequenceNode):
            what = "a mapping" if shape is dict else "a list"
            self.report.at(self.root, path, f"found {describe(plain(node))}", what)
            return {}
        if info.is_required() and not (node.entries if isinstance(node, Mapping) else node.items):
            self.report.at(self.root, path, "there is nothing in it", info.description or "")
        if isinstance(node, Mapping):
            key_hint, item_hint = get_args(hint)
            below: dict[Any, Node] = {
                key: entry.value
                for key, entry in node.entries.items()
                if self._key(key_hint, key, (*path, key))
            }
        else:
            (item_hint,) = get_args(hint)
            below = dict(enumerate(node.items))
        name = f"{path[-1]}[]"
        checked = {k: self._checked(name, item_hint, n, (*path, k)) for k, n in below.items()}
        return {key: value for key, value in checked.items() if value is not None}

    def _checked(self, name: str, hint: Any, node: Node, path: Path) -> Any:
        """The value at ``path``, without its wrong keys; None when more is wrong with it."""
        adapter, value = self._adapter(name, hint), plain(node)
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            report_errors(error, self.root, path, self.report)
            rest = without_wrong(value, error)
        try:
            return None if rest is None else adapter.validate_python(rest)
        except ValidationError:
            return None

    def _key(self, hint: Any, key: str, path: Path) -> bool:
        try:
            self._adapter(f"{path[-2]}{{}}", hint).validate_python(key)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self.report.at(self.root, path, *words_of(detail), at_key=True)
            return False
        return True

    def _adapter(self, name: str, hint: Any) -> TypeAdapter[Any]:
        key = f"{self.which}.{name}"
        if key not in self.adapters:
            self.adapters[key] = TypeAdapter(hint)
        return self.adapters[key]


def _not_needed(field: tuple[Any, Any]) -> tuple[Any, Any]:
    hint, info = field
    return hint, Field(default=None, description=info.description)


def _instead(hint: Any, info: FieldInfo) -> Any:
    """What stands for a value that is not there or not right; lists are kept by their numbers."""
    if get_origin(hint) in (dict, list):
        return {}
    return None if info.is_required() else info.get_default(call_default_factory=True)
