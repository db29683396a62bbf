"""sql: a script on a database service, from a file beside the target or written out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from harness.connections.pool import Connections
from harness.connections.secrets import Sources
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.processes.programs import Programs


class SqlReset:
    """Runs its script as it is: braces in SQL are the database's, nothing is filled in."""

    kind: ClassVar[str] = "sql"
    speaks: ClassVar[str] = "sql"
    summary: ClassVar[str] = "an SQL script that puts the state back: a file, or the text itself"

    @params
    class Params:
        script: str | None = None
        file: str | None = None

    def __init__(self, params: "SqlReset.Params", on: str) -> None:
        self._params = params
        self._on = on

    @classmethod
    def make(
        cls,
        plan: ResetPlan,
        values: Mapping[str, Any],  # noqa: ARG003 - as all kinds
        sources: Sources,  # noqa: ARG003 - as all kinds
        programs: Programs,  # noqa: ARG003 - as all kinds
    ) -> "SqlReset":
        return cls(to_params(cls.Params, plan.params), plan.on)

    async def run(self, connections: Connections) -> None:
        """Runs the script; the file is read anew each time, so that a long suite sees its mending.

        Raises:
            UserError: the file cannot be read.
            TargetError: the database refused, in its own words.
        """
        client = await connections.sql(self._on)
        try:
            await client.run_script(self._script())
        except TargetError as error:
            raise TargetError(f"reset on {self._on}", error.detail, error.hint) from error

    def _script(self) -> str:
        if self._params.file is None:
            return self._params.script or ""
        try:
            return Path(self._params.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"reset on {self._on}: {self._params.file} cannot be read: {error}."
            ) from None
