"""run: a command of this machine, in the target's folder, on a port that the system gives.

The command is split into words before its templates are filled, so no value can become a second
argument; there is no shell.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.processes.command import first_on_path
from harness.processes.group import start
from harness.services.order import names_in
from harness.services.ports import LOOPBACK, free_port
from harness.services.ready import accepts
from harness.services.site import Site, Started

_GRACE = Duration.of_s(3)


class RunService:
    """A local process, with its log under the run's folder."""

    kind = "run"
    summary = "a command, started in the target's folder; {port} is the port it should listen on"

    @params
    class Params:
        run: str
        cwd: str | None = None

    def __init__(self, params: "RunService.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        words = _words(self._params.run, site.name)
        listens = "port" in names_in(site.plan)
        address = Address(LOOPBACK, free_port()) if listens else None
        values = {"port": address.port} if address else {}
        argv = [str(word) for word in site.fill(words, values)]
        cwd = site.folder / str(site.fill(self._params.cwd or ".", values))
        process = await start(
            site.name,
            argv,
            env=_environment(site, values),
            cwd=cwd.resolve(),
            log=site.log,
            mark=site.mark,
            record=site.record,
        )
        site.on_stop(lambda: process.stop(grace=_GRACE))
        return Started(
            address=address,
            url=f"http://{address.text()}" if address else None,
            process=process,
            ask=accepts(address) if address else None,
            port_given=True,
        )


def _words(command: str, name: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UserError(
            f"service {name}: the command cannot be split into words: {error}.",
            hint="Close every quote.",
        ) from None


def search_path(env: Mapping[str, str]) -> str:
    """Where commands are looked for: an activated environment, the folder of our Python, the PATH."""
    path = first_on_path(str(Path(sys.executable).parent), env.get("PATH", os.defpath))
    theirs = env.get("VIRTUAL_ENV")
    if theirs and Path(theirs).resolve() != Path(sys.prefix).resolve():
        # Activated on purpose: the user's service wants the user's packages, not ours.
        return first_on_path(str(Path(theirs) / "bin"), path)
    return path


def _environment(site: Site, values: Mapping[str, Any]) -> dict[str, str]:
    """Ours, so that commands beside our Python and modules beside the target's folder are found."""
    env = dict(site.env)
    env["PATH"] = search_path(env)
    # `uvicorn bank.app:app` in targets/bank: the package is the folder itself.
    env["PYTHONPATH"] = first_on_path(str(site.folder.parent), env.get("PYTHONPATH"))
    # A log that is empty when the process was killed explains nothing.
    env.setdefault("PYTHONUNBUFFERED", "1")
    return env | {key: str(value) for key, value in site.fill(site.plan.env, values).items()}
