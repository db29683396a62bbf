"""Prepare: captures become values for later steps and are hidden; anything but a yes is a failure."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from harness.connections.answer import Headers
from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.events import AnyEvent, Prepared
from harness.model.outcomes import Acknowledged, Outcome, Unknown
from harness.model.plan import CommandCall, HttpCall, OperationPlan, PreparePlan
from harness.model.units import Duration, Instant
from harness.runner import prepare
from harness.traffic.answer import Answer
from harness.traffic.operation import Operation
from tests.support.programs import programs_in
from tests.support.sources import sources_at

LOGIN = Operation.compile(
    OperationPlan(
        name="login",
        on="app",
        http=HttpCall(method="POST", path="/login"),
        timeout=Duration.of_s(1),
    ),
    sources=sources_at(),
)


def an_answer(body: bytes, outcome: Outcome) -> Answer:
    at = Instant.of_ns(1)
    return Answer(
        status=200, headers=Headers(), body=body, first=at, last=at, sent=at, outcome=outcome
    )


def prepared(
    monkeypatch: pytest.MonkeyPatch,
    *steps: PreparePlan,
    body: bytes = b'{"token": "s3cret", "id": 7}',
    outcome: Outcome | None = None,
):
    sent: list[Mapping[str, Any]] = []
    hidden: list[str] = []
    events: list[AnyEvent] = []

    async def send(_operation: Operation, *, address: Address, values: Mapping[str, Any]) -> Answer:
        sent.append(values)
        return an_answer(body, outcome or Acknowledged())

    monkeypatch.setattr(prepare, "send", send)
    captured = asyncio.run(
        prepare.run_prepare(
            steps,
            operations={"login": LOGIN},
            address_of=lambda _service: Address("127.0.0.1", 1),
            values={"variant": "naive"},
            record=events.append,
            hide=hidden.append,
        )
    )
    return captured, sent, hidden, events


def test_prepare_when_parts_are_captured_then_texts_among_them_are_hidden(monkeypatch):
    step = PreparePlan(operation="login", capture={"token": "json.token", "user": "json.id"})
    captured, _, hidden, events = prepared(monkeypatch, step)
    assert captured == {"token": "s3cret", "user": 7}
    assert hidden == ["s3cret"]
    (event,) = events
    assert isinstance(event, Prepared)
    assert "s3cret" not in str(event)


def test_prepare_when_a_second_step_runs_then_it_knows_what_the_first_captured(monkeypatch):
    first = PreparePlan(operation="login", capture={"token": "json.token"})
    second = PreparePlan(operation="login", vars={"name": "ada"})
    _, sent, _, _ = prepared(monkeypatch, first, second)
    assert sent[1]["token"] == "s3cret"
    assert (sent[1]["name"], sent[1]["variant"], sent[1]["rid"]) == ("ada", "naive", "prepare-2")


def test_prepare_when_it_is_not_acknowledged_then_it_is_the_targets_failure(monkeypatch):
    with pytest.raises(TargetError, match="not acknowledged"):
        prepared(monkeypatch, PreparePlan(operation="login"), outcome=Unknown("answered 503"))


def test_prepare_when_the_answer_lacks_what_is_captured_then_the_name_is_said(monkeypatch):
    step = PreparePlan(operation="login", capture={"token": "json.key"})
    with pytest.raises(TargetError, match=r"capture token from json\.key"):
        prepared(monkeypatch, step)


def run_command(tmp_path, command, **capture):
    operation = Operation.compile(
        OperationPlan(name="seed", command=CommandCall(command=command), timeout=Duration.of_s(30)),
        sources=sources_at(),
    )
    events: list[AnyEvent] = []
    hidden: list[str] = []
    captured = asyncio.run(
        prepare.run_prepare(
            [PreparePlan(operation="seed", capture=capture)],
            operations={"seed": operation},
            address_of=lambda _service: pytest.fail("a command asks no service"),
            values={},
            record=events.append,
            hide=hidden.append,
            programs=programs_in(tmp_path),
        )
    )
    return captured, hidden, events


def test_prepare_when_a_step_is_a_command_then_its_output_is_captured(tmp_path):
    captured, hidden, events = run_command(tmp_path, "echo t0ken {rid}", token="output")
    assert captured == {"token": "t0ken prepare-1"}
    assert hidden == ["t0ken prepare-1"]
    assert events == [
        Prepared(operation="seed", status=None, outcome=Acknowledged(), captured=("token",))
    ]


def test_prepare_when_a_command_fails_then_its_code_and_its_last_words_are_told(tmp_path):
    with pytest.raises(TargetError) as raised:
        run_command(tmp_path, "sh -c 'echo first >&2; echo no disk >&2; exit 4'")
    assert "was not acknowledged (exit code 4: no disk" in raised.value.detail
