"""What stands between a checkout and the payments service, by the name of the variant.

Each way is made once, when the app starts, and gives a function that guards one call: it lets it through,
or raises ``CircuitOpen``. ``key`` is the account.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import circuitbreaker
import pybreaker

from breaker.circuit import Breaker, Circuit, CircuitOpen, Outcome, Policy
from breaker.defects import (
    LateSuccessCloses,
    NaiveCounter,
    OneCircuit,
    PermitLost,
    TimerRestarted,
)
from breaker.payments import Answer, PaymentFailed

TRIES = 3

Pay = Callable[[], Coroutine[Any, Any, Answer]]
Guard = Callable[[str, Pay], Coroutine[Any, Any, Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``within`` is the time-out of a call in seconds; None: there is none."""

    policy: Policy[Answer]
    within: float | None


def settings_of(variant: str, env: Mapping[str, str]) -> Settings:
    """From the environment; times there are milliseconds."""
    policy: Policy[Answer] = Policy(
        verdict=lambda answer: Outcome.IGNORED if answer.status >= 400 else Outcome.GOOD,
        failures=(PaymentFailed,),
        threshold=int(env.get("THRESHOLD", "5")),
        open_for=int(env.get("OPEN_MS", "1500")) / 1000,
        permits=int(env.get("TRIALS", "1")),
        slow_over=int(env.get("SLOW_MS", "500")) / 1000,
    )
    if variant == "slow-not-counted":
        policy = replace(policy, slow_over=float("inf"))
    patient = variant in ("none", "slow-not-counted")
    within = None if patient else int(env.get("CALL_TIMEOUT_MS", "600")) / 1000
    return Settings(policy=policy, within=within)


def circuits(
    of: Callable[[Policy[Answer]], Circuit[Answer]] = Circuit,
    by: Callable[[Callable[[], Circuit[Answer]]], Breaker[Answer]] = Breaker,
) -> Callable[[Settings], Guard]:
    """The breaker of ``circuit.py``, whole or with one of its parts exchanged."""
    return lambda settings: by(lambda: of(settings.policy)).call


def no_breaker(_: Settings) -> Guard:
    return lambda _, pay: pay()


def three_tries(_: Settings) -> Guard:
    """At once, for whoever asks in between only makes it worse; so does this."""

    async def guard(_key: str, pay: Pay) -> Answer:
        for _ in range(TRIES - 1):
            try:
                return await pay()
            except PaymentFailed:
                continue
        return await pay()

    return guard


def naive_counter(settings: Settings) -> Guard:
    counter = NaiveCounter(settings.policy)
    return lambda _, pay: counter.call(pay)


def circuitbreaker_on_async(settings: Settings) -> Guard:
    """As its README has it. What it does not expect counts as a success, also a cancellation."""

    @circuitbreaker.circuit(
        failure_threshold=settings.policy.threshold,
        recovery_timeout=settings.policy.open_for,
        expected_exception=PaymentFailed,
    )
    async def guarded(pay: Pay) -> Answer:
        return await pay()

    async def guard(_: str, pay: Pay) -> Answer:
        try:
            return await guarded(pay)
        except circuitbreaker.CircuitBreakerError:
            raise CircuitOpen from None

    return guard


def _pybreaker(settings: Settings) -> pybreaker.CircuitBreaker:
    return pybreaker.CircuitBreaker(
        fail_max=settings.policy.threshold,
        reset_timeout=settings.policy.open_for,
        # The failure that opens it is told as what it is; to say "open" of a call that was made is odd.
        throw_new_error_on_trip=False,
    )


def pybreaker_in_threads(settings: Settings) -> Guard:
    """Each call in a thread of its own, as a service without asyncio would have it."""
    breaker = _pybreaker(settings)
    # As many as there may be callers: a queue for threads would stand before the breaker.
    threads = ThreadPoolExecutor(max_workers=1000)

    async def guard(_: str, pay: Pay) -> Answer:
        loop = asyncio.get_running_loop()

        def blocking() -> Answer:
            return asyncio.run_coroutine_threadsafe(pay(), loop).result()

        try:
            return await loop.run_in_executor(threads, breaker.call, blocking)
        except pybreaker.CircuitBreakerError:
            raise CircuitOpen from None

    return guard


def pybreaker_on_async(settings: Settings) -> Guard:
    """Guards the making of a coroutine, which never fails."""

    @_pybreaker(settings)
    async def guarded(pay: Pay) -> Answer:
        return await pay()

    return lambda _, pay: guarded(pay)


VARIANTS: dict[str, Callable[[Settings], Guard]] = {
    "conforming": circuits(),
    "none": no_breaker,
    "timeout-only": no_breaker,
    "three-tries": three_tries,
    "naive-counter": naive_counter,
    "pybreaker": pybreaker_in_threads,
    "pybreaker-async": pybreaker_on_async,
    "circuitbreaker": circuitbreaker_on_async,
    "permit-lost": circuits(of=PermitLost),
    "timer-restarted": circuits(of=TimerRestarted),
    "late-success-closes": circuits(of=LateSuccessCloses),
    "one-circuit": circuits(by=OneCircuit),
    "slow-not-counted": circuits(),
}
