"""Request ids: unique, of this run alone, and where each carrier puts them."""

import re
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.breaker import IdCarrier
from harness.model.errors import UserError
from harness.model.plan import CommandCall, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.operation import Operation
from harness.traffic.request_ids import RequestIds, carried, carrying, trace_id_of, values_of
from tests.support.sources import sources_at


def plan(path: str = "/fetch", **headers: str) -> OperationPlan:
    call = HttpCall(method="GET", path=path, headers=headers)
    return OperationPlan(name="fetch", on="app", http=call, timeout=Duration.of_s(1))


def request(operation: OperationPlan, carrier: IdCarrier, rid: str = "r00001-0a0b0c0d") -> str:
    """The head that goes out."""
    compiled = Operation.compile(carrying(operation, carrier), sources=sources_at())
    return compiled.request(values_of(rid), Address("127.0.0.1", 80)).decode()


def test_ids_when_made_then_count_and_bear_the_run() -> None:
    ids, others = RequestIds("run-1"), RequestIds("run-2")
    mine = [ids.next() for _ in range(100_001)]
    assert re.fullmatch(r"r00001-[0-9a-f]{8}", mine[0])
    assert len(set(mine)) == len(mine)
    assert mine[-1].startswith("r100001-")
    assert others.next() != mine[0]


def test_a_header_when_the_operation_does_not_set_it_then_is_added() -> None:
    head = request(plan(), IdCarrier())
    assert "\r\nx-request-id: r00001-0a0b0c0d\r\n" in head


def test_a_header_when_the_operation_sets_it_to_the_id_then_is_there_once() -> None:
    head = request(plan(**{"X-Request-Id": "{rid}"}), IdCarrier())
    assert head.lower().count("x-request-id") == 1


def test_a_header_when_the_operation_sets_it_to_something_else_then_refused() -> None:
    with pytest.raises(UserError, match="sets the header x-request-id to 'fixed'"):
        carrying(plan(**{"X-Request-Id": "fixed"}), IdCarrier())


def test_traceparent_when_asked_for_then_has_a_trace_id_of_the_request_id() -> None:
    carrier = IdCarrier(where="traceparent", name="")
    head = request(plan(), carrier)
    found = re.search(r"\r\ntraceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n", head)
    assert found is not None
    assert found[1] == trace_id_of("r00001-0a0b0c0d") == carried("r00001-0a0b0c0d", carrier)
    assert found[2] != found[1][:16]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param("/fetch", "GET /fetch?rid=r00001-0a0b0c0d HTTP/1.1", id="first"),
        pytest.param("/fetch?a=1", "GET /fetch?a=1&rid=r00001-0a0b0c0d HTTP/1.1", id="further"),
    ],
)
def test_a_query_when_asked_for_then_is_appended(path: str, line: str) -> None:
    assert request(plan(path), IdCarrier(where="query", name="rid")).startswith(line)


def test_a_path_when_it_has_a_place_then_the_id_stands_there() -> None:
    carrier = IdCarrier(where="path", name="")
    assert request(plan("/fetch/{rid}/x"), carrier).startswith("GET /fetch/r00001-0a0b0c0d/x ")


@pytest.mark.parametrize("path", ["/fetch", "/fetch?id={rid}"])
def test_a_path_when_it_has_no_place_then_refused(path: str) -> None:
    with pytest.raises(UserError, match="no place for a request id"):
        carrying(plan(path), IdCarrier(where="path", name=""))


def test_a_command_when_asked_to_carry_an_id_then_refused() -> None:
    made: dict[str, Any] = {"name": "night", "timeout": Duration.of_s(1)}
    command = OperationPlan(command=CommandCall(command="true"), **made)
    with pytest.raises(UserError, match="is a command"):
        carrying(command, IdCarrier())
