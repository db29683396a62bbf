"""http: a request to a service that can put its own state back."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.connections.answer import start_of
from harness.connections.pool import Connections
from harness.connections.request_line import PathTemplate, method_and_path
from harness.connections.secrets import Sources
from harness.expressions.template import Template, TemplateProblem
from harness.kinds import params, to_params
from harness.model.errors import TargetError, UserError
from harness.model.plan import HttpCall, ResetPlan
from harness.model.units import Duration
from harness.processes.programs import Programs

_LIMIT = Duration.of_s(30)


class HttpReset:
    """Sends one request; any answer below 400 is success."""

    kind: ClassVar[str] = "http"
    speaks: ClassVar[str] = "http"
    summary: ClassVar[str] = "a request that puts the state back, such as POST /reset"

    @params
    class Params:
        http: str
        headers: dict[str, str] | None = None
        json: Any = None
        body: str | None = None

    def __init__(
        self, params: "HttpReset.Params", on: str, values: Mapping[str, Any], sources: Sources
    ) -> None:
        self._on = on
        self._call = _call(params, f"reset on {on}")
        self._values = values
        self._sources = sources

    @classmethod
    def make(
        cls,
        plan: ResetPlan,
        values: Mapping[str, Any],
        sources: Sources,
        programs: Programs,  # noqa: ARG003 - as all kinds
    ) -> "HttpReset":
        return cls(to_params(cls.Params, plan.params), plan.on, values, sources)

    async def run(self, connections: Connections) -> None:
        """Sends the request.

        Raises:
            UserError: a template cannot be filled.
            TargetError: no answer, or one of 400 and above, with what it said.
        """
        what = f"reset on {self._on}"
        path, headers, body = self._filled(what)
        client = await connections.http(self._on)
        try:
            answer = await client.call(
                self._call.method, path, headers=headers, body=body, within=_LIMIT
            )
        except TargetError as error:
            raise TargetError(what, error.detail, error.hint) from error
        if answer.status >= 400:
            said = start_of(answer.body)
            raise TargetError(what, f"{self._call.method} {path} answered {answer.status}: {said}")

    def _filled(self, what: str) -> tuple[str, dict[str, str], bytes | None]:
        call = self._call
        try:
            path = PathTemplate.parse(call.path).fill(self._values, self._sources)
            filled = Template.parse([call.headers, call.json, call.body]).fill(
                self._values, env=self._sources.env, file=self._sources.file
            )
        except TemplateProblem as problem:
            raise UserError(f"{what}: {problem}.") from None
        headers, payload, body = filled
        headers = {name: str(value) for name, value in headers.items()}
        if call.has_json:
            return (
                path,
                {"Content-Type": "application/json", **headers},
                json.dumps(payload).encode(),
            )
        return path, headers, None if body is None else str(body).encode()


def _call(params: HttpReset.Params, what: str) -> HttpCall:
    method, path = method_and_path(params.http, what=what)
    return HttpCall(
        method=method,
        path=path,
        headers=params.headers or {},
        json=params.json,
        has_json=params.json is not None,
        body=params.body,
    )
