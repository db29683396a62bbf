"""run: a command of this machine, in the target's folder, on a port that the system gives."""

from typing import ClassVar

from harness.kinds import params
from harness.services.program import Limits, read_program, start_program
from harness.services.site import Site, Started


class RunService:
    """A local process, with its log under the run's folder."""

    kind: ClassVar[str] = "run"
    summary: ClassVar[str] = (
        "a command, started in the target's folder; {port} is the port it should listen on"
    )
    takes_env: ClassVar[bool] = True

    @params
    class Params:
        run: str
        cwd: str | None = None
        limits: Limits | None = None

    def __init__(self, params: "RunService.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        program = read_program(site, self._params.run, cwd=self._params.cwd)
        return await start_program(site, program, program.words, self._params.limits)
