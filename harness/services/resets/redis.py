"""redis: commands on a Redis or Valkey, one after the other."""

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.connections.pool import Connections
from harness.connections.redis import RedisClient, words_of
from harness.connections.secrets import Sources
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.model.units import Duration
from harness.processes.programs import Programs

_LIMIT = Duration.of_s(30)


class RedisReset:
    """Sends each command; any reply that is no error is success."""

    kind: ClassVar[str] = "redis"
    speaks: ClassVar[str] = "redis"
    summary: ClassVar[str] = "a Redis command that puts the state back, or a list of them"

    @params
    class Params:
        redis: str | list[str]

    def __init__(
        self, params: "RedisReset.Params", on: str, values: Mapping[str, Any], sources: Sources
    ) -> None:
        self._what = f"reset on {on}"
        self._on = on
        commands = [params.redis] if isinstance(params.redis, str) else params.redis
        self._commands = [words_of(command, what=self._what) for command in commands]
        self._values = values
        self._sources = sources

    @classmethod
    def make(
        cls,
        plan: ResetPlan,
        values: Mapping[str, Any],
        sources: Sources,
        programs: Programs,  # noqa: ARG003 - as all kinds
    ) -> "RedisReset":
        return cls(to_params(cls.Params, plan.params), plan.on, values, sources)

    async def run(self, connections: Connections) -> None:
        """Sends the commands.

        Raises:
            UserError: a template cannot be filled.
            TargetError: the server refused one, in its own words; what stands before it was done. Or
                they left a transaction open.
        """
        client = await connections.redis(self._on)
        try:
            for words in self._commands:
                await self._call(client, self._filled(words))
            self._check_done()
        finally:
            # SELECT, MULTI and their like change the connection, which the probes have in common
            # with it. Its next call connects anew.
            await client.close()

    async def _call(self, client: RedisClient, words: list[str]) -> None:
        try:
            await client.call(words, within=_LIMIT)
        except TargetError as error:
            raise TargetError(self._what, error.detail, error.hint) from error

    def _check_done(self) -> None:
        said = [words[0].upper() for words in self._commands]
        ends = [word for word in said if word in ("MULTI", "EXEC", "DISCARD")]
        if ends[-1:] == ["MULTI"]:
            raise TargetError(
                self._what,
                "the commands ended within a transaction, so nothing behind MULTI was done",
                "End them with EXEC.",
            )

    def _filled(self, words: list[str]) -> list[str]:
        try:
            filled = Template.parse(words).fill(
                self._values, env=self._sources.env, file=self._sources.file
            )
        except TemplateProblem as problem:
            raise UserError(f"{self._what}: {problem}.") from None
        return [str(word) for word in filled]
