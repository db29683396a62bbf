"""A Toxiproxy that would ignore what a fault asks for is refused, before anything starts."""

import asyncio

import pytest

from harness.model.errors import UserError
from harness.model.plan import FaultStep, Plan
from harness.runner.foreign import require_extensions
from tests.support.canned import Canned
from tests.support.journals import LATENCY, a_burst, a_plan

FIRST = FaultStep(id="latency@db#2", kind="latency", on="db", params={"latency": "5ms"}, first=2)
CUT = FaultStep(id="cut@db", kind="cut", on="db", params={"messages": 0, "how": "reset"})
TOXIPROXY = {"POST /leases": (404, b"404 page not found\n")}
OURS = {"POST /leases": (201, b'{"id":"l-1"}'), "DELETE /leases/l-1": (204, b"")}


def plans(*faults: FaultStep) -> list[Plan]:
    return [a_plan(variant=name, method=[*faults, a_burst()]) for name in ("naive", "atomic")]


def require(planned: list[Plan], url: str) -> None:
    asyncio.run(require_extensions(planned, url, ()))


def test_require_when_a_toxiproxy_lacks_it_then_each_fault_is_named_once_with_what_it_needs():
    with Canned(TOXIPROXY) as canned, pytest.raises(UserError) as refused:
        require(plans(LATENCY, FIRST, CUT), canned.url)
    assert str(refused.value).splitlines()[1:3] == [
        "  experiments/bank-overdraft.yaml: latency@db#2 needs first",
        "  experiments/bank-overdraft.yaml: cut@db needs the toxic cut",
    ]
    assert "`harness proxy`" in refused.value.hint


def test_require_when_the_server_is_one_of_ours_then_passes_and_leaves_no_lease_behind():
    with Canned(OURS) as canned:
        require(plans(FIRST), canned.url)
    assert [(method, path) for method, path, _ in canned.asked] == [
        ("POST", "/leases"),
        ("DELETE", "/leases/l-1"),
    ]


def test_require_when_nothing_beyond_toxiproxy_is_asked_for_then_nobody_is_asked():
    with Canned(TOXIPROXY) as canned:
        require(plans(LATENCY), canned.url)
    assert canned.asked == []


def test_require_when_the_server_cannot_be_asked_then_the_run_will_tell():
    with Canned({}) as canned:
        gone = canned.url
    require(plans(FIRST), gone)
    require(plans(FIRST), "http://proxy.example:8474")
