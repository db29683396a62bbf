"""Rules of services and hops: who speaks what, who gets which texts, which hosts may be reached.

Who starts after whom is ``checks_order.py``; what is asked of services, by operations, probes and
resets, is ``checks_target.py``.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path as FilePath

from harness.experiment.checks_commands import check_command, check_env
from harness.experiment.checks_containers import check_container, check_hop_container
from harness.experiment.draft import TargetDraft
from harness.experiment.hosts import Speaks, check_listen, check_url, speaks
from harness.experiment.include import beside
from harness.experiment.nodes import Path, find
from harness.experiment.refusals import check_params
from harness.experiment.report import unknown
from harness.experiment.target_parts import STARTED, Service
from harness.experiment.texts import EVERYWHERE, Found, Known, placeholders, unknown_placeholder

_RUNS_ALREADY = "url"
_ENGINES: Mapping[str, Speaks] = {"embedded-postgres": "sql", "embedded-valkey": "redis"}


def check_services(target: TargetDraft, allowed: Collection[str]) -> None:
    """Reports what does not fit together among services and hops."""
    for name, service in target.services.items():
        _service(target, name, service, allowed)
    _hops(target, allowed)


def addresses(target: TargetDraft, names: Collection[str]) -> Known:
    """What templates of this target may name, with ``names`` as plain names."""
    names = (*names, *EVERYWHERE)
    return Known(names=names, hops=target.names("hops"), services=target.names("services"))


def text_of(service: Service, word: str) -> str:
    """The text behind a service's word, such as its ``run`` or its ``url``."""
    return str(getattr(service, f"own_{word}", "") or "")


def protocol(target: TargetDraft, name: str) -> Speaks:
    """What a service speaks; unknown when its file does not tell."""
    service = target.services.get(name)
    if service is None:
        return "unknown"
    if service.kind == _RUNS_ALREADY:
        return speaks(text_of(service, "url"))
    if service.kind in STARTED:
        # Without a port it is a worker that nobody calls.
        listens = any(found.placeholder.name == "port" for found in texts_of(target, name))
        return "http" if listens else "nothing"
    return _ENGINES.get(service.kind, "unknown")


def texts_of(target: TargetDraft, name: str) -> Iterator[Found]:
    """Every placeholder in the texts of a service."""
    service = target.services[name]
    at: Path = ("services", name)
    for word, text in service.texts().items():
        yield from placeholders(target, (*at, word), text)
    yield from placeholders(target, (*at, "env"), service.env)
    if service.ready is not None and service.ready.http is not None:
        yield from placeholders(target, (*at, "ready", "http"), service.ready.http.path)


def _service(target: TargetDraft, name: str, service: Service, allowed: Collection[str]) -> None:
    at: Path = ("services", name)
    url = text_of(service, "url")
    if service.kind == _RUNS_ALREADY:
        check_url(target, (*at, "url"), url, allowed)
    check_env(target, (*at, "env"), service.env)
    if service.kind in STARTED:
        check_command(target, (*at, service.kind), text_of(service, service.kind))
    if service.env and not service.takes_env:
        target.wrong(
            (*at, "env"), "only a service that is started by run: has an environment", at_key=True
        )
    if (
        service.ready is not None
        and service.ready.http is not None
        and protocol(target, name) in ("sql", "redis")
    ):
        target.wrong(
            (*at, "ready", "http"),
            f"{name} is a database and answers no HTTP",
            "ready: {within: 30s}",
        )
    known = addresses(target, ("port", "variant") if service.kind in STARTED else ("variant",))
    found = list(texts_of(target, name))
    for placeholder in found:
        unknown_placeholder(target, placeholder, known)
    check_params(target, at, service)
    check_container(target, at, service)
    _cwd(target, at, text_of(service, "cwd"))


def _cwd(target: TargetDraft, at: Path, cwd: str) -> None:
    if cwd and "{" not in cwd:
        folder = beside(FilePath(file_of(target, (*at, "cwd"))), cwd)
        if folder is None or not folder.is_dir():
            target.wrong((*at, "cwd"), f"there is no folder {str(folder or cwd)!r}")


def file_of(target: TargetDraft, path: Path) -> str:
    """The file in which a value stands: an included one, it may be."""
    return find(target.root, (*target.at, *path)).mark.file


def _hops(target: TargetDraft, allowed: Collection[str]) -> None:
    services = target.names("services")
    pinned: dict[str, str] = {}
    inside: dict[str, str] = {}
    for name, hop in target.hops.items():
        at: Path = ("hops", name)
        for key, service in (("from", hop.source), ("to", hop.to)):
            if service is not None and service not in services:
                target.wrong((*at, key), *unknown("service", service, services))
        if hop.source == hop.to:
            target.wrong((*at, "from"), f"{hop.to} dials itself", "two services")
        to = target.services.get(hop.to)
        if to is not None and text_of(to, "url").startswith("sqlite"):
            target.wrong(
                (*at, "to"), f"{hop.to} is a file, which nobody dials", "a service with a port"
            )
        if hop.compose is not None:
            check_hop_container(target, at, hop.compose, inside)
        source = target.services.get(hop.source or "")
        if hop.listen is not None:
            address = check_listen(target, (*at, "listen"), hop.listen, allowed)
            other = pinned.setdefault(address.text(), name) if address is not None else name
            if other != name:
                target.wrong(
                    (*at, "listen"),
                    f"{hop.listen} is pinned by the hop {other} already",
                    "another port",
                )
        elif source is not None and source.kind == _RUNS_ALREADY:
            target.wrong(
                at,
                f"{hop.source} runs already and cannot be told the hop's port",
                "a pinned port",
                "Add listen: 127.0.0.1:15432, say, and point the service at it.",
                at_key=True,
            )
