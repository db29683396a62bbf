"""An operation: what a user does, as a request or a command, and the rules that sort what comes of it.

Templates and rules are parsed once, in ``compile``. Nothing is sent here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.connections.request_line import PathTemplate
from harness.connections.secrets import Sources
from harness.expressions.evaluate import EvaluationProblem, evaluate
from harness.expressions.parse import Expression, parse
from harness.expressions.template import Template, TemplateProblem
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.outcomes import Acknowledged, Outcome, Rejected, Unknown
from harness.model.plan import HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.answer import Answer, Ended, Failure
from harness.traffic.captured import KEPT
from harness.traffic.command import Command, CommandTemplate, as_text
from harness.traffic.request import json_bytes, request_bytes
from harness.traffic.variables import Variables

_CUT = f"printed more than {KEPT // 1024} KiB, of which the rest was not kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTemplate:
    """One HTTP request with its placeholders found."""

    what: str
    method: str
    path: PathTemplate
    headers: Template
    content: Template | None
    is_json: bool
    sources: Sources

    @classmethod
    def compile(cls, call: HttpCall, *, what: str, sources: Sources) -> "CallTemplate":
        """``what`` names it in errors; ``sources`` answer ``{env:…}`` and ``{file:…}``."""
        try:
            path = PathTemplate.parse(call.path)
            headers = Template.parse(call.headers)
            content = call.json if call.has_json else call.body
            body = Template.parse(content) if call.has_json or call.body is not None else None
        except TemplateProblem as problem:
            raise UserError(f"{what}: {problem}") from problem
        return cls(
            what=what,
            method=call.method,
            path=path,
            headers=headers,
            content=body,
            is_json=call.has_json,
            sources=sources,
        )

    def request(self, values: Mapping[str, Any], address: Address) -> bytes:
        """The bytes to send.

        Raises:
            UserError: a placeholder without a value, or a value that breaks the request.
        """
        try:
            path = self.path.fill(values, self.sources)
            headers = self.fill(self.headers, values)
            content = None if self.content is None else self.fill(self.content, values)
            return request_bytes(
                self.method,
                path,
                headers,
                self._body(content),
                address=address,
                content_type="application/json" if self.is_json else None,
            )
        except (TemplateProblem, UserError) as problem:
            raise UserError(f"{self.what}: {problem}") from problem

    def fill(self, template: Template, values: Mapping[str, Any]) -> Any:
        return template.fill(values, env=self.sources.env, file=self.sources.file)

    def _body(self, content: Any) -> bytes | None:
        if self.content is None:
            return None
        return json_bytes(content) if self.is_json else str(content).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``call`` is a request to the service ``on``, or a command, which asks none. Made by ``compile``."""

    name: str
    on: str
    timeout: Duration
    call: CallTemplate | CommandTemplate
    key: Template | None
    variables: Variables
    acknowledged: Expression | None
    rejected: Expression | None

    @classmethod
    def compile(cls, plan: OperationPlan, *, sources: Sources) -> "Operation":
        """Parses templates and rules once; ``sources`` answer ``{env:…}`` and ``{file:…}``.

        Raises:
            UserError: a template that cannot be read.
            ExpressionProblem: a rule that cannot be read; ``experiment/`` has said so before.
        """
        what = f"operation {plan.name}"
        try:
            key = None if plan.key is None else Template.parse(plan.key)
        except TemplateProblem as problem:
            raise UserError(f"{what}: {problem}") from problem
        return cls(
            name=plan.name,
            on=plan.on,
            timeout=plan.timeout,
            call=_call(plan, what, sources),
            key=key,
            variables=Variables.compile(plan.vars),
            acknowledged=None if plan.acknowledged is None else parse(plan.acknowledged),
            rejected=None if plan.rejected is None else parse(plan.rejected),
        )

    @property
    def is_command(self) -> bool:
        return isinstance(self.call, CommandTemplate)

    @property
    def request_call(self) -> CallTemplate:
        """The call of an operation that is a request."""
        assert isinstance(self.call, CallTemplate), f"operation {self.name} is a command"
        return self.call

    def known(self, values: Mapping[str, Any], *, turn: int | None = None) -> dict[str, Any]:
        """Everything its placeholders may name; ``values`` come before its own variables.

        ``turn`` counts the requests of one kind from 0, for variables that are lists; without it
        ``n`` of the values does.

        Raises:
            UserError: a placeholder without a value.
        """
        at = turn if turn is not None else int(values.get("n", 1)) - 1
        try:
            own = self.variables.pick(at, lambda template: self.fill(template, values))
        except TemplateProblem as problem:
            raise UserError(f"operation {self.name}: {problem}") from problem
        return {**own, **values}

    def request(
        self, values: Mapping[str, Any], address: Address, *, turn: int | None = None
    ) -> bytes:
        """The bytes of one request; for ``values`` and ``turn`` see ``known``.

        Raises:
            UserError: a placeholder without a value, or a value that breaks the request.
        """
        return self.request_call.request(self.known(values, turn=turn), address)

    def command(self, values: Mapping[str, Any], *, turn: int | None = None) -> Command:
        """One run of the command; for ``values`` and ``turn`` see ``known``.

        Raises:
            UserError: a placeholder without a value, or a value that is no text.
        """
        assert isinstance(self.call, CommandTemplate), f"operation {self.name} is a request"
        argv, env = self.call.fill(self.known(values, turn=turn))
        return Command(operation=self.name, argv=argv, env=env, timeout=self.timeout)

    def key_of(self, values: Mapping[str, Any], *, turn: int | None = None) -> str | None:
        """What names the effect in the state; None where the operation says nothing of it.

        Raises:
            UserError: a placeholder without a value, or a value that is no text.
        """
        if self.key is None:
            return None
        try:
            return as_text(self.fill(self.key, self.known(values, turn=turn)))
        except (TemplateProblem, UserError) as problem:
            raise UserError(f"operation {self.name}: its key: {problem}") from problem

    def fill(self, template: Template, values: Mapping[str, Any]) -> Any:
        sources = self.call.sources
        return template.fill(values, env=sources.env, file=sources.file)

    def classify(self, came: Answer | Ended | Failure) -> Outcome:
        """What became of the operation.

        Once either rule is given, no default stands in for the other: what matches neither is
        unknown. A rule that cannot be evaluated on an answer does not match it, and one that reads
        a text of which the rest was dropped is not asked. ``rejected`` is not asked of a command that
        was killed or says that something could not be started: it may have been half-way.
        """
        if isinstance(came, Failure):
            return Unknown(came.because)
        if self.acknowledged is None and self.rejected is None:
            return _by_default(came)
        problems: list[str] = []
        rules = ((self.acknowledged, Acknowledged()), (self.rejected, Rejected()))
        for rule, outcome in rules:
            if rule is None:
                continue
            if isinstance(came, Ended) and came.cut.intersection(rule.names):
                return Unknown(_CUT)
            if isinstance(outcome, Rejected) and isinstance(came, Ended) and came.says_nothing:
                problems.append("rejected is not asked of such an end")
            elif _matches(rule, came, problems):
                return outcome
        return Unknown("; ".join([came.words(), *dict.fromkeys(problems)]))


def _call(plan: OperationPlan, what: str, sources: Sources) -> CallTemplate | CommandTemplate:
    if plan.command is not None:
        return CommandTemplate.compile(plan.command, what=what, sources=sources)
    assert plan.http is not None, f"{what} is neither a request nor a command"
    return CallTemplate.compile(plan.http, what=what, sources=sources)


def _by_default(came: Answer | Ended) -> Outcome:
    if isinstance(came, Ended):
        # What a command did before it failed, nobody knows.
        return Acknowledged() if came.exit_code == 0 else Unknown(came.words())
    if 200 <= came.status < 300:
        return Acknowledged()
    return Rejected() if 400 <= came.status < 500 else Unknown(came.words())


def _matches(rule: Expression, came: Answer | Ended, problems: list[str]) -> bool:
    try:
        value = evaluate(rule, came.values())
    except EvaluationProblem as problem:
        problems.append(str(problem))
        return False
    if not isinstance(value, bool):
        problems.append(f"the rule {rule.source!r} is neither true nor false")
    return value is True
