"""The probe ``sql``: a query that gives one row with one column."""

from collections.abc import Mapping
from typing import Any

from harness.connections.pool import Connections
from harness.connections.secrets import Sources
from harness.expressions.plain import Plain
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import UserError
from harness.model.plan import ProbePlan
from harness.observe.read import PROBE_LIMIT, Probe


class Sql:
    """``{sql: SELECT balance FROM accounts WHERE id = 1, on: postgres}``"""

    kind = "sql"
    summary = "the one value of a query"

    @params
    class Params:
        sql: str

    def __init__(self, query: Template, sources: Sources) -> None:
        self._query = query
        self._sources = sources

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill its placeholders at each reading.

        Raises:
            UserError: a brace out of place.
        """
        query = to_params(cls.Params, plan.params).sql
        try:
            return Probe.of(cls(Template.parse(query), sources), plan, values)
        except TemplateProblem as problem:
            raise UserError(
                f"probe {plan.name}: {problem}", hint="A brace that SQL needs is written {{ or }}."
            ) from problem

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        """Asks the database ``on``.

        Raises:
            TargetError: the database's own words, or how many rows came.
        """
        try:
            query = self._query.fill(values, env=self._sources.env, file=self._sources.file)
        except TemplateProblem as problem:
            raise UserError(f"a probe on {on}: {problem}") from problem
        client = await connections.sql(on)
        return await client.fetch_value(str(query), within=PROBE_LIMIT)
