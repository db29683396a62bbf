"""The HTTP reset, on a service that is only pretended."""

import asyncio
from typing import Any, cast

import pytest

from harness.connections.answer import Headers
from harness.connections.http import HttpAnswer
from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.model.units import Duration
from harness.processes.programs import Programs
from harness.services.resets.http import HttpReset
from tests.support.sources import sources_at


class Service:
    """Both the connections and their only client."""

    def __init__(self, status: int = 200, body: bytes = b"") -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._answer = HttpAnswer(
            status=status, headers=Headers(), body=body, elapsed=Duration.ZERO
        )

    async def http(self, _service: str) -> "Service":
        return self

    async def call(self, method: str, url: str, **more: Any) -> HttpAnswer:
        self.asked.append((method, url, more["headers"], more["body"]))
        return self._answer


def run(service: Service, **params: Any) -> tuple[Any, ...]:
    plan = ResetPlan(kind="http", on="app", params=params)
    reset = HttpReset.make(
        plan, {"variant": "naive/x", "amount": 5}, sources_at(), cast("Programs", None)
    )
    asyncio.run(reset.run(cast("Connections", service)))
    return service.asked[0]


def test_run_when_the_request_is_plain_then_it_is_sent() -> None:
    assert run(Service(), http="POST /reset") == ("POST", "/reset", {}, None)


def test_run_when_it_has_templates_then_they_are_filled_and_keep_their_type() -> None:
    asked = run(
        Service(), http="post /reset/{variant}", headers={"X": "{amount}"}, json={"to": "{amount}"}
    )
    headers = {"Content-Type": "application/json", "X": "5"}
    assert asked == ("POST", "/reset/naive%2Fx", headers, b'{"to": 5}')


def test_run_when_it_has_a_body_then_it_is_sent_as_text() -> None:
    assert run(Service(), http="PUT /x", body="v={amount}")[3] == b"v=5"


def test_run_when_the_service_refuses_then_target_error_with_its_words() -> None:
    with pytest.raises(TargetError, match="reset on app: POST /reset answered 500: 'no table'"):
        run(Service(500, b"no table"), http="POST /reset")


@pytest.mark.parametrize("text", ["", "POST", "/reset", "POST reset", "P/T /reset"])
def test_make_when_it_is_no_request_then_user_error(text: str) -> None:
    with pytest.raises(UserError, match="is no request"):
        run(Service(), http=text)


def test_run_when_a_template_has_no_value_then_user_error() -> None:
    with pytest.raises(UserError, match="reset on app: 'nothing' has no value"):
        run(Service(), http="POST /{nothing}")
