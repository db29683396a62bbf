"""A circuit breaker in one file, to be copied. It knows nothing of HTTP: ``verdict`` says what an answer means.

    closed ── threshold failures in a row ──▶ open ── open_for is over ──▶ half-open
      ▲                                        ▲                            │    │
      │                                        └────── a trial fails ───────┘    │
      └───────────────────────────── a trial is good ────────────────────────────┘

What it promises, each line a mistake that breakers have made:

- It says no at once. Nobody waits for a trial, nor for a lock.
- A call counts in the state that let it in. One that ends later changes nothing (``_generation``).
- A trial gives its permit back however it ends, also when its caller leaves.
- Saying no does not lengthen the open time, and neither does what fails meanwhile.
- A call that took too long counts as failed, also when its answer was good.
- Nobody's leaving counts, and nothing does that says nothing of the other side's health.
- The clock only moves forwards.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class CircuitOpen(Exception):
    """The call was not made."""


class State(Enum):
    CLOSED = auto()
    OPEN = auto()
    HALF_OPEN = auto()


class Outcome(Enum):
    """How a call ended, as far as the other side's health is concerned."""

    GOOD = auto()
    FAILED = auto()
    IGNORED = auto()
    LEFT = auto()
    """Its caller left, or it broke here before it could tell anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Generic[T]):
    """Times in seconds. ``failures`` are exceptions that count; any other one says nothing."""

    verdict: Callable[[T], Outcome]
    failures: tuple[type[Exception], ...]
    threshold: int = 5
    open_for: float = 1.5
    permits: int = 1
    slow_over: float = float("inf")


class Circuit(Generic[T]):
    """One circuit, on one event loop: whatever is between two awaits needs no lock."""

    def __init__(self, policy: Policy[T], clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._generation = 0
        self._enter(State.CLOSED)

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What ``work`` gives or raises.

        Raises:
            CircuitOpen: it was not tried.
        """
        generation = self._admit()
        began, outcome = self._clock(), Outcome.LEFT
        try:
            answer = await work()
            outcome = self._policy.verdict(answer)
            return answer
        except self._policy.failures:
            outcome = Outcome.FAILED
            raise
        finally:
            # `finally` and not `except`: a cancellation is no Exception, and must pass here too.
            if outcome is Outcome.GOOD and self._clock() - began > self._policy.slow_over:
                outcome = Outcome.FAILED
            self._settle(generation, outcome)

    def _admit(self) -> int:
        """The generation in which the call counts."""
        if self._state is State.OPEN:
            if self._clock() - self._since < self._policy.open_for:
                self._refuse()
            self._enter(State.HALF_OPEN)
        if self._state is State.HALF_OPEN:
            if self._trials >= self._policy.permits:
                raise CircuitOpen
            self._trials += 1
        return self._generation

    def _refuse(self) -> NoReturn:
        raise CircuitOpen

    def _settle(self, generation: int, outcome: Outcome) -> None:
        if generation != self._generation:
            self._straggler(outcome)
            return
        trial = self._state is State.HALF_OPEN
        if trial:
            self._give_back(outcome)
        if outcome is Outcome.GOOD:
            self._failures = 0
            if trial:
                self._enter(State.CLOSED)
        elif outcome is Outcome.FAILED:
            self._failures += 1
            if trial or self._failures >= self._policy.threshold:
                self._enter(State.OPEN)

    def _straggler(self, outcome: Outcome) -> None:
        """A call of an earlier state ended: too late to say anything."""

    def _give_back(self, _: Outcome) -> None:
        self._trials -= 1

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = self._clock()
        self._generation += 1
        self._failures = 0
        self._trials = 0


class Breaker(Generic[T]):
    """A circuit for each key, made when the first call for it comes: let there be few of them."""

    def __init__(self, make: Callable[[], Circuit[T]]) -> None:
        self._circuits: defaultdict[str, Circuit[T]] = defaultdict(make)

    async def call(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """As ``Circuit.call``, in the circuit of ``key``."""
        return await self._circuits[key].call(work)
