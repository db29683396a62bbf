"""Rules of what an experiment judges: steady state, variants and what is expected of them.

Invariants are ``checks_invariants.py``, a breaker is ``checks_breaker.py``; what is wrong within the target alone is ``checks_target.py``.
"""

import re

from harness.experiment.breaker_script import ALL_INVARIANTS
from harness.experiment.checks_breaker import check_breaker
from harness.experiment.checks_invariants import STEADY_STATE, check_invariants, names_of
from harness.experiment.checks_traffic import check_traffic
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.experiment_parts import ViolatedBy
from harness.experiment.nodes import Path, child, find
from harness.experiment.report import unknown
from harness.experiment.texts import state_expression
from harness.model.units import Duration


def check_experiment(
    experiment: ExperimentDraft, target: TargetDraft, limit: Duration, rounds: int | None
) -> None:
    """Reports what does not fit together; ``limit`` is the run's limit of time.

    ``rounds`` is how often the method runs, or a burst of trials of a breaker; None if nothing says it.
    """
    sent = check_traffic(experiment, target, limit)
    if experiment.judges_breaker:
        check_breaker(experiment, target, limit, rounds)
        rounds = None
    else:
        check_invariants(experiment, target, sent)
    _reset(experiment, target, rounds or 1)
    _steady_state(experiment, target)
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


def _steady_state(experiment: ExperimentDraft, target: TargetDraft) -> None:
    for index, source in experiment.steady_state.items():
        at: Path = ("steady_state", index)
        parsed = state_expression(experiment, at, source, names_of(target))
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


def _variants(experiment: ExperimentDraft, target: TargetDraft) -> None:
    known = target.names("variants")
    breaker = experiment.judges_breaker
    named = ALL_INVARIANTS if breaker else experiment.names("invariants")
    invariants = [*named, STEADY_STATE]
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
                    words = unknown("invariant", invariant, invariants)
                    experiment.wrong(
                        (*at, "violated", number),
                        *(_unknown_number(invariant) if breaker else words),
                    )


def _unknown_number(name: str) -> tuple[str, str, str]:
    """Found, expected and hint for what is no invariant of a breaker: ``BRK-8`` is meant as BRK-08."""
    found = re.fullmatch(r"(?i)(?:brk[- _]?)?0*(\d{1,2})", name)
    meant = f"BRK-{int(found[1]):02}" if found is not None else ""
    return (
        f"unknown invariant {name!r}",
        f"{ALL_INVARIANTS[0]} to {ALL_INVARIANTS[-1]}, or {STEADY_STATE}",
        f"Did you mean {meant}?" if meant in ALL_INVARIANTS else "",
    )
