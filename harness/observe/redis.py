"""The probe ``redis``: the reply to one command of Redis or Valkey."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from harness.connections.pool import Connections
from harness.connections.redis import words_of
from harness.connections.secrets import Sources
from harness.expressions.plain import Plain, plain
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import UserError
from harness.model.plan import ProbePlan
from harness.observe.read import PROBE_LIMIT, Probe

# As a program writes numbers: 007, +7 and 7. are somebody's text. Longer ones are no amounts.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")


class Redis:
    """``{redis: GET points, on: cache}``"""

    kind = "redis"
    summary = "the reply to a command of Redis or Valkey"
    speaks: ClassVar[str] = "redis"

    @params
    class Params:
        redis: str
        """The command, in words as of a shell."""
        text: bool = False
        """Texts stay texts, also those that are numbers."""

    def __init__(self, words: Template, sources: Sources, *, text: bool) -> None:
        self._words = words
        self._sources = sources
        self._text = text

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill its placeholders at each reading.

        Raises:
            UserError: no command, an open quote, or a brace out of place.
        """
        given = to_params(cls.Params, plan.params)
        what = f"probe {plan.name}"
        try:
            words = Template.parse(words_of(given.redis, what=what))
        except TemplateProblem as problem:
            raise UserError(f"{what}: {problem}") from problem
        return Probe.of(cls(words, sources, text=given.text), plan, values)

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        """Asks the server ``on``.

        Raises:
            TargetError: the server's own words.
        """
        try:
            words = self._words.fill(values, env=self._sources.env, file=self._sources.file)
        except TemplateProblem as problem:
            raise UserError(f"a probe on {on}: {problem}") from problem
        client = await connections.redis(on)
        reply = await client.call([str(word) for word in words], within=PROBE_LIMIT)
        return plain(reply if self._text else as_numbers(reply))


def as_numbers(reply: Any) -> Any:
    """The reply with its numbers read: Redis keeps all values as text, and ``points == 100`` is meant."""
    match reply:
        case list():
            return [as_numbers(item) for item in reply]
        case str() if _NUMBER.fullmatch(reply):
            return Decimal(reply) if "." in reply else int(reply)
        case _:
            return reply
