"""An arrivals step from its plan to its events: one open loop of one operation, to the end of all its calls.

When each is due is ``schedule.py``, how they are sent and end ``calls.py``.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from harness.expressions.template import TemplateProblem
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.events import AnyEvent, ArrivalsFinished, ArrivalsStarted
from harness.model.plan import ArrivalsStep
from harness.model.units import Duration, Instant
from harness.traffic.calls import Call, Calls, Group
from harness.traffic.descriptors import ensure_descriptors
from harness.traffic.open_loop import OpenLoop
from harness.traffic.operation import Operation
from harness.traffic.schedule import Lateness, Offered, Schedule
from harness.traffic.variables import Variables

# From the announcement to the first request: what the journal takes to write must not make it late.
_LEAD = Duration.of_ms(5)


async def run_arrivals(
    step: ArrivalsStep,
    *,
    round: int,
    operations: Mapping[str, Operation],
    address_of: Callable[[str], Address],
    values: Mapping[str, Any],
    record: Callable[[AnyEvent], object],
    numbers: Iterator[int],
) -> None:
    """Sends the step's requests at their planned instants, and journals what became of each.

    Returns when all have ended, each within its operation's time-out. ``values`` and ``numbers`` are
    as for a burst.

    Raises:
        TargetError: the service's host is not known, or this machine has no port left for a connection.
        UserError: the operation is a command, a placeholder has no value, or the machine does not
            allow as many sockets as may be in flight.
    """
    operation = operations[step.operation]
    if operation.is_command:
        raise UserError(
            f"arrivals {step.id}: {operation.name} is a command, and arrivals are requests.",
            hint="Name an operation with http:, or start the command in a burst:.",
        )
    ensure_descriptors(step.cap, what=f"An open loop with {step.cap} requests in flight")
    try:
        own = Variables.compile(step.vars)
    except TemplateProblem as problem:
        raise UserError(f"arrivals {step.id}: {problem}") from problem
    group = Group(name=step.id, round=round, late=Lateness())

    def prepare(calls: Calls, k: int, due: int) -> Call:
        op = next(numbers)
        rid = "-".join(str(x) for x in (values.get("run"), round, op) if x is not None)
        call = calls.compose(group, op=op, rid=rid, request=k + 1, values=values, turn=k, own=own)
        call.due = due
        return call

    address = address_of(operation.on)
    async with Calls(operation, address=address, record=record) as calls:
        schedule = Schedule(time.monotonic_ns() + _LEAD.ns, step.rate, step.requests)
        await offer(
            calls, group, schedule, cap=step.cap, prepare=partial(prepare, calls), record=record
        )
        await calls.drain()


async def offer(
    calls: Calls,
    group: Group,
    schedule: Schedule,
    *,
    cap: int,
    prepare: Callable[[int, int], Call],
    record: Callable[[AnyEvent], object],
    until: Callable[[], bool] | None = None,
) -> Offered:
    """Runs one open loop between its two events; its calls may go on. ``group`` has a ``late``."""
    record(
        ArrivalsStarted(
            round=group.round,
            step=group.name,
            planned=schedule.planned,
            rate=schedule.rate,
            first=Instant.of_ns(schedule.first),
            phase=group.phase,
        )
    )
    loop = OpenLoop(
        schedule,
        cap=cap,
        prepare=prepare,
        send=calls.begin,
        in_flight=lambda: calls.flights.in_flight,
        timers=calls.timers,
    )
    await loop.run(until=until)
    await calls.all_sent(group)
    late = group.late or Lateness()
    offered = Offered(
        planned=schedule.planned,
        sent=late.sent,
        dropped=loop.dropped,
        late_p99=late.p99,
        late_max=late.max,
        most=loop.most,
        stopped=loop.stopped,
    )
    record(_finished(group, offered, cap))
    return offered


def _finished(group: Group, offered: Offered, cap: int) -> ArrivalsFinished:
    return ArrivalsFinished(
        round=group.round,
        step=group.name,
        sent=offered.sent,
        dropped=offered.dropped,
        late_p99=offered.late_p99,
        late_max=offered.late_max,
        most=offered.most,
        cap=cap,
        phase=group.phase,
    )
