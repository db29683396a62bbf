"""Rules of one fault: its hop, its time, its attributes together, and whom it acts on.

What a kind allows is asked of its own class; no kind is known here. Where faults stand among the
steps is ``checks_traffic.py``.
"""

from collections.abc import Mapping
from typing import Any

from harness.experiment.checks_services import protocol
from harness.experiment.draft import ExperimentDraft, TargetDraft
from harness.experiment.fault_parts import Fault, ToxicFault
from harness.experiment.nodes import Path
from harness.experiment.refusals import tell_refusal
from harness.experiment.report import unknown
from harness.model.errors import UserError
from harness.model.units import Duration


def check_fault(
    experiment: ExperimentDraft, target: TargetDraft, path: Path, fault: Fault, limit: Duration
) -> None:
    """Reports what is wrong with the fault at ``path``."""
    _hop(experiment, target, path, fault)
    if fault.lasts is not None and fault.lasts > limit:
        experiment.wrong(
            (*path, "for"),
            f"the fault lasts {fault.lasts.text()}, longer than the whole run may take ({limit.text()})",
            "a shorter fault, or a longer time:",
        )
    _attributes(experiment, path, fault)
    if isinstance(fault, ToxicFault):
        _whom(experiment, path, fault)
        _spoken(experiment, target, path, fault)


def _hop(experiment: ExperimentDraft, target: TargetDraft, path: Path, fault: Fault) -> None:
    hops = target.names("hops")
    if fault.on in hops:
        return
    found, expected, hint = unknown("hop", fault.on, hops)
    behind = [name for name, hop in target.hops.items() if hop.to == fault.on]
    if not hint and behind:
        hint = f"{fault.on} is a service; the hop to it is {behind[0]}."
    experiment.wrong((*path, "on"), found, expected, hint)


def _attributes(experiment: ExperimentDraft, path: Path, fault: Fault) -> None:
    """What cannot be sent to a proxy is refused now, not in the first round."""
    try:
        params = fault.params()
        sendable = getattr(fault.described, "attributes", None)
        if sendable is not None:
            _read(fault.described, sendable(params))
    except (UserError, ValueError) as problem:
        tell_refusal(experiment, path, fault, problem)


def _read(toxic: Any, values: Mapping[str, Any]) -> None:
    """Asks the toxic itself, as its proxy would: each value alone, then all of them together.

    Raises:
        ValueError: a value out of its range, or values that do not go together.
    """
    whole = dict(values)
    for attribute in getattr(toxic, "wire", ()):
        if attribute.name in whole:
            whole[attribute.name] = attribute.read(whole[attribute.name])
        elif attribute.default is not None:
            whole[attribute.name] = attribute.default
    check = getattr(toxic, "check", None)
    if check is not None:
        check(whole)


def _whom(experiment: ExperimentDraft, path: Path, fault: ToxicFault) -> None:
    """A header is a matter of requests, and of HTTP."""
    if fault.match is None:
        return
    kind = fault.kind
    if "http" not in fault.toxic.codecs:
        experiment.wrong((*path, "match"), f"{kind} cannot read HTTP", "no match", at_key=True)
    elif fault.codec_in_use != "http":
        experiment.wrong(
            (*path, "codec"),
            f"match looks at headers, and the codec {fault.codec} knows none",
            "codec: http, or no codec",
        )
    if fault.per_in_use != "request":
        experiment.wrong(
            (*path, "per"),
            "match looks at each request, not at the connection",
            "per: request, or no per",
        )


def _spoken(
    experiment: ExperimentDraft, target: TargetDraft, path: Path, fault: ToxicFault
) -> None:
    """What reads HTTP leaves a database's protocol alone: such a fault would never be seen."""
    hop = target.hops.get(fault.on)
    spoken = protocol(target, hop.to) if hop is not None else "unknown"
    if hop is None or fault.codec_in_use != "http" or spoken not in ("sql", "redis"):
        return
    if "http" not in fault.toxic.codecs:
        return  # told already
    said = "codec" if fault.codec else "match" if fault.match else fault.kind
    experiment.wrong(
        (*path, said),
        f"the fault reads HTTP, and the hop {fault.on} leads to {hop.to}, which speaks {spoken.upper()}",
        "a hop to a service that speaks HTTP",
        at_key=True,
    )
