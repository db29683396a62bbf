"""Rules of a target file that need more than one key: what operations, probes and resets ask of whom.

The shape of each piece was checked before, in ``draft.py``; what an experiment makes of the target
is ``checks_experiment.py``.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path as FilePath

from harness.experiment.checks_services import addresses, check_services, file_of, protocol
from harness.experiment.draft import TargetDraft
from harness.experiment.hosts import Speaks
from harness.experiment.include import beside
from harness.experiment.nodes import Path, Scalar, find
from harness.experiment.report import unknown
from harness.experiment.target_parts import Operation, Probe, Reset
from harness.experiment.texts import Found, answer_expression, placeholders, unknown_placeholder


def check_target(target: TargetDraft, allowed: Collection[str]) -> None:
    """Reports what does not fit together within a target."""
    hosts = [*target.allow_hosts, *allowed]
    check_services(target, hosts)
    for path, reset in target.resets:
        _reset(target, path, reset)
    for name, operation in target.operations.items():
        _operation(target, name, operation)
    for name, probe in target.probes.items():
        _probe(target, name, probe)
    for index, host in enumerate(target.allow_hosts):
        if not host or any(character in host for character in "/ @{}") or host.count(":") == 1:
            target.wrong(
                ("allow_hosts", index), f"{host!r} is no host", "a name or an IP, without a port"
            )


def service_for(target: TargetDraft, at: Path, on: str | None, needs: Speaks) -> str | None:
    """The service that ``on`` names, or the only one that it can be. Problems are reported."""
    services = target.names("services")
    if on is None:
        fitting = [name for name in target.services if protocol(target, name) in (needs, "unknown")]
        if len(fitting) == 1:
            return fitting[0]
        # With a service left out, the only one may be just that one.
        if len(target.services) == len(services):
            what = "services" if needs == "unknown" else f"services that speak {needs.upper()}"
            listed = f": {', '.join(fitting)}" if fitting else ""
            target.wrong(
                at,
                f"the key 'on' is missing, and there are {len(fitting)} {what}{listed}",
                "on: SERVICE",
            )
        return None
    if on not in services:
        found, expected, hint = unknown("service", on, services)
        if on in target.names("hops"):
            hint = f"{on} is a hop; name the service behind it."
        target.wrong((*at, "on"), found, expected, hint)
        return None
    spoken = protocol(target, on)
    if "unknown" not in (spoken, needs) and spoken != needs:
        hint = "A command that listens takes its port from {port}." if spoken == "nothing" else ""
        expected = f"a service that speaks {needs.upper()}"
        target.wrong(
            (*at, "on"),
            f"{on} speaks {spoken.upper() if spoken != 'nothing' else spoken}",
            expected,
            hint,
        )
        return None
    return on


def needs_of(kind: str) -> Speaks:
    """What a probe or reset of this kind asks of its service."""
    return "http" if kind == "http" else "sql" if kind == "sql" else "unknown"


def reset_file(target: TargetDraft, path: Path, text: str) -> FilePath | None:
    """The file that an SQL reset means: one name that ends in ``.sql``."""
    if not text.lower().endswith(".sql") or len(text.split()) != 1:
        return None
    return beside(FilePath(file_of(target, path)), text)


def _reset(target: TargetDraft, at: Path, reset: Reset) -> None:
    service_for(target, at, reset.on, needs_of(reset.kind))
    if reset.kind == "sql":
        node = find(target.root, (*target.at, *at, "sql"))
        text = node.value if isinstance(node, Scalar) else ""
        file = reset_file(target, (*at, "sql"), str(text))
        if file is not None and not file.is_file():
            target.wrong(
                (*at, "sql"),
                f"there is no file {str(file)!r}",
                "SQL, or a file of it beside this one",
            )
    else:
        _addresses_only(target, asked_placeholders(target, at, reset))


def _probe(target: TargetDraft, name: str, probe: Probe) -> None:
    at: Path = ("probes", name)
    service_for(target, at, probe.on, needs_of(probe.kind))
    value = getattr(probe, "own_value", None)
    if probe.kind == "http":
        answer_expression(target, (*at, "value"), value)
    _addresses_only(target, asked_placeholders(target, at, probe))


def asked_placeholders(target: TargetDraft, at: Path, asked: Probe | Reset) -> Iterator[Found]:
    """Every placeholder in the texts of a probe or reset; a script of SQL has none."""
    if isinstance(asked, Reset) and asked.kind == "sql":
        return
    for word, text in asked.texts().items():
        if word != "value":
            yield from placeholders(target, (*at, word), text)


def _addresses_only(target: TargetDraft, every: Iterable[Found]) -> None:
    """Plain names may yet come from a burst or a capture; the experiment will tell."""
    known = addresses(target, ())
    for found in every:
        if found.root in ("hops", "services"):
            unknown_placeholder(target, found, known)


def _operation(target: TargetDraft, name: str, operation: Operation) -> None:
    at: Path = ("operations", name)
    service_for(target, at, operation.on, "http")
    answer_expression(target, (*at, "acknowledged"), operation.acknowledged)
    answer_expression(target, (*at, "rejected"), operation.rejected)
    _addresses_only(target, operation_placeholders(target, name, operation))
    for found in placeholders(target, (*at, "vars"), operation.vars):
        _addresses_only(target, [found])


def operation_placeholders(target: TargetDraft, name: str, operation: Operation) -> Iterator[Found]:
    """Every placeholder in the texts of an operation."""
    at: Path = ("operations", name)
    yield from placeholders(target, (*at, "http"), operation.http.path)
    yield from placeholders(target, (*at, "headers"), operation.headers)
    yield from placeholders(target, (*at, "json"), operation.payload)
    yield from placeholders(target, (*at, "body"), operation.body)
