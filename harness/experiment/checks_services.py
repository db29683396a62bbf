"""Rules of services and hops: who starts after whom, who speaks what, which hosts may be reached.

What is asked of services, by operations, probes and resets, is ``checks_target.py``.
"""

from collections.abc import Collection, Iterator
from pathlib import Path as FilePath

from harness.experiment.draft import TargetDraft
from harness.experiment.hosts import Speaks, check_listen, check_password, check_url, speaks
from harness.experiment.include import beside
from harness.experiment.nodes import Path, find
from harness.experiment.report import unknown
from harness.experiment.target_parts import Service
from harness.experiment.texts import Found, Known, placeholders, unknown_placeholder

_RUNS_ALREADY = "url"


def check_services(target: TargetDraft, allowed: Collection[str]) -> None:
    """Reports what does not fit together among services and hops."""
    for name, service in target.services.items():
        _service(target, name, service, allowed)
    _hops(target, allowed)
    _cycles(target)


def addresses(target: TargetDraft, names: Collection[str]) -> Known:
    """What templates of this target may name, with ``names`` as plain names."""
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
    if service.kind == "run":
        # Without a port it is a worker that nobody calls.
        listens = any(found.placeholder.name == "port" for found in texts_of(target, name))
        return "http" if listens else "nothing"
    return "sql" if service.kind.startswith("embedded-") else "unknown"


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
    for key, value in service.env.items():
        check_password(target, (*at, "env", key), value)
        if "\0" in value or not key or "=" in key or "\0" in key:
            target.wrong((*at, "env", key), "this is no environment variable", "a name without =")
    check_password(target, (*at, "run"), text_of(service, "run"))
    if service.env and service.kind != "run":
        target.wrong(
            (*at, "env"), "only a service that is started by run: has an environment", at_key=True
        )
    if (
        service.ready is not None
        and service.ready.http is not None
        and protocol(target, name) == "sql"
    ):
        target.wrong(
            (*at, "ready", "http"),
            f"{name} is a database and answers no HTTP",
            "ready: {within: 30s}",
        )
    known = addresses(target, ("port", "variant") if service.kind == "run" else ("variant",))
    found = list(texts_of(target, name))
    for placeholder in found:
        unknown_placeholder(target, placeholder, known)
    cwd = text_of(service, "cwd")
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


def _cycles(target: TargetDraft) -> None:
    """A service waits for those whose address it is given; nobody may wait for himself."""
    waits: dict[str, dict[str, Found | str]] = {name: {} for name in target.services}
    for name, hop in target.hops.items():
        if hop.source in waits and hop.to in waits and hop.source != hop.to:
            waits[hop.source].setdefault(hop.to, name)
    for name in target.services:
        for found in texts_of(target, name):
            parts = found.placeholder.name.split(".")
            if found.placeholder.source != "name" or len(parts) < 2:
                continue
            dialled = target.hops.get(parts[1]) if parts[0] == "hops" else None
            waited = (
                dialled.to if dialled is not None else parts[1] if parts[0] == "services" else None
            )
            if waited in waits:
                waits[name].setdefault(waited, found)
    done: set[str] = set()
    for name in waits:
        _walk(target, name, waits, [], done)


def _walk(
    target: TargetDraft,
    name: str,
    waits: dict[str, dict[str, Found | str]],
    above: list[str],
    done: set[str],
) -> None:
    if name in done:
        return
    for waited, found in waits[name].items():
        if waited in (*above, name):
            chain = [*above, name][[*above, name].index(waited) :]
            hint = "Its own port is {port}." if len(chain) == 1 else ""
            target.wrong(
                ("hops", found) if isinstance(found, str) else found.path,
                f"a circle: {' waits for '.join([*chain, waited])}",
                "an order in which the services can start",
                hint,
                column=None if isinstance(found, str) else found.placeholder.column,
                at_key=isinstance(found, str),
            )
        else:
            _walk(target, waited, waits, [*above, name], done)
    done.add(name)
