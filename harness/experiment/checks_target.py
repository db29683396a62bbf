"""Rules of a target file that need more than one key: what operations, probes and resets ask of whom.

The shape of each piece was checked before, in ``draft.py``; what an experiment makes of the target
is ``checks_experiment.py``.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path as FilePath

from harness.experiment.checks_asked import needs_of, service_for
from harness.experiment.checks_commands import check_command
from harness.experiment.checks_order import check_order
from harness.experiment.checks_services import addresses, check_services, file_of
from harness.experiment.draft import TargetDraft
from harness.experiment.include import beside
from harness.experiment.nodes import Mapping, Path, Scalar, child, find
from harness.experiment.refusals import check_params
from harness.experiment.target_parts import WHAT_RUNS, Operation, Probe, Reset
from harness.experiment.texts import (
    ANSWER_NAMES,
    COMMAND_NAMES,
    Found,
    answer_expression,
    placeholders,
    unknown_placeholder,
)

# What an answer's value is taken by, and what a line is told by: braces are their own there.
_NO_TEMPLATES = ("value", "record")


def check_target(target: TargetDraft, allowed: Collection[str]) -> None:
    """Reports what does not fit together within a target."""
    hosts = [*target.allow_hosts, *allowed]
    _something_runs(target)
    check_services(target, hosts)
    check_order(target)
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


def _something_runs(target: TargetDraft) -> None:
    """Commands need no service; all else does."""
    top = find(target.root, target.at)
    node = child(top, "services")
    if target.names("services") or not (node is None or isinstance(node, Mapping)):
        return
    named = target.names("operations")
    if named and not any(operation.http for operation in target.operations.values()):
        return
    if node is None:
        target.wrong((), "the key 'services' is missing", WHAT_RUNS)
    else:
        target.wrong(("services",), "there is nothing in it", WHAT_RUNS)


def reset_file(target: TargetDraft, path: Path, text: str) -> FilePath | None:
    """The file that an SQL reset means: one name that ends in ``.sql``."""
    if not text.lower().endswith(".sql") or len(text.split()) != 1:
        return None
    return beside(FilePath(file_of(target, path)), text)


def _reset(target: TargetDraft, at: Path, reset: Reset) -> None:
    service_for(target, at, reset.on, needs_of(reset))
    check_params(target, at, reset)
    _commands(target, at, reset)
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
    service_for(target, at, probe.on, needs_of(probe))
    check_params(target, at, probe)
    _commands(target, at, probe)
    if probe.kind in ("http", "process"):
        answer_expression(target, (*at, "value"), getattr(probe, "own_value", None))
    _addresses_only(target, asked_placeholders(target, at, probe))


def _commands(target: TargetDraft, at: Path, asked: Probe | Reset) -> None:
    """Commands of a shell's sort and of a store's are split into words alike."""
    if asked.kind not in ("command", "redis"):
        return
    path: Path = (*at, asked.kind)
    said = asked.texts()[asked.kind]
    if isinstance(said, str):
        check_command(target, path, said)
        return
    for index, command in enumerate(said):
        check_command(target, (*path, index), command)


def asked_placeholders(target: TargetDraft, at: Path, asked: Probe | Reset) -> Iterator[Found]:
    """Every placeholder in the texts of a probe or reset; a script of SQL has none."""
    if isinstance(asked, Reset) and asked.kind == "sql":
        return
    for word, text in asked.texts().items():
        if word not in _NO_TEMPLATES:
            yield from placeholders(target, (*at, word), text)


def _addresses_only(target: TargetDraft, every: Iterable[Found]) -> None:
    """Plain names may yet come from a burst or a capture; the experiment will tell."""
    known = addresses(target, ())
    for found in every:
        if found.root in ("hops", "services"):
            unknown_placeholder(target, found, known)


def _operation(target: TargetDraft, name: str, operation: Operation) -> None:
    at: Path = ("operations", name)
    if operation.command is not None:
        check_command(target, (*at, "command"), operation.command)
    else:
        service_for(target, at, operation.on, "http")
    for rule in ("acknowledged", "rejected"):
        answer_expression(target, (*at, rule), getattr(operation, rule), answer_names(target, name))
    _addresses_only(target, operation_placeholders(target, name, operation))
    for found in placeholders(target, (*at, "vars"), operation.vars):
        _addresses_only(target, [found])


def answer_names(target: TargetDraft, operation: str) -> Collection[str]:
    """What the rules and captures of an operation may name; all there is when it was left out."""
    known = target.operations.get(operation)
    if known is None:
        return (*ANSWER_NAMES, *COMMAND_NAMES)
    return ANSWER_NAMES if known.command is None else COMMAND_NAMES


def operation_placeholders(target: TargetDraft, name: str, operation: Operation) -> Iterator[Found]:
    """Every placeholder in the texts of an operation."""
    at: Path = ("operations", name)
    if operation.http is not None:
        yield from placeholders(target, (*at, "http"), operation.http.path)
    yield from placeholders(target, (*at, "command"), operation.command)
    yield from placeholders(target, (*at, "key"), operation.key)
    yield from placeholders(target, (*at, "headers"), operation.headers)
    yield from placeholders(target, (*at, "json"), operation.payload)
    yield from placeholders(target, (*at, "body"), operation.body)
