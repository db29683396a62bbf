"""A service that is a program of this machine: what the kinds ``run`` and ``node`` have in common.

The command is split into words before its templates are filled, so no value can become a second
argument; there is no shell.
"""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.processes.command import resolve, with_few_files, words_of
from harness.processes.group import start
from harness.processes.surroundings import surroundings
from harness.services.order import names_in
from harness.services.ports import LOOPBACK, free_port
from harness.services.ready import accepts
from harness.services.site import Site, Started

_GRACE = Duration.of_s(3)
# Below that neither a shell nor an interpreter gets as far as its own first line.
_FEWEST_FILES = 16


@params
class Limits:
    """``files``: how many descriptors each process may have open, of the program and its children."""

    files: int | None = None

    def __post_init__(self) -> None:
        if self.files is not None and self.files < _FEWEST_FILES:
            raise ValueError(
                f"files is {self.files}; no program starts with fewer than {_FEWEST_FILES}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command with everything filled in. ``env`` is its whole environment."""

    words: list[str]
    cwd: Path
    env: dict[str, str]
    address: Address | None


def read_program(site: Site, command: str, *, cwd: str | None) -> Command:
    """Fills the templates; ``{port}`` is a port that the system gives, if anything names it.

    Raises:
        UserError: the command cannot be split, or a template not be filled.
    """
    words = words_of(command, what=f"service {site.name}")
    listens = "port" in names_in(site.plan)
    address = Address(LOOPBACK, free_port()) if listens else None
    values: Mapping[str, Any] = {"port": address.port} if address else {}
    own = site.fill(site.plan.env, values)
    return Command(
        words=[str(word) for word in site.fill(words, values)],
        cwd=(site.folder / str(site.fill(cwd or ".", values))).resolve(),
        env=surroundings(site.env, site.folder) | {key: str(value) for key, value in own.items()},
        address=address,
    )


async def start_program(
    site: Site, program: Command, argv: Sequence[str], limits: Limits | None
) -> Started:
    """Starts ``argv`` as the program; ready when it listens, if it does.

    Raises:
        UserError: the command or its folder is missing, or the limit is beyond what we may set.
    """
    process = await start(
        site.name,
        _limited(site, program, argv, limits),
        env=program.env,
        cwd=program.cwd,
        log=site.log,
        mark=site.mark,
        record=site.record,
    )
    site.on_stop(lambda: process.stop(grace=_GRACE))
    address = program.address
    return Started(
        address=address,
        url=f"http://{address.text()}" if address else None,
        process=process,
        ask=accepts(address) if address else None,
        port_given=True,
    )


def _limited(
    site: Site, program: Command, argv: Sequence[str], limits: Limits | None
) -> Sequence[str]:
    if limits is None or limits.files is None:
        return argv
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most not in (resource.RLIM_INFINITY, -1) and limits.files > most:
        raise UserError(
            f"service {site.name}: limits.files is {limits.files}, and this machine allows {most}.",
            hint="Write a lower number, or raise the machine's (ulimit -Hn).",
        )
    # Found before the shell: a missing command is then told as it is without a limit.
    found = resolve(site.name, argv, env=program.env, cwd=program.cwd)
    return with_few_files(found, limits.files)
