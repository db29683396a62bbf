"""Calls for a script with phases: one now, an open loop, so many callers without pause, or all at once.

All bear an id that nobody else makes, and their phase; none belongs to a round.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from harness.model.address import Address
from harness.model.events import AnyEvent
from harness.model.plan import HttpCall
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Failure
from harness.traffic.arrivals import offer
from harness.traffic.calls import AnswerOf, Call, Calls, Group, Returned
from harness.traffic.descriptors import ensure_descriptors
from harness.traffic.last_byte import Burst, BurstRequest
from harness.traffic.operation import Operation
from harness.traffic.request_ids import RequestIds, values_of
from harness.traffic.schedule import Lateness, Offered, Schedule
from harness.traffic.warming import WarmCall

__all__ = ["Caller", "Offered", "Returned", "To"]

HOLD = Duration.of_ms(50)
# Where no cap is given: what a hung service gathers within a time-out, with room for four times that.
_CAPS = (500, 5_000)
# What goes out with one call to the kernel, whatever the size of its buffers: net.ipv4.tcp_wmem
# begins with 16 KiB.
_MOST_HELD = 16 * 1024
# So many of the latest are kept for whoever looks back.
_KEPT = 1000


@dataclass(frozen=True, slots=True)
class To:
    """Whom a call is for: a circuit by name, and the values that make it that one's."""

    circuit: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


_ANY = To()


class Caller:
    """Calls one operation, made by ``request_ids.carrying`` and compiled. A context.

    Leaving it cuts what is in flight; ``drain`` before, where the end of each is to be known.
    """

    def __init__(
        self,
        operation: Operation,
        *,
        address: Address,
        record: Callable[[AnyEvent], object],
        numbers: Iterator[int],
        run: str,
        values: Mapping[str, Any],
        answer_of: AnswerOf | None = None,
        warm: HttpCall | None = None,
    ) -> None:
        """``run`` makes ids this run's own. ``warm`` is a request without effect, for a burst's connections."""
        self._calls = Calls(operation, address=address, record=record, answer_of=answer_of)
        self._record = record
        self._numbers = numbers
        self._ids = RequestIds(run)
        self._values = values
        self._warm = warm
        self._count = 0
        self.returned: deque[Returned] = deque(maxlen=_KEPT)
        """The latest that have ended, the last of them last."""

    async def __aenter__(self) -> Self:
        await self._calls.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._calls.__aexit__(kind, value, trace)

    @property
    def in_flight(self) -> int:
        """Calls without an end; those of a burst are not counted."""
        return self._calls.flights.in_flight

    async def call(
        self,
        *,
        phase: str,
        due: Instant | None = None,
        leave_after: Duration | None = None,
        circuit: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> Returned:
        """One call, at once; returns when it has ended and that is journalled.

        ``leave_after``: we close our side so long after its first byte, if it has not ended by then.

        Raises:
            UserError: a placeholder without a value.
            TargetError: this machine has no port left for a connection.
        """
        call = self._compose(self._group(phase), To(circuit, values or {}), due=due)
        call.leave_after = leave_after
        call.awaited = asyncio.get_running_loop().create_future()
        self._calls.begin(call)
        return await call.awaited

    async def open(
        self,
        *,
        phase: str,
        rate: float,
        calls: int | None = None,
        lasts: Duration | None = None,
        until: Callable[[], bool] | None = None,
        cap: int | None = None,
        first: Instant | None = None,
        to: Sequence[To] = (),
        heard: Callable[[Returned], object] | None = None,
    ) -> Offered:
        """The open loop: ``calls`` of them, or for ``lasts``, whichever is over first.

        Returns when the last has been sent; those in flight go on, ``drain`` waits for them. ``until``
        is asked when one is due. ``to`` takes turns. ``heard`` hears what became of each.
        """
        counts = [calls] if calls is not None else []
        counts += [round(lasts.in_s * rate)] if lasts is not None else []
        assert counts, "so many calls, or for so long"
        begins = time.monotonic_ns() if first is None else first.ns
        schedule = Schedule(begins, rate, max(1, min(counts)))
        gathers = round(4 * rate * self._calls.operation.timeout.in_s)
        most = min(max(_CAPS[0], gathers), _CAPS[1]) if cap is None else cap
        ensure_descriptors(most, what=f"An open loop with {most} requests in flight")
        group = self._group(phase, heard, late=Lateness())

        def prepare(k: int, due: int) -> Call:
            return self._compose(group, to[k % len(to)] if to else _ANY, due=Instant.of_ns(due))

        return await offer(
            self._calls,
            group,
            schedule,
            cap=most,
            prepare=prepare,
            record=self._record,
            until=until,
        )

    async def closed(
        self,
        *,
        phase: str,
        callers: int,
        calls: int,
        until: Callable[[], bool] | None = None,
        to: Sequence[To] = (),
    ) -> int:
        """``callers`` that each call again as soon as they are answered; returns how many calls it took."""
        left = iter(range(calls))
        made = 0

        async def one() -> None:
            nonlocal made
            for k in left:
                if until is not None and until():
                    return
                whom = to[k % len(to)] if to else _ANY
                made += 1
                await self.call(phase=phase, circuit=whom.circuit, values=whom.values)

        try:
            async with asyncio.TaskGroup() as group:
                for n in range(callers):
                    group.create_task(one(), name=f"caller {n + 1}")
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return made

    async def burst(
        self,
        *,
        phase: str,
        callers: int,
        at: Instant | None = None,
        hold: Duration = HOLD,
        circuit: str = "",
        values: Mapping[str, Any] | None = None,
        heard: Callable[[Returned], object] | None = None,
    ) -> Duration:
        """All at once: connections open and warm, the end of each request's head held back and released together.

        Released ``at``, or ``hold`` after all was written; returns the spread of the release, when
        every call has ended.

        Raises:
            TargetError: nobody accepts the connections, or takes the requests.
            UserError: a placeholder without a value, or more sockets than the machine allows.
        """
        group = self._group(phase, heard)
        whom = To(circuit, values or {})
        composed = [self._compose(group, whom) for _ in range(callers)]
        burst = Burst([self._request(call) for call in composed], warm=self._warm_calls())
        released = False
        try:
            await burst.write()
            await _until(at if at is not None else Instant.of_ns(time.monotonic_ns()) + hold)
            release = burst.release()
            released = True
            for call, sent in zip(composed, release.sent, strict=True):
                burst.look()
                call.sent, call.due = sent.ns, release.first.ns
                self._calls.record_sent(call)
            await burst.collect()
        finally:
            burst.close()
            if released:
                for call, came in zip(composed, burst.results(), strict=True):
                    if isinstance(came, Answer | Failure):
                        how = came.how if isinstance(came, Failure) else "answered"
                        self._calls.record_returned(call, came, how)
        return release.last - release.first

    async def drain(self, limit: Duration | None = None) -> None:
        """Waits for the calls in flight, and gives up those that have not ended by then."""
        await self._calls.drain(limit=limit)

    def _group(
        self,
        phase: str,
        heard: Callable[[Returned], object] | None = None,
        *,
        late: Lateness | None = None,
    ) -> Group:
        def hear(returned: Returned) -> None:
            self.returned.append(returned)
            if heard is not None:
                heard(returned)

        return Group(name=phase, phase=phase, heard=hear, late=late)

    def _compose(self, group: Group, whom: To, *, due: Instant | None = None) -> Call:
        rid = self._ids.next()
        self._count += 1
        call = self._calls.compose(
            group,
            op=next(self._numbers),
            rid=rid,
            request=self._count,
            values={**self._values, **whom.values, **values_of(rid)},
            turn=self._count - 1,
        )
        call.circuit = whom.circuit
        call.due = 0 if due is None else due.ns
        return call

    def _request(self, call: Call) -> BurstRequest:
        operation = self._calls.operation
        return BurstRequest(
            what=f"service {operation.on}",
            address=self._calls.address,
            method=operation.request_call.method,
            content=call.content,
            timeout=operation.timeout,
            held=held_of(call.content),
        )

    def _warm_calls(self) -> dict[Address, WarmCall]:
        address = self._calls.address
        return {} if self._warm is None else {address: WarmCall.of(self._warm, address)}


def held_of(content: bytes) -> int:
    """How many bytes to hold back, so that no server acts before: some begin at the end of the head.

    A body too large for that keeps but its end back.
    """
    body = len(content) - content.index(b"\r\n\r\n") - 4
    return min(body + 1, _MOST_HELD)


async def _until(at: Instant) -> None:
    left = at - Instant.of_ns(time.monotonic_ns())
    if left > Duration.ZERO:
        await asyncio.sleep(left.in_s)  # noqa: TID251 - the hold itself: bytes reach their receivers
