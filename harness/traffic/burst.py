"""A burst step from its plan to its events: compose, write, hold, release, collect, journal.

How last bytes leave together is ``last_byte.py``; what an answer means is the operation's.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.expressions.template import TemplateProblem
from harness.model.address import Address
from harness.model.errors import HarnessBug, UserError
from harness.model.events import (
    AnyEvent,
    BurstReleased,
    BurstWritten,
    OperationReturned,
    OperationSent,
)
from harness.model.plan import BurstPart, BurstStep, HttpCall
from harness.model.units import Instant
from harness.processes.programs import Programs
from harness.traffic.command import Command
from harness.traffic.gate import Gates
from harness.traffic.last_byte import Burst, BurstRequest, Release
from harness.traffic.operation import Operation
from harness.traffic.variables import Variables
from harness.traffic.warming import WarmCall

__all__ = ["Burst", "run_burst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Composed:
    """One request or command of the burst: ``op`` is unique in the run, ``n`` counts from 1 in its burst."""

    op: int
    n: int
    rid: str
    operation: Operation
    key: str | None
    call: BurstRequest | Command


async def run_burst(
    step: BurstStep,
    *,
    round: int,
    operations: Mapping[str, Operation],
    address_of: Callable[[str], Address],
    values: Mapping[str, Any],
    record: Callable[[AnyEvent], object],
    numbers: Iterator[int],
    warm: Mapping[str, HttpCall | None],
    programs: Programs | None = None,
) -> None:
    """Sends the step's requests so that they arrive together, and journals what became of each.

    Its commands begin with them; ``programs`` may be None where no operation is a command.

    ``values`` fill placeholders; ``run`` among them makes ``{rid}`` unique beyond this run.
    ``numbers`` gives each operation its number in the run. ``warm`` has, by service, a request
    without effect that warms a connection, with its placeholders filled.

    Raises:
        TargetError: nobody accepts the connections, or takes the requests.
        UserError: a placeholder without a value, more sockets than the machine allows, or a command
            that is missing.
    """
    composed = _compose(step, round, operations, address_of, values, numbers)
    burst = Burst(
        [one.call for one in composed],
        warm=_warm_calls(composed, address_of, warm),
        gates=_gates(composed, programs),
    )
    released = False
    try:
        # A service may act once it has the headers: what it does in the hold is no surprise then.
        began = Instant.of_ns(time.monotonic_ns())
        await burst.write()
        record(
            BurstWritten(
                round=round,
                burst=step.id,
                requests=len(composed),
                warmed=burst.warmed,
                began=began,
            )
        )
        await asyncio.sleep(step.hold.in_s)  # noqa: TID251 - the hold itself: bytes reach their receivers
        release = burst.release()
        released = True
        record(_released(release, round, step.id))
        for one, sent in zip(composed, release.sent, strict=True):
            # Between two lines of the journal, so that none keeps an answer waiting for its stamp.
            burst.look()
            record(_sent(one, round, step.id, sent))
        await burst.collect()
    finally:
        burst.close()
        try:
            # Before the returns: of a command that left something running nobody knows what it did.
            await burst.end()
        finally:
            if released:
                # When it was cut short, those without an end stay without one: nobody knows it.
                _record_returns(composed, burst, round, record)


def _released(release: Release, round: int, burst: str) -> BurstReleased:
    return BurstReleased(
        round=round,
        burst=burst,
        requests=release.released,
        first=release.first,
        last=release.last,
    )


def _record_returns(
    composed: list[_Composed], burst: Burst, round: int, record: Callable[[AnyEvent], object]
) -> None:
    for one, came in zip(composed, burst.results(), strict=True):
        if came is not None:
            record(
                OperationReturned(
                    op=one.op,
                    operation=one.operation.name,
                    round=round,
                    status=came.status,
                    outcome=one.operation.classify(came),
                    first=came.first,
                    last=came.last,
                )
            )


def _sent(one: _Composed, round: int, burst: str, sent: Instant) -> OperationSent:
    return OperationSent(
        op=one.op,
        operation=one.operation.name,
        round=round,
        burst=burst,
        rid=one.rid,
        request=one.n,
        sent=sent,
        key=one.key,
    )


def _compose(
    step: BurstStep,
    round: int,
    operations: Mapping[str, Operation],
    address_of: Callable[[str], Address],
    values: Mapping[str, Any],
    numbers: Iterator[int],
) -> list[_Composed]:
    variables = [Variables.compile(part.vars) for part in step.parts]
    composed: list[_Composed] = []
    for n, (part, turn) in enumerate(release_order(step.parts), 1):
        operation = operations[step.parts[part].operation]
        op = next(numbers)
        rid = "-".join(str(x) for x in (values.get("run"), round, op) if x is not None)
        known = {**values, "n": n, "round": round, "rid": rid}
        try:
            own = variables[part].pick(turn, lambda t: operation.fill(t, known))  # noqa: B023 - called at once
        except TemplateProblem as problem:
            raise UserError(f"burst {step.id}: {problem}") from problem
        known |= own
        composed.append(
            _Composed(
                op=op,
                n=n,
                rid=rid,
                operation=operation,
                key=operation.key_of(known, turn=turn),
                call=_call(operation, known, turn, address_of),
            )
        )
    return composed


def _call(
    operation: Operation,
    known: Mapping[str, Any],
    turn: int,
    address_of: Callable[[str], Address],
) -> BurstRequest | Command:
    if operation.is_command:
        return operation.command(known, turn=turn)
    address = address_of(operation.on)
    return BurstRequest(
        what=f"service {operation.on}",
        address=address,
        method=operation.request_call.method,
        content=operation.request(known, address, turn=turn),
        timeout=operation.timeout,
    )


def _gates(composed: list[_Composed], programs: Programs | None) -> Gates | None:
    commands = [one.call for one in composed if isinstance(one.call, Command)]
    if not commands:
        return None
    if programs is None:
        raise HarnessBug("A burst with a command was not told what commands are run with.")
    return Gates(commands, programs)


def release_order(parts: tuple[BurstPart, ...]) -> list[tuple[int, int]]:
    """(part, turn within the part) of every request: parts interleaved, so that none comes first."""
    return [
        (part, turn)
        for _, part, turn in sorted(
            ((turn + 0.5) / parts[part].concurrency, part, turn)
            for part in range(len(parts))
            for turn in range(parts[part].concurrency)
        )
    ]


def _warm_calls(
    composed: list[_Composed],
    address_of: Callable[[str], Address],
    warm: Mapping[str, HttpCall | None],
) -> dict[Address, WarmCall]:
    calls: dict[Address, WarmCall] = {}
    requests = [one.operation for one in composed if not one.operation.is_command]
    for service in dict.fromkeys(operation.on for operation in requests):
        call = warm.get(service)
        if call is not None:
            address = address_of(service)
            calls[address] = WarmCall.of(call, address)
    return calls
