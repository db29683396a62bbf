"""The probe ``http``: a request, and an expression that takes one value out of its answer."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

from harness.connections.answer import start_of
from harness.connections.pool import Connections
from harness.connections.request_line import PathTemplate, method_and_path
from harness.connections.secrets import Sources
from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression, ExpressionProblem, parse
from harness.expressions.plain import Plain, plain
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.observe.read import PROBE_LIMIT, Probe


class Http:
    """``{http: GET /stock/7, value: json.left, on: app}``"""

    kind = "http"
    summary = "a value out of the answer to a request"
    speaks: ClassVar[str] = "http"

    @params
    class Params:
        http: str
        """Method and path."""
        value: str
        """An expression over status, json, headers, body and elapsed."""
        headers: dict[str, str] = field(default_factory=dict)

    def __init__(
        self,
        method: str,
        path: PathTemplate,
        headers: Template,
        value: Expression,
        sources: Sources,
    ) -> None:
        self._sources = sources
        self._method = method
        self._path = path
        self._headers = headers
        self._value = value

    @classmethod
    def make(cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources) -> Probe:
        """The probe of ``plan``; ``values`` fill its placeholders at each reading.

        Raises:
            UserError: no method and path, a value that is no expression, a brace out of place.
        """
        given = to_params(cls.Params, plan.params)
        method, path = method_and_path(given.http, what=f"probe {plan.name}")
        try:
            question = cls(
                method,
                PathTemplate.parse(path),
                Template.parse(given.headers),
                parse(given.value),
                sources,
            )
        except (TemplateProblem, ExpressionProblem) as problem:
            raise UserError(f"probe {plan.name}: {problem}") from problem
        return Probe.of(question, plan, values)

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        """Asks the service ``on``.

        Raises:
            TargetError: no answer, an error as answer, or one without the value asked for.
        """
        path, headers = self._filled(values)
        client = await connections.http(on)
        answer = await client.call(
            self._method, path, headers=headers, body=None, within=PROBE_LIMIT
        )
        if answer.status >= 400 and "status" not in self._value.names:
            # An error page may well have a value at the same place; it says nothing of the state.
            raise TargetError(f"service {on}", f"answered {answer.status}: {start_of(answer.body)}")
        try:
            return plain(evaluate(self._value, answer.values()))
        except EvaluationProblem as problem:
            detail = f"{self._value.source} has no value: {problem}; answered {answer.status}: "
            raise TargetError(f"service {on}", detail + start_of(answer.body)) from problem

    def _filled(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        sources = self._sources
        try:
            return (
                self._path.fill(values, sources),
                self._headers.fill(values, env=sources.env, file=sources.file),
            )
        except TemplateProblem as problem:
            raise UserError(
                f"a probe of {self._method} {self._value.source}: {problem}"
            ) from problem
