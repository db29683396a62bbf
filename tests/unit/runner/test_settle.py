"""Settled: quiet wire and equal readings; never settled names the probe."""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec
import pytest

from harness.model.events import AnyEvent, NeverSettled, Settled
from harness.model.plan import FaultStep, InvariantPlan, Plan, ProbePlan
from harness.model.units import Duration
from harness.observe.read import Reading
from harness.runner.settle import careful_gap, settle, watched_of
from harness.runner.wire import Quiet
from tests.support.journals import a_burst, a_plan
from tests.support.readings import answers, counts
from tests.support.virtual_time import run

ms = Duration.of_ms


def settled(
    read: Callable[[], Awaitable[Mapping[str, Reading]]],
    moved: Callable[[], Awaitable[int]],
    held: Iterable[int] = (0,),
    must: tuple[str, ...] = ("balance", "clock"),
) -> tuple[Mapping[str, Reading] | None, AnyEvent]:
    events: list[AnyEvent] = []
    kept = itertools.chain(held, itertools.repeat(tuple(held)[-1]))

    async def look() -> Quiet:
        return Quiet(moved=await moved(), held=next(kept))

    readings = run(
        settle(
            round=3,
            read=read,
            must=must,
            look=look,
            gap=ms(100),
            limit=ms(1000),
            record=events.append,
        )
    )
    (event,) = events
    return readings, event


def test_settle_when_two_readings_are_equal_and_the_wire_is_quiet_then_they_are_given():
    readings, event = settled(answers(balance=[30, 20, 20]), counts(7))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(200)


def test_settle_when_readings_differ_to_the_limit_then_the_probe_is_named():
    read = answers(balance=[20], clock=itertools.islice(itertools.count(), 1000))
    readings, event = settled(read, counts(7))
    assert readings is None
    assert isinstance(event, NeverSettled) and event.probes == ("clock",)


def test_settle_when_bytes_still_move_then_equal_readings_are_not_enough():
    readings, event = settled(answers(balance=[20, 20, 20, 10, 10]), counts(1, 2, 3, 4, 4))
    assert readings is not None and readings["balance"].value == 10
    assert isinstance(event, Settled)


def test_settle_when_only_the_readings_move_bytes_then_the_wire_is_quiet():
    """A service that is asked over HTTP asks its database, through the hop that is looked at."""
    passed, ask = [0], answers(balance=[30, 20, 20])

    async def read():
        passed[0] += 500
        return await ask()

    async def moved():
        return passed[0]

    readings, event = settled(read, moved)
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after < ms(1000)


def test_settle_when_the_wire_is_never_quiet_then_readings_equal_all_along_are_accepted():
    readings, event = settled(answers(balance=[20]), counts(*range(1000)))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(1000)


def test_settle_when_only_another_probe_moves_then_it_is_waited_for_and_then_left_moving():
    read = answers(balance=[20], clock=itertools.islice(itertools.count(), 1000))
    readings, event = settled(read, counts(7), must=("balance",))
    assert readings is not None and readings["balance"].value == 20
    assert isinstance(event, Settled) and event.after >= ms(1000)


def test_settle_when_a_toxic_still_holds_bytes_then_equal_readings_are_not_enough():
    read = answers(balance=[20, 20, 20, 10, 10])
    readings, event = settled(
        read, counts(7), held=[*[300] * 5, 0]
    )  # looked at before and after each reading
    assert readings is not None and readings["balance"].value == 10
    assert isinstance(event, Settled)


def test_settle_when_bytes_are_held_to_the_end_then_it_never_settles_and_no_probe_is_blamed():
    readings, event = settled(answers(balance=[20]), counts(7), held=[300])
    assert readings is None
    assert isinstance(event, NeverSettled)
    assert (event.probes, event.held) == ((), 300)


def test_settle_when_a_delayed_wire_is_never_quiet_then_is_accepted_once_nothing_is_held():
    held = [300] * 25 + [0, 300]  # looked at before and after each reading
    readings, event = settled(answers(balance=[20]), counts(*range(1000)), held=held)
    assert readings is not None
    assert isinstance(event, Settled) and event.after == ms(1300)


def test_settle_when_something_is_stuck_beside_a_wire_that_is_never_quiet_then_it_never_settles():
    readings, event = settled(answers(balance=[20]), counts(*range(1000)), held=[300])
    assert readings is None
    assert isinstance(event, NeverSettled) and (event.probes, event.held) == ((), 300)


def test_settle_when_something_is_stuck_beside_a_probe_that_may_move_then_it_never_settles():
    read = answers(balance=[20], clock=itertools.islice(itertools.count(), 1000))
    readings, event = settled(read, counts(7), must=("balance",), held=[300])
    assert readings is None
    assert isinstance(event, NeverSettled) and (event.probes, event.held) == ((), 300)


def a_fault(kind: str, **params: str) -> FaultStep:
    return FaultStep(id=f"{kind}@db", kind=kind, on="db", params=params)


DOWN = FaultStep(id="down@db", kind="down", on="db", params={}, stream=None)


@pytest.mark.parametrize(
    ("faults", "ours", "before_a_foreign_one"),
    [
        pytest.param([], 100, 100, id="none"),
        pytest.param([a_fault("latency", latency="40ms", jitter="10ms")], 150, 150, id="bounded"),
        pytest.param([a_fault("bandwidth", rate="1KB/s")], 100, 1100, id="told-by-what-is-held"),
        pytest.param([a_fault("timeout", timeout="0s"), DOWN], 100, 100, id="hold-nothing"),
        pytest.param(
            [a_fault("latency", latency="40ms"), a_fault("slow_close", delay="2s")],
            2140,
            2140,
            id="added-up",
        ),
    ],
)
def test_careful_gap_when_faults_keep_something_back_then_is_longer_than_all_of_them(
    faults: list[FaultStep], ours: int, before_a_foreign_one: int
):
    plan = a_plan(method=[*faults, a_burst()])
    assert careful_gap(plan, sees_held=True) == ms(ours)
    assert careful_gap(plan, sees_held=False) == ms(before_a_foreign_one)


def a_plan_over(**kinds: tuple[str, Duration | None]) -> Plan:
    """A plan with a probe and an invariant of each name: the probe's kind, and how often it is read."""
    plan = a_plan(
        invariants=[
            InvariantPlan(name=name, kind="any", expression=name, probes=(name,), every=every)
            for name, (_, every) in kinds.items()
        ]
    )
    probes = tuple(
        ProbePlan(name=name, kind=kind, on="app", params={}) for name, (kind, _) in kinds.items()
    )
    return msgspec.structs.replace(plan, target=msgspec.structs.replace(plan.target, probes=probes))


@pytest.mark.parametrize(
    ("kinds", "names", "must"),
    [
        pytest.param(
            {"a": ("sql", None), "b": ("sql", ms(20))}, ("a", "b"), {"a"}, id="one-at-end"
        ),
        pytest.param({"b": ("file", ms(20))}, ("b",), {"b"}, id="sampled-alone"),
        pytest.param(
            {"a": ("sql", None), "p": ("process", ms(20))}, ("a",), {"a"}, id="a-process-sampled"
        ),
        pytest.param({"p": ("process", ms(20))}, (), set(), id="a-process-alone"),
        pytest.param({"p": ("process", None)}, ("p",), {"p"}, id="a-process-at-end"),
    ],
)
def test_watched_when_invariants_differ_then_what_is_read_at_the_end_must_stand_still(
    kinds, names, must
):
    watched = watched_of(a_plan_over(**kinds))
    assert (watched.names, set(watched.must)) == (names, must)
    assert set(watched.at_end) == {name for name, (_, every) in kinds.items() if every is None}
