"""What a caller was answered, by what is declared: a fallback may be a 200."""

import json
from collections.abc import Callable

import pytest

from harness.connections.secrets import Sources
from harness.model.breaker import BreakerPlan, Fallback, Rejection
from harness.model.plan import HttpCall, OperationPlan
from harness.model.units import Duration, Instant
from harness.runner.breaker.answers import answers_of
from harness.traffic.answer import Answer
from harness.traffic.operation import Operation


def an_answer(status: int, content: object = None, *, body: bytes = b"") -> Answer:
    body = body if content is None else json.dumps(content).encode()
    return Answer(
        status=status,
        headers={},
        body=body,
        sent=Instant.of_ns(0),
        first=Instant.of_ns(1),
        last=Instant.of_ns(2),
    )


def sorting(**declared: object) -> Callable[[Answer], str]:
    plan = OperationPlan(
        name="sell",
        on="app",
        http=HttpCall(method="GET", path="/"),
        acknowledged="status == 200",
        rejected="status == 409",
        timeout=Duration.of_s(5),
    )
    keys: dict[str, object] = {"calls": "sell", "behind": "bank", **declared}
    return answers_of(
        BreakerPlan(**keys),  # type: ignore[arg-type]  # as a declaration gives them
        Operation.compile(plan, sources=Sources(env=str, file=str)),
    )


@pytest.mark.parametrize(
    ("status", "content", "word"),
    [
        (200, {"paid": True}, "success"),
        (200, {"fallback": True}, "fallback"),
        (503, {"fallback": True}, "rejection"),
        (503, None, "rejection"),
        (500, None, "other"),
        (409, None, "other"),
    ],
)
def test_sort_when_all_is_declared_then_the_fallback_is_asked_first(
    status: int, content: object, word: str
):
    sort = sorting(
        rejection=Rejection(status=503),
        fallback=Fallback(status=200, json={"fallback": True}, has_json=True),
    )
    assert sort(an_answer(status, content)) == word


def test_sort_when_the_fallback_has_a_body_alone_then_any_status_may_bear_it():
    sort = sorting(fallback=Fallback(json=None, has_json=True))
    assert sort(an_answer(418, body=b"null")) == "fallback"
    assert sort(an_answer(200, {"a": 1})) == "success"
    assert sort(an_answer(200, body=b"no JSON")) == "success"


def test_sort_when_nothing_is_declared_then_a_503_is_any_other_answer():
    sort = sorting()
    assert sort(an_answer(503)) == "other"
    assert sort(an_answer(200)) == "success"
