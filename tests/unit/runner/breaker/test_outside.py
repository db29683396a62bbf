"""What a request shows of a fault behind our hop: late, cut or silent, within the fault's time."""

import pytest
from msgspec.structs import replace

from harness.model.breaker_script import FaultKind
from harness.model.units import Duration, Instant
from harness.proxy.request_log import Request
from harness.runner.breaker.downstream import for_all, phase_steps
from harness.runner.breaker.outside import bears
from tests.support.breaker_stage import a_plan


def at(milliseconds: int) -> Instant:
    return Instant.of_ns(milliseconds * 1_000_000)


UNTIL = at(5_000)
REQUEST = Request(
    conn=1,
    seq=1,
    peer=None,
    method="GET",
    rid="r1",
    arrived=at(1_000),
    ended=None,
    end="open",
    status=None,
    began=False,
    injected=(),
)


def seen(kind: FaultKind, end: str, ended: int | None, arrived: int = 1_000) -> bool:
    step = for_all(phase_steps("bank", a_plan("outage", fault=kind, latency=Duration.of_ms(800))))
    assert step is not None
    moment = None if ended is None else at(ended)
    request = replace(REQUEST, end=end, ended=moment, arrived=at(arrived))
    return bears(step, request, until=UNTIL)


@pytest.mark.parametrize(
    ("end", "ended", "arrived", "bore"),
    [
        ("answered", 1_801, 1_000, True),
        ("answered", 1_720, 1_000, True),  # its timer may fire a little early
        ("answered", 1_719, 1_000, False),
        ("abandoned", 1_400, 1_000, True),  # the service did not wait for all of it
        ("abandoned", 1_050, 1_000, False),
        ("open", None, 1_000, True),
        ("open", None, 4_950, False),  # it had hardly begun
        ("answered", 6_500, 5_001, False),  # it came when all was over
    ],
)
def test_latency_when_a_request_took_so_long_then_it_bears_it_or_not(
    end: str, ended: int | None, arrived: int, bore: bool
):
    assert seen("latency", end, ended, arrived) is bore


@pytest.mark.parametrize(
    ("end", "ended", "arrived", "bore"),
    [
        ("abandoned", 1_400, 1_000, True),
        ("downstream-cut", 4_900, 1_000, True),
        ("downstream-cut", 5_001, 1_000, True),  # cut by the undo, and silent until then
        ("answered", 1_001, 1_000, False),
        ("answered", 5_010, 4_990, False),
        ("open", None, 1_000, True),
        ("open", None, 4_950, False),
    ],
)
def test_blackhole_when_a_request_ended_so_then_it_bears_it_or_not(
    end: str, ended: int | None, arrived: int, bore: bool
):
    assert seen("blackhole", end, ended, arrived) is bore


@pytest.mark.parametrize(
    ("end", "bore"),
    [("downstream-cut", True), ("cut", True), ("answered", False), ("abandoned", False)],
)
def test_reset_when_a_request_was_cut_then_it_bears_it(end: str, bore: bool):
    assert seen("reset", end, 1_001) is bore
    assert seen("refuse", end, 1_001) is bore
