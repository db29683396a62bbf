"""The stage of a plan: whose calls, at which hop, in which circuits, and which process is looked at."""

from typing import Any, cast

import pytest
from msgspec.structs import replace

from harness.connections.secrets import Sources
from harness.faults.fault import HopOnProxy
from harness.model.address import Address
from harness.model.breaker import BreakerPlan, IdCarrier
from harness.model.errors import UserError
from harness.model.events import AnyEvent, OperationReturned, OperationSent
from harness.model.outcomes import Acknowledged
from harness.model.plan import HttpCall, OperationPlan, Plan
from harness.model.units import Duration, Instant
from harness.runner.breaker.make import make_stage
from harness.runner.breaker.stage import BreakerStage
from harness.runner.rollback import ActiveFaults
from harness.services.stack import Stack
from harness.traffic.caller import To
from harness.traffic.request_ids import trace_id_of
from tests.support.breaker_world import BEHIND, HERE
from tests.support.journals import a_plan

OPERATION = OperationPlan(
    name="sell",
    on="app",
    http=HttpCall(method="POST", path="/sell/{account}"),
    acknowledged="status == 200",
    vars={"account": ["a", "b", "c"]},
    timeout=Duration.of_s(5),
)


class AStack:
    """What is asked of one that is up."""

    sources = Sources(env=str, file=str)

    def __init__(self) -> None:
        self.pids = {"app": 4711}

    def address(self, service: str) -> Address:
        assert service == "app"
        return Address("127.0.0.1", 80)

    def ready_call(self, _service: str) -> None:
        return None


def planned(declared: BreakerPlan, operation: OperationPlan = OPERATION) -> Plan:
    plan = a_plan()
    return replace(
        plan, breaker=declared, seed=7, target=replace(plan.target, operations=(operation,))
    )


def a_stage(
    declared: BreakerPlan,
    hop: HopOnProxy = HERE,
    operation: OperationPlan = OPERATION,
    events: list[AnyEvent] | None = None,
) -> BreakerStage:
    told: list[AnyEvent] = [] if events is None else events
    return make_stage(
        planned(declared, operation),
        stack=cast("Stack", AStack()),
        record=told.append,
        faults=cast("ActiveFaults", None),
        values={"run": "one"},
        hop=hop,
        check_alive=lambda: None,
    )


def declared(**keys: Any) -> BreakerPlan:
    return BreakerPlan(calls="sell", behind="bank", **keys)


def test_stage_when_the_proxy_is_ours_then_all_faults_are_its():
    stage = a_stage(declared())
    assert (stage.faults.here, stage.faults.behind) == (HERE, None)
    assert (stage.log.admin, stage.log.proxy, stage.log.hop) == (HERE.admin, "bank", "bank")
    assert stage.seed == 7


def test_stage_when_the_proxy_is_somebody_s_then_ours_before_it_is_watched_and_tells_requests_apart():
    stage = a_stage(declared(), BEHIND)
    assert stage.faults.behind == BEHIND
    assert stage.faults.here == HERE
    assert stage.log.admin == BEHIND.watch_admin


@pytest.mark.parametrize(("process", "there"), [("app", True), ("gone", False), (None, False)])
def test_stage_when_a_process_is_named_then_it_is_looked_at_if_it_is_known(
    process: str | None, there: bool
):
    assert (a_stage(declared(process=process)).process is not None) is there


def test_stage_when_a_call_is_recorded_then_the_hop_s_log_knows_whose_id_it_is():
    events: list[AnyEvent] = []
    stage = a_stage(declared(id=IdCarrier(where="traceparent")), events=events)
    sent = OperationSent(
        op=1,
        operation="sell",
        round=0,
        burst="",
        rid="r1",
        request=1,
        sent=Instant.of_ns(1),
        phase="p",
    )
    stage.record(sent)
    stage.record(
        OperationReturned(
            op=1,
            operation="sell",
            round=0,
            status=200,
            outcome=Acknowledged(),
            first=None,
            last=Instant.of_ns(2),
            phase="p",
            how="answered",
        )
    )
    assert len(events) == 2
    assert stage.log.ours == {trace_id_of("r1"): "r1"}
    stage.watch.sort(lambda _rid: [], known_up_to=Instant.of_ns(3))
    assert [call.rid for call in stage.watch.seen] == ["r1"]


@pytest.mark.parametrize(
    ("given", "circuits"),
    [
        (["a", "b", "c"], ("a", "b")),
        (["a"], ("a", "a-2")),
        ("a", ("a", "a-2")),
        (7, ("7", "8")),
    ],
)
def test_circuits_when_a_key_names_them_then_two_are_called_by(
    given: object, circuits: tuple[str, str]
):
    operation = replace(OPERATION, vars={"account": given})
    stage = a_stage(declared(key="{account}"), operation=operation)
    assert tuple(to.circuit for to in stage.circuits) == circuits


def test_circuits_when_there_is_no_key_then_all_calls_are_of_one():
    assert a_stage(declared()).circuits == (To(), To())


def test_stage_when_the_carrier_s_place_is_taken_then_it_is_refused():
    taken = replace(
        OPERATION, http=HttpCall(method="POST", path="/", headers={"X-Request-Id": "mine"})
    )
    with pytest.raises(UserError, match="carries no request id"):
        a_stage(declared(), operation=taken)
