"""command: a program of this machine, in the target's folder, that puts the state back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.connections.pool import Connections
from harness.connections.secrets import Sources
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.model.units import Duration
from harness.processes.command import words_of
from harness.processes.programs import Programs

_LIMIT = Duration.of_s(30)
# With a blank, as no service has: whoever ends what is left of it must not take a service for it.
_NAME = "reset command"


class CommandReset:
    """Runs it without a shell, and waits for its end; exit code 0 is success."""

    kind: ClassVar[str] = "command"
    speaks: ClassVar[str] = ""
    summary: ClassVar[str] = "a command that puts the state back, such as rm -f {folder}/report.log"

    @params
    class Params:
        command: str

    def __init__(
        self,
        params: "CommandReset.Params",
        values: Mapping[str, Any],
        sources: Sources,
        programs: Programs,
    ) -> None:
        self._words = words_of(params.command, what="reset")
        self._values = values
        self._sources = sources
        self._programs = programs

    @classmethod
    def make(
        cls,
        plan: ResetPlan,
        values: Mapping[str, Any],
        sources: Sources,
        programs: Programs,
    ) -> "CommandReset":
        return cls(to_params(cls.Params, plan.params), values, sources, programs)

    async def run(self, connections: Connections) -> None:  # noqa: ARG002 - as all kinds
        """Runs the command.

        Raises:
            UserError: a template cannot be filled, or there is no such command.
            TargetError: it failed, or did not end in time, with the last lines it printed.
        """
        try:
            filled = Template.parse(self._words).fill(
                self._values, env=self._sources.env, file=self._sources.file
            )
        except TemplateProblem as problem:
            raise UserError(f"reset: {problem}.") from None
        argv = [str(word) for word in filled]
        ended = await self._programs.run(_NAME, argv, within=_LIMIT)
        if ended.exit_code == 0:
            return
        said = f"it said:\n{ended.said}" if ended.said else "it said nothing"
        how = (
            f"did not end within {_LIMIT}"
            if ended.exit_code is None
            else f"ended with exit code {ended.exit_code}"
        )
        raise TargetError("reset", f"{argv[0]} {how}; {said}")
