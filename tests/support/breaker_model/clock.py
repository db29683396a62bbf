"""Virtual time: timers in order, and coroutines that wait for them. Instants are whole nanoseconds."""

import heapq
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MS = 1_000_000
SECOND = 1_000_000_000

Run = Callable[[], None]


class Timer:
    """One call that is to be made at an instant."""

    __slots__ = ("run",)

    def __init__(self, run: Run) -> None:
        self.run: Run | None = run

    def cancel(self) -> None:
        self.run = None


class _Pause:
    """Suspends a coroutine until what ``arm`` is given is called."""

    __slots__ = ("_arm",)

    def __init__(self, arm: Callable[[Run], None]) -> None:
        self._arm = arm

    def __await__(self) -> Generator[Callable[[Run], None], None, None]:
        yield self._arm


class Done(Generic[T]):
    """A value that will be there once; whoever waits for it goes on at that instant."""

    __slots__ = ("_values", "_waiting")

    def __init__(self) -> None:
        self._values: list[T] = []
        self._waiting: list[Run] = []

    @property
    def there(self) -> bool:
        return bool(self._values)

    def set(self, value: T) -> None:
        """Only the first value counts."""
        if self._values:
            return
        self._values.append(value)
        waiting, self._waiting = self._waiting, []
        for run in waiting:
            run()

    async def wait(self) -> T:
        if not self._values:
            await _Pause(self._waiting.append)
        return self._values[0]

    async def within(self, clock: "Clock", delay: int) -> bool:
        """Waits for it, ``delay`` nanoseconds at most; says whether it is there."""
        if self._values:
            return True
        woken: Done[None] = Done()
        self._waiting.append(lambda: woken.set(None))
        timer = clock.at(clock.now + delay, lambda: woken.set(None))
        await woken.wait()
        timer.cancel()
        return bool(self._values)


class Clock:
    """Moves on from timer to timer. Timers of one instant run in the order in which they were set."""

    def __init__(self) -> None:
        self.now = 0
        self._timers: list[tuple[int, int, Timer]] = []
        self._count = 0

    def at(self, when: int, run: Run) -> Timer:
        timer = Timer(run)
        self._count += 1
        heapq.heappush(self._timers, (max(when, self.now), self._count, timer))
        return timer

    def spawn(self, work: Coroutine[Any, None, T]) -> Done[T]:
        """Begins at once, and goes on beside whoever called this."""
        done: Done[T] = Done()

        def step() -> None:
            try:
                arm = work.send(None)
            except StopIteration as over:
                done.set(over.value)
            else:
                arm(step)

        step()
        return done

    def run(self, main: Coroutine[Any, None, T]) -> T:
        """Until ``main`` has returned.

        Raises:
            RuntimeError: it waits for something that no timer will bring about.
        """
        done = self.spawn(main)
        while not done.there:
            if not self._timers:
                raise RuntimeError("everybody waits, and no timer is left")
            when, _, timer = heapq.heappop(self._timers)
            if timer.run is not None:
                self.now = when
                timer.run()
        return done._values[0]

    async def sleep(self, delay: int) -> None:
        await self.sleep_until(self.now + delay)

    async def sleep_until(self, when: int) -> None:
        if when > self.now:
            await _Pause(lambda run: self._wake(when, run))

    def _wake(self, when: int, run: Run) -> None:
        self.at(when, run)
