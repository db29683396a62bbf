"""Rules of invariants: what their words may read, and what could never break them.

How an invariant is judged is its own class's to know; it says what stands behind its word (``word``).
"""

from collections.abc import Collection

from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import Invariant
from harness.experiment.nodes import Path
from harness.experiment.refusals import check_params
from harness.experiment.report import unknown
from harness.experiment.texts import StateNames, state_expression
from harness.expressions.parse import Expression
from harness.expressions.tree import Binary, Compare, Name, Unary

STEADY_STATE = "steady-state"

# They look at a value, not at whether something is true; outcomes are counted by the others.
_OF_VALUES = ("monotonic", "bounded", "unique")


def check_invariants(
    experiment: ExperimentDraft, target: TargetDraft, sent: Collection[str]
) -> None:
    """Reports what cannot be judged; ``sent`` are the operations that some step sends."""
    if STEADY_STATE in experiment.names("invariants"):
        experiment.wrong(
            ("invariants", STEADY_STATE),
            f"{STEADY_STATE} is the name of the steady state",
            "another name",
            at_key=True,
        )
    for name, invariant in experiment.invariants.items():
        at: Path = ("invariants", name)
        source = invariant.texts().get(invariant.kind)
        if not isinstance(source, str):
            continue
        if invariant.word == "operation":
            _operation(experiment, target, at, invariant, sent)
        else:
            _expression(experiment, target, at, invariant, sent)
        check_params(experiment, at, invariant)


def names_of(target: TargetDraft) -> StateNames:
    """What an expression about the state may name."""
    return StateNames(probes=target.names("probes"), operations=target.names("operations"))


def _expression(
    experiment: ExperimentDraft,
    target: TargetDraft,
    above: Path,
    invariant: Invariant,
    sent: Collection[str],
) -> None:
    at: Path = (*above, invariant.kind)
    parsed = state_expression(
        experiment, at, str(invariant.texts()[invariant.kind]), names_of(target)
    )
    if parsed is None:
        return
    if invariant.kind in _OF_VALUES:
        _of_a_value(experiment, target, at, parsed)
    if invariant.sampled:
        _sampled(experiment, at, parsed)
    elif invariant.kind == "unique" and not parsed.names:
        experiment.wrong(at, "unique reads no probe", "an expression that reads a list")
    elif not parsed.names and not parsed.counted:
        experiment.wrong(at, "the invariant reads nothing", "an expression over probes or counts")
    if invariant.kind in _OF_VALUES:
        return
    for operation in parsed.counted:
        if operation not in sent and operation in target.names("operations"):
            experiment.wrong(
                at,
                f"the invariant counts {operation}, which no burst sends: nothing could break it",
                "an operation of a burst or of arrivals",
                column=parsed.column_of(operation),
            )


def _sampled(experiment: ExperimentDraft, at: Path, parsed: Expression) -> None:
    """What is sampled while requests are in flight is known of one probe only."""
    kind = at[-1]
    instead = ", or at_end" if kind not in _OF_VALUES else ""
    if not parsed.names:
        experiment.wrong(
            at,
            f"{kind} reads no probe, so there is nothing to sample",
            f"an expression over one probe{instead}",
        )
    elif len(parsed.names) > 1:
        experiment.wrong(
            at,
            f"{kind} reads {' and '.join(parsed.names)}, which are never read at one moment",
            f"one probe that asks for both{instead}",
            column=parsed.column_of(parsed.names[1]),
        )
    for operation in parsed.counted:
        if parsed.counts("unknown", operation) and kind not in _OF_VALUES:
            experiment.wrong(
                at,
                f"{kind} asks how many outcomes of {operation} are unknown, which is not known in flight",
                "at_end",
                column=parsed.column_of(operation),
            )


def _of_a_value(
    experiment: ExperimentDraft, target: TargetDraft, at: Path, parsed: Expression
) -> None:
    kind = at[-1]
    for operation in parsed.counted:
        experiment.wrong(
            at,
            f"{kind} counts outcomes of {operation}, which are not in the state",
            "an expression over probes",
            "Counts may stand in at_end and in always.",
            column=parsed.column_of(operation),
        )
    match parsed.root:
        case Compare() | Unary(operator="not") | Binary(operator="and" | "or"):
            experiment.wrong(
                at,
                f"{kind} looks at a value, and this is true or false",
                f"such as {kind}: {parsed.names[0] if parsed.names else 'NAME'}",
                "What must be true stands behind always or at_end.",
            )
        case Name(name=name) if kind == "unique":
            _lists(experiment, target, at, name)
        case _:
            return


def _operation(
    experiment: ExperimentDraft,
    target: TargetDraft,
    above: Path,
    invariant: Invariant,
    sent: Collection[str],
) -> None:
    at: Path = (*above, invariant.kind)
    name = str(invariant.texts()[invariant.kind]).strip()
    known = target.names("operations")
    operation = target.operations.get(name)
    if name not in known:
        experiment.wrong(at, *unknown("operation", name, known))
    elif name not in sent:
        experiment.wrong(
            at,
            f"the invariant is about {name}, which no burst sends: nothing could break it",
            "an operation of a burst or of arrivals",
        )
    elif operation is not None and operation.key is None:
        experiment.wrong(
            at,
            f"{name} has no key:, so its effects cannot be told apart",
            'key: "{rid}", say, in the operation',
        )
    keys = invariant.keys
    probes = target.names("probes")
    if keys is None:
        return
    if keys not in probes:
        experiment.wrong((*above, "keys"), *unknown("probe", keys, probes))
    else:
        _lists(experiment, target, (*above, "keys"), keys)


def _lists(experiment: ExperimentDraft, target: TargetDraft, at: Path, name: str) -> None:
    """A query has one value unless it is told to list them; what other probes answer is not known."""
    probe = target.probes.get(name)
    if probe is None or probe.kind != "sql" or "list" not in probe.attributes.values():
        return
    if not probe.given().get("list"):
        experiment.wrong(
            at,
            f"the probe {name} has one value",
            "a list",
            f"Add list: true to {name} in the target file.",
        )
