"""Calls of one operation: composed, sent, and journalled, each once when it was sent and once when it ended.

When to send is whoever's that asks: the open loop's, or the caller's. What happened is written down by
tasks alone, never in a callback of the loop, so that a journal that is lost ends the run.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from msgspec.structs import replace

from harness.expressions.template import TemplateProblem
from harness.model.address import Address
from harness.model.errors import UserError
from harness.model.events import AnyEvent, OperationReturned, OperationSent
from harness.model.outcomes import Outcome
from harness.model.units import Duration, Instant
from harness.traffic.answer import Answer, Failure
from harness.traffic.connection import resolve
from harness.traffic.flight import Flight, How
from harness.traffic.flights import Flights
from harness.traffic.operation import Operation
from harness.traffic.response import ResponseReader
from harness.traffic.schedule import Lateness
from harness.traffic.timers import Timers, exact_timers
from harness.traffic.variables import Variables

AnswerWord = Literal["success", "fallback", "rejection", "other", "none"]
AnswerOf = Callable[[Answer], AnswerWord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A call that has ended. ``last`` is the moment of its end, however it came."""

    op: int
    rid: str
    phase: str
    circuit: str
    how: How
    status: int | None
    answer: AnswerWord
    outcome: Outcome
    size: int
    due: Instant | None
    sent: Instant
    first: Instant | None
    last: Instant


@dataclass(slots=True, kw_only=True)
class Group:
    """What calls have in common: their step of a round or, without one, their phase.

    ``late`` takes how late each of those that were due went out; ``heard`` what became of each.
    """

    name: str
    round: int = 0
    phase: str = ""
    late: Lateness | None = None
    heard: Callable[[Returned], object] | None = None
    unsent: int = 0
    """Calls that were begun and wait for their connection."""


@dataclass(slots=True, eq=False, kw_only=True)
class Call(Flight):
    """A flight with what the journal tells of it. ``request`` counts from 1 in its group."""

    op: int
    rid: str
    request: int
    group: Group
    key: str | None = None
    due: int = 0
    circuit: str = ""
    told: bool = False
    """The journal has that it was sent."""
    awaited: asyncio.Future[Returned] | None = None


class Calls:
    """A context, as which it owns its tasks. Leaving it cuts what is still in flight."""

    def __init__(
        self,
        operation: Operation,
        *,
        address: Address,
        record: Callable[[AnyEvent], object],
        answer_of: AnswerOf | None = None,
    ) -> None:
        """``answer_of`` sorts whole answers; without it none is sorted."""
        self._operation = operation
        self._address = address
        self._record = record
        self._answer_of = answer_of
        self._stack = AsyncExitStack()
        self._news = asyncio.Event()
        self._told = asyncio.Event()
        self._flights: Flights[Call] | None = None
        self._timers: Timers | None = None

    async def __aenter__(self) -> Self:
        what = f"service {self._operation.on}"
        places = await resolve(self._address, what=what)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self._timers = stack.enter_context(exact_timers())

            def spawn(waiting: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                return tasks.create_task(waiting, name="wait for a connection")

            self._flights = Flights(
                places, what=what, timers=self._timers, spawn=spawn, wake=self._news.set
            )
            stack.callback(self._flights.close)
            telling = tasks.create_task(self._go_on_telling(), name="tell of calls")
            stack.callback(telling.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # What ended meanwhile is known, and nobody has told of it yet.
            self.tell()
        finally:
            try:
                await self._stack.__aexit__(kind, value, trace)
            except BaseExceptionGroup as failures:
                # Whatever failed in one task made the others end; the first says why.
                raise failures.exceptions[0] from None

    @property
    def flights(self) -> Flights[Call]:
        assert self._flights is not None, "it is used as a context"
        return self._flights

    @property
    def timers(self) -> Timers:
        assert self._timers is not None, "it is used as a context"
        return self._timers

    @property
    def address(self) -> Address:
        return self._address

    @property
    def operation(self) -> Operation:
        return self._operation

    def begin(self, call: Call) -> None:
        """Sends it, and tells of it.

        Raises:
            JournalLost: that could not be written down.
        """
        call.group.unsent += 1
        self.flights.begin(call)
        self.tell()

    def tell(self) -> None:
        """Journals what has happened; in the order in which it did."""
        news = self.flights.news
        while news:
            call = news.popleft()
            if call.told:
                self.record_returned(call, call.result(), call.how)
            else:
                call.told = True
                call.group.unsent -= 1
                if call.group.late is not None:
                    call.group.late.add(sent=call.sent, due=call.due)
                self.record_sent(call)
        self._told.set()

    def record_sent(self, call: Call) -> None:
        group = call.group
        self._record(
            OperationSent(
                op=call.op,
                operation=self._operation.name,
                round=group.round,
                burst=group.name,
                rid=call.rid,
                request=call.request,
                sent=Instant.of_ns(call.sent),
                key=call.key,
                due=Instant.of_ns(call.due) if call.due else None,
                phase=group.phase,
                circuit=call.circuit,
            )
        )

    def record_returned(self, call: Call, came: Answer | Failure, how: How) -> Returned:
        """Journals the end of a call and tells whoever waits for it."""
        group = call.group
        returned = Returned(
            op=call.op,
            rid=call.rid,
            phase=group.phase,
            circuit=call.circuit,
            how=how,
            status=came.status,
            answer=self._sort(came),
            outcome=self._operation.classify(came),
            size=len(came.body) if isinstance(came, Answer) else 0,
            due=Instant.of_ns(call.due) if call.due else None,
            sent=Instant.of_ns(call.sent),
            first=came.first,
            last=came.last,
        )
        self._record(_event(returned, self._operation.name, group))
        if group.heard is not None:
            group.heard(returned)
        if call.awaited is not None and not call.awaited.done():
            call.awaited.set_result(returned)
        return returned

    def _sort(self, came: Answer | Failure) -> AnswerWord:
        if isinstance(came, Answer) and self._answer_of is not None:
            return self._answer_of(came)
        return "none"

    def compose(
        self,
        group: Group,
        *,
        op: int,
        rid: str,
        request: int,
        values: Mapping[str, Any],
        turn: int,
        own: Variables | None = None,
    ) -> Call:
        """A call with its bytes; ``own`` are variables that come before the operation's.

        Raises:
            UserError: a placeholder without a value, or a value that breaks the request.
        """
        operation = self._operation
        known: dict[str, Any] = {**values, "n": request, "round": group.round}
        known.setdefault("rid", rid)
        if own is not None:
            try:
                known |= own.pick(turn, lambda template: operation.fill(template, known))
            except TemplateProblem as problem:
                raise UserError(f"{group.name}: {problem}") from problem
        return Call(
            content=operation.request(known, self._address, turn=turn),
            reader=ResponseReader(method=operation.request_call.method),
            timeout=operation.timeout,
            op=op,
            rid=rid,
            request=request,
            group=group,
            key=operation.key_of(known, turn=turn),
        )

    async def drain(self, *, limit: Duration | None = None) -> None:
        """Waits for all that is in flight now, and gives up what has not ended by ``limit``.

        Without a limit each is bounded by its own time-out.
        """
        waited = self.flights.flying
        try:
            async with asyncio.timeout(None if limit is None else limit.in_s):
                while any(not call.how for call in waited):
                    await self._next_told()
        except TimeoutError:
            for call in waited:
                if not call.how:
                    self.flights.give_up(call, "deadline", f"given up after {limit}")
        self.tell()

    async def all_sent(self, group: Group) -> None:
        """Returns when no call of the group waits for a connection any more."""
        while group.unsent:
            await self._next_told()

    async def _next_told(self) -> None:
        self._told.clear()
        await self._told.wait()

    async def _go_on_telling(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            self.tell()


def _event(returned: Returned, operation: str, group: Group) -> OperationReturned:
    """Of a round it says what a burst's does; of a phase, how it came to its end as well."""
    event = OperationReturned(
        op=returned.op,
        operation=operation,
        round=group.round,
        status=returned.status,
        outcome=returned.outcome,
        first=returned.first,
        last=returned.last,
    )
    if not group.phase:
        return event
    return replace(
        event,
        phase=group.phase,
        how=returned.how,
        answer=returned.answer,
        size=returned.size,
    )
