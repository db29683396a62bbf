"""Rules of what stands for services and hops under ``--stack compose``. No container is asked here.

The compose file is not read either: overrides and variables may change it, and what runs is what counts.
"""

import re
from pathlib import Path as FilePath

from harness.experiment.draft import TargetDraft
from harness.experiment.include import beside
from harness.experiment.nodes import Path, find
from harness.experiment.target_parts import CONTAINER, Service

_SERVICE = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def check_container(target: TargetDraft, at: Path, service: Service) -> None:
    """Reports a service's ``compose`` that names no service of a compose file."""
    path: Path = (*at, CONTAINER)
    word = getattr(service, f"own_{CONTAINER}", None)
    text = word or service.stand_in
    if text is None:
        return
    name, sign, container = text.rpartition("#")
    if not sign or not name or not re.fullmatch(_SERVICE, container):
        target.wrong(
            path,
            f"{text!r} names no service of a compose file",
            "FILE#SERVICE, such as docker-compose.yml#app",
            # A comment in YAML begins with a space and a #.
            "Write no space before the #." if not sign else "",
        )
        return
    # What only stands for a service is not needed on the other stack, and may be missing there.
    file = beside(FilePath(_file_of(target, path)), name)
    if word is not None and (file is None or not file.is_file()):
        target.wrong(path, f"there is no file {str(file or name)!r}", "a compose file")


def container_of(target: TargetDraft, at: Path, text: str) -> str:
    """``FILE#SERVICE`` as seen from the target's folder, though an included file may have named it."""
    name, _, container = text.rpartition("#")
    teller = FilePath(_file_of(target, (*at, CONTAINER)))
    if teller.resolve().parent == FilePath(target.file).resolve().parent:
        return text
    file = beside(teller, name)
    return f"{(file or FilePath(name)).resolve()}#{container}"


def check_hop_container(target: TargetDraft, at: Path, text: str, taken: dict[str, str]) -> None:
    """Reports a hop's ``compose`` that is no ``SERVICE:PORT``, or that another hop has.

    ``taken`` holds the names of the hops seen so far, by what they have.
    """
    path: Path = (*at, CONTAINER)
    proxy, _, port = text.rpartition(":")
    if not re.fullmatch(_SERVICE, proxy) or not re.fullmatch(r"\d{1,5}", port):
        target.wrong(
            path,
            f"{text!r} names no port of a container",
            "SERVICE:PORT, such as proxy:15432",
        )
        return
    if not 1 <= int(port) <= 65535:
        target.wrong(path, f"{port} is no port", "a port from 1 to 65535")
        return
    other = taken.setdefault(text, str(at[-1]))
    if other != at[-1]:
        target.wrong(path, f"{text} belongs to the hop {other} already", "another port")


def _file_of(target: TargetDraft, path: Path) -> str:
    return find(target.root, (*target.at, *path)).mark.file
