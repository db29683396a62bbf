"""Rules of what an experiment judges: steady state, invariants, variants and what is expected of them.

What is wrong within the target alone is ``checks_target.py``.
"""

from collections.abc import Collection

from harness.experiment.checks_traffic import check_traffic
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import ViolatedBy
from harness.experiment.nodes import Path, child, find
from harness.experiment.report import unknown
from harness.experiment.texts import StateNames, state_expression
from harness.expressions.parse import Expression
from harness.model.units import Duration

STEADY_STATE = "steady-state"


def check_experiment(
    experiment: ExperimentDraft, target: TargetDraft, limit: Duration, rounds: int
) -> None:
    """Reports what does not fit together; ``limit`` is the run's limit of time, ``rounds`` its own."""
    sent = check_traffic(experiment, target, limit)
    _reset(experiment, target, rounds)
    _steady_state(experiment, target)
    _invariants(experiment, target, sent)
    _variants(experiment, target)


def _reset(experiment: ExperimentDraft, target: TargetDraft, rounds: int) -> None:
    """Without a reset the second round starts from what the first one left: a false alarm to come."""
    if child(find(target.root, target.at), "reset") is not None:
        return
    hint = "Where nothing need be put back, say so there: reset: []."
    if rounds > 1:
        experiment.wrong(
            ("rounds",) if child(experiment.root, "rounds") is not None else (),
            f"the target has no reset:, so only the first of {rounds} rounds starts from a known state",
            "reset: in the target file, or rounds: 1",
            hint,
        )
    elif experiment.steady_state:
        experiment.wrong(
            ("steady_state",),
            "the target has no reset:, so nothing brings the steady state back after the method",
            "reset: in the target file",
            hint,
            at_key=True,
        )


def _names(target: TargetDraft) -> StateNames:
    return StateNames(probes=target.names("probes"), operations=target.names("operations"))


def _steady_state(experiment: ExperimentDraft, target: TargetDraft) -> None:
    for index, source in experiment.steady_state.items():
        at: Path = ("steady_state", index)
        parsed = state_expression(experiment, at, source, _names(target))
        if parsed is None:
            continue
        for operation in parsed.counted:
            experiment.wrong(
                at,
                f"the steady state counts {operation}, and before the method nothing was sent",
                "an expression over probes",
                column=parsed.column_of(operation),
            )
        if not parsed.names and not parsed.counted:
            experiment.wrong(at, "the steady state reads no probe", "an expression over probes")


def _invariants(experiment: ExperimentDraft, target: TargetDraft, sent: Collection[str]) -> None:
    if STEADY_STATE in experiment.names("invariants"):
        experiment.wrong(
            ("invariants", STEADY_STATE),
            f"{STEADY_STATE} is the name of the steady state",
            "another name",
            at_key=True,
        )
    for name, invariant in experiment.invariants.items():
        at: Path = ("invariants", name, invariant.kind)
        source = invariant.texts().get(invariant.kind)
        if not isinstance(source, str):
            continue
        parsed = state_expression(experiment, at, source, _names(target))
        if parsed is None:
            continue
        if invariant.kind == "always":
            _always(experiment, at, parsed)
        elif not parsed.names and not parsed.counted:
            experiment.wrong(
                at, "the invariant reads nothing", "an expression over probes or counts"
            )
        for operation in parsed.counted:
            if operation not in sent and operation in target.names("operations"):
                experiment.wrong(
                    at,
                    f"the invariant counts {operation}, which no burst sends: nothing could break it",
                    "an operation of a burst",
                    column=parsed.column_of(operation),
                )


def _always(experiment: ExperimentDraft, at: Path, parsed: Expression) -> None:
    """What is sampled while requests are in flight is known of one probe only."""
    if not parsed.names:
        experiment.wrong(
            at,
            "always reads no probe, so there is nothing to sample",
            "an expression over one probe, or at_end",
        )
    elif len(parsed.names) > 1:
        experiment.wrong(
            at,
            f"always reads {' and '.join(parsed.names)}, which are never read at one moment",
            "one probe that asks for both, or at_end",
            column=parsed.column_of(parsed.names[1]),
        )
    for operation in parsed.counted:
        if parsed.counts("unknown", operation):
            experiment.wrong(
                at,
                f"always asks how many outcomes of {operation} are unknown, which is not known in flight",
                "at_end",
                column=parsed.column_of(operation),
            )


def _variants(experiment: ExperimentDraft, target: TargetDraft) -> None:
    known = target.names("variants")
    invariants = [*experiment.names("invariants"), STEADY_STATE]
    variants = experiment.variants
    if variants is None:
        return
    for index, name in enumerate(variants):
        at: Path = ("variants", index if isinstance(variants, list) else name)
        if name not in known:
            experiment.wrong(at, *unknown("variant", name, known), at_key=True)
        if isinstance(variants, list):
            if name in variants[:index]:
                experiment.wrong(at, f"{name} stands twice", "each variant once")
            continue
        expected = variants[name]
        if isinstance(expected, ViolatedBy):
            for number, invariant in enumerate(expected.violated):
                if invariant not in invariants:
                    experiment.wrong(
                        (*at, "violated", number), *unknown("invariant", invariant, invariants)
                    )
