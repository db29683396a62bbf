"""The probe ``sql``: a query that gives one row with one column, or a list of one column."""

from collections.abc import Mapping
from typing import Any, ClassVar

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
    summary = "the one value of a query, or all values of its one column"
    speaks: ClassVar[str] = "sql"

    @params
    class Params:
        sql: str
        list: bool = False
        """All rows, as a list; else there has to be just one."""

    def __init__(self, query: Template, sources: Sources, *, as_list: bool) -> None:
        self._query = query
        self._as_list = as_list
        self._sources = sources

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill its placeholders at each reading.

        Raises:
            UserError: a brace out of place.
        """
        given = to_params(cls.Params, plan.params)
        try:
            query = Template.parse(given.sql)
            return Probe.of(cls(query, sources, as_list=given.list), plan, values)
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
        fetch = client.fetch_list if self._as_list else client.fetch_value
        return await fetch(str(query), within=PROBE_LIMIT)
