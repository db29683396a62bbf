"""node: a program for Node, in the target's folder, with the packages of its lock file."""

from dataclasses import replace
from typing import ClassVar

from harness.kinds import params
from harness.services.node_binary import find_node
from harness.services.node_packages import install, wanted
from harness.services.program import Limits, read_program, start_program
from harness.services.site import Site, Started


class NodeService:
    """As a command that runs, but the program is a Node that is found, or brought along."""

    kind: ClassVar[str] = "node"
    summary: ClassVar[str] = (
        "a file for Node and its arguments; {port} is the port it should listen on"
    )
    takes_env: ClassVar[bool] = True

    @params
    class Params:
        node: str
        cwd: str | None = None
        limits: Limits | None = None

    def __init__(self, params: "NodeService.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        program = read_program(site, self._params.node, cwd=self._params.cwd)
        packages = wanted(program.cwd)
        node = await find_node(site.env, with_npm=packages)
        if packages:
            await install(site, node, program.cwd)
        program = replace(program, env=node.environment(program.env))
        return await start_program(
            site, program, [str(node.program), *program.words], self._params.limits
        )
