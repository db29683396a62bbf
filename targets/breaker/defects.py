"""The breaker of ``circuit.py`` with one mistake each, and a counter that is taken for a breaker."""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, NoReturn, TypeVar

from breaker.circuit import Breaker, Circuit, CircuitOpen, Outcome, Policy, State

T = TypeVar("T")


class PermitLost(Circuit[T]):
    """Counts the trial as ended where it succeeds or fails. One whose caller leaves does neither."""

    def _give_back(self, outcome: Outcome) -> None:
        if outcome is not Outcome.LEFT:
            super()._give_back(outcome)


class TimerRestarted(Circuit[T]):
    """Stays open for so long after the last call, not after the last failure."""

    def _refuse(self) -> NoReturn:
        self._since = self._clock()
        raise CircuitOpen


class LateSuccessCloses(Circuit[T]):
    """Takes any success for a sign of health, also that of a call from before."""

    def _straggler(self, outcome: Outcome) -> None:
        if outcome is Outcome.GOOD and self._state is State.OPEN:
            self._enter(State.CLOSED)


class OneCircuit(Breaker[T]):
    """Forgets for whom the call is."""

    async def call(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        del key
        return await super().call("all", work)


class NaiveCounter(Generic[T]):
    """The breaker of many tutorials: a count and the time of the last failure. It has no half-open."""

    def __init__(self, policy: Policy[T]) -> None:
        self._policy = policy
        self._failures = 0
        self._last = 0.0

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        recently = time.monotonic() - self._last < self._policy.open_for
        if self._failures >= self._policy.threshold and recently:
            raise CircuitOpen
        try:
            answer = await work()
        except self._policy.failures:
            self._failures += 1
            self._last = time.monotonic()
            raise
        self._failures = 0
        return answer
