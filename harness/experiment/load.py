"""The door of the room: files in, plans out, or every problem of every file at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from harness.experiment.checks_experiment import check_experiment
from harness.experiment.checks_target import check_target
from harness.experiment.draft import ExperimentDraft, Reader, TargetDraft, is_inline
from harness.experiment.include import beside, read_file
from harness.experiment.nodes import Mapping as Tree
from harness.experiment.nodes import Scalar, find
from harness.experiment.report import Report, unknown
from harness.experiment.resolve import Chosen, default_limit, plan, variants_of
from harness.experiment.search import experiment_files
from harness.experiment.source import Unreadable
from harness.kinds import Kinds
from harness.model.errors import Problem, UserError
from harness.model.plan import Plan
from harness.model.units import Duration

# Short enough to be typed again.
_SEEDS = 100_000
_TARGET_NAMES = ("target.yaml", "target.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line may say about all files."""

    variants: tuple[str, ...] = ()
    seed: int | None = None
    rounds: int | None = None
    time_limit: Duration | None = None
    allow_hosts: tuple[str, ...] = ()
    full: bool = False


def load(
    paths: Sequence[Path],
    *,
    kinds: Kinds,
    variants: Sequence[str] = (),
    seed: int | None,
    rounds: int | None,
    time_limit: Duration | None,
    allow_hosts: Sequence[str] = (),
    full: bool = False,
) -> list[Plan]:
    """One plan for each experiment on each of its variants.

    Without ``seed`` a file's own counts, and without that one is drawn, the same for all. Without
    ``full`` a variant that is expected to be violated may stop before its last round.

    Raises:
        UserError: with every problem of every file.
    """
    options = Options(
        variants=tuple(variants),
        seed=seed,
        rounds=rounds,
        time_limit=time_limit,
        allow_hosts=tuple(allow_hosts),
        full=full,
    )
    _check_options(options)
    report = Report()
    loader = _Loader(Reader.of(kinds), report, options)
    pairs = [loader.experiment(path) for path in experiment_files(paths, report)]
    if not pairs and not report:
        raise UserError("No file was named.", hint="Write harness run FILE, or a folder of files.")
    report.raise_if_any()
    drawn = SystemRandom().randrange(_SEEDS)
    return [
        plan(experiment, target, variant, loader.chosen(experiment, target, drawn))
        for experiment, target in filter(None, pairs)
        for variant in variants_of(experiment, target, options.variants)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that was looked at, and all that is wrong with it and with what it uses."""

    file: str
    what: str
    problems: tuple[Problem, ...]


def validate(
    paths: Sequence[Path], *, kinds: Kinds, allow_hosts: Sequence[str] = ()
) -> list[Checked]:
    """Looks at experiment and target files, each with what it uses; starts nothing."""
    reader = Reader.of(kinds)
    search = Report()
    files = experiment_files(paths, search, words=("experiment", "target"))
    checked = [Checked(file=p.file, what="folder", problems=(p,)) for p in search.problems]
    for path in files:
        report = Report()
        loader = _Loader(reader, report, Options(allow_hosts=tuple(allow_hosts)))
        what = loader.any_file(path)
        checked.append(Checked(file=str(path), what=what, problems=report.problems))
    return checked


def _check_options(options: Options) -> None:
    if options.rounds is not None and options.rounds < 1:
        raise UserError(f"--rounds {options.rounds}: a run has at least one round.")
    if options.time_limit is not None and options.time_limit <= Duration.ZERO:
        raise UserError(
            f"--time {options.time_limit.text()}: a run needs some time; write --time 10min."
        )
    if options.seed is not None and not 0 <= options.seed < 2**63:
        raise UserError(f"--seed {options.seed}: write a whole number from 0 to {2**63 - 1}.")


@dataclass(frozen=True, slots=True)
class _Loader:
    """Reads files for one report; a target that several experiments use is read once."""

    reader: Reader
    report: Report
    options: Options
    targets: dict[Path, TargetDraft | None] = field(default_factory=dict)

    def any_file(self, path: Path) -> str:
        """Looks at one file, whatever it is; says which of the two it is."""
        try:
            root = read_file(path, self.report)
        except Unreadable:
            return "file"
        if _is_target(root):
            self.checked_target(root, (), str(path))
            return "target"
        self._experiment(root, path)
        return "experiment"

    def experiment(self, path: Path) -> tuple[ExperimentDraft, TargetDraft] | None:
        """One experiment with its target; None if there is a problem that hides the rest."""
        try:
            root = read_file(path, self.report)
        except Unreadable:
            return None
        if _is_target(root):
            self.report.at(
                root,
                ("target",),
                "this is a target file",
                "an experiment file, with experiment: and a target: {use: …}",
                at_key=True,
            )
            return None
        return self._experiment(root, path)

    def _experiment(self, root: Tree, path: Path) -> tuple[ExperimentDraft, TargetDraft] | None:
        experiment = self.reader.experiment(root, str(path), self.report)
        if is_inline(root):
            target: TargetDraft | None = self.checked_target(root, ("target",), str(path))
        else:
            target = self._used(experiment)
        if target is None:
            return None
        limit = self._limit(experiment, target)
        check_experiment(experiment, target, limit, self._said_rounds(experiment))
        self._check_variants(experiment, target)
        return experiment, target

    def _used(self, experiment: ExperimentDraft) -> TargetDraft | None:
        if experiment.use is None:
            return None
        node = find(experiment.root, ("target", "use"))
        file = beside(Path(node.mark.file), experiment.use)
        if file is not None and file.is_dir():
            file = next(
                (file / n for n in _TARGET_NAMES if (file / n).is_file()), file / _TARGET_NAMES[0]
            )
        if file is None or not file.is_file():
            experiment.wrong(
                ("target", "use"),
                f"there is no file {str(file or experiment.use)!r}",
                "a folder with a target.yaml, or the file itself",
            )
            return None
        known = file.resolve()
        if known not in self.targets:
            try:
                root = read_file(file, self.report)
                self.targets[known] = self.checked_target(root, (), str(file))
            except Unreadable:
                self.targets[known] = None
        return self.targets[known]

    def checked_target(self, root: Tree, at: tuple[str, ...], file: str) -> TargetDraft:
        """A target, with its own problems reported."""
        target = self.reader.target(root, at, file, self.report)
        check_target(target, self.options.allow_hosts)
        return target

    def _check_variants(self, experiment: ExperimentDraft, target: TargetDraft) -> None:
        known = target.names("variants")
        for name in self.options.variants:
            if name not in known:
                self.report.file(experiment.file, *unknown("variant", name, known), key="--variant")

    def _said_rounds(self, experiment: ExperimentDraft) -> int | None:
        """The command line's, else the file's; None where neither says a number."""
        return self.options.rounds or (experiment.rounds if experiment.says_rounds else None)

    def _limit(self, experiment: ExperimentDraft, target: TargetDraft) -> Duration:
        limit = self.options.time_limit or experiment.time
        return limit or default_limit(experiment, target, self._said_rounds(experiment))

    def chosen(self, experiment: ExperimentDraft, target: TargetDraft, drawn: int) -> Chosen:
        """Seed, rounds and limit: the command line's, else the file's, else ours."""
        seeds = (self.options.seed, experiment.seed)
        return Chosen(
            seed=next((seed for seed in seeds if seed is not None), drawn),
            rounds=self._said_rounds(experiment),
            time_limit=self._limit(experiment, target),
            full=self.options.full,
        )


def _is_target(root: Tree) -> bool:
    target = root.entries.get("target")
    return (
        "experiment" not in root.entries and target is not None and isinstance(target.value, Scalar)
    )


__all__ = ["Checked", "Mapping", "load", "validate"]
