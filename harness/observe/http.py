"""The probe ``http``: a request, and an expression that takes one value out of its answer."""

import json
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from harness.connections.http import HttpAnswer
from harness.connections.plain import Plain, plain
from harness.connections.pool import Connections
from harness.connections.secrets import Sources, sources_at
from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression, ExpressionProblem, parse
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.observe.read import PROBE_LIMIT, Probe

_IN_PATH = "/?:@!$&'()*+,;=-._~%[]"
_SHOWN = 200


class Http:
    """``{http: GET /stock/7, value: json.left, on: app}``"""

    kind = "http"
    summary = "a value out of the answer to a request"

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
        path: Template,
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
    def make(
        cls, plan: ProbePlan, values: Mapping[str, Any], sources: Sources | None = None
    ) -> Probe:
        """The probe of ``plan``; ``values`` fill its placeholders at each reading.

        Raises:
            UserError: no method and path, a value that is no expression, a brace out of place.
        """
        given = to_params(cls.Params, plan.params)
        method, _, path = given.http.strip().partition(" ")
        if not method.isalpha() or not path.strip().startswith("/"):
            raise UserError(f"probe {plan.name}: {given.http!r} is no request; write GET /path.")
        try:
            question = cls(
                method.upper(),
                Template.parse(path.strip()),
                Template.parse(given.headers),
                parse(given.value),
                sources or sources_at(),
            )
        except (TemplateProblem, ExpressionProblem) as problem:
            raise UserError(f"probe {plan.name}: {problem}") from problem
        return Probe.of(question, plan, values)

    async def read(self, connections: Connections, on: str, values: Mapping[str, Any]) -> Plain:
        """Asks the service ``on``.

        Raises:
            TargetError: no answer, an error as answer, or one without the value asked for.
        """
        client = await connections.http(on)
        answer = await client.call(
            self._method,
            quote(str(self._fill(self._path, values)), safe=_IN_PATH),
            headers=self._fill(self._headers, values),
            body=None,
            within=PROBE_LIMIT,
        )
        if answer.status >= 400 and "status" not in self._value.names:
            # An error page may well have a value at the same place; it says nothing of the state.
            raise TargetError(f"service {on}", f"answered {answer.status}: {_start(answer.body)}")
        try:
            return plain(evaluate(self._value, self._seen(answer)))
        except EvaluationProblem as problem:
            detail = f"{self._value.source} has no value: {problem}; answered {answer.status}: "
            raise TargetError(f"service {on}", detail + _start(answer.body)) from problem

    def _fill(self, template: Template, values: Mapping[str, Any]) -> Any:
        try:
            return template.fill(values, env=self._sources.env, file=self._sources.file)
        except TemplateProblem as problem:
            raise UserError(
                f"a probe of {self._method} {self._value.source}: {problem}"
            ) from problem

    def _seen(self, answer: HttpAnswer) -> dict[str, Any]:
        seen: dict[str, Any] = {
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body.decode(errors="replace"),
            "elapsed": answer.elapsed,
        }
        if "json" in self._value.names:
            try:
                seen["json"] = json.loads(answer.body, parse_float=Decimal)
            except (ValueError, RecursionError) as error:
                raise EvaluationProblem("the body is not JSON") from error
        return seen


def _start(body: bytes) -> str:
    text = body[: _SHOWN + 1].decode(errors="replace")
    return repr(text[:_SHOWN] + ("…" if len(text) > _SHOWN else ""))
