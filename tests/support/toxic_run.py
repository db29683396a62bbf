"""A toxic driven through random steps as a link would drive it, and what must hold at every step.

    run = drive(lambda: Slicer(values, Random(seed), {}), steps, keeps=True)
    run.finish()
    assert run.out == run.fed

Holds always, or the step fails: what left is a prefix of what was fed; nothing leaves behind a
close; ``held`` is the weight of what is inside; the same seed and steps give the same actions.
"""

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from harness.model.units import Instant
from harness.proxy.items import CHUNK_OVERHEAD, Action, Chunk, Close, How, WakeAt
from harness.proxy.toxic import Toxic
from harness.proxy.wire import Value
from tests.support.playbook import t

Step = tuple[Any, ...]

# More wakes than any run here needs: a toxic that asks for ever, or for the past, is caught.
_MOST_WAKES = 50_000


def steps_of(
    values: st.SearchStrategy[dict[str, Value]],
    *,
    data: st.SearchStrategy[bytes] | None = None,
) -> st.SearchStrategy[list[Step]]:
    """Anything that can happen to a toxic whose attributes are drawn from ``values``."""
    return st.lists(
        st.one_of(
            st.tuples(st.just("feed"), data or st.binary(min_size=1, max_size=300)),
            st.tuples(st.just("wait"), st.integers(0, 400)),
            st.tuples(st.just("wake early")),
            st.tuples(st.just("update"), values),
            st.tuples(st.just("close"), st.sampled_from(["eof", "end", "reset"])),
            st.tuples(st.just("off and on")),
        ),
        max_size=30,
    )


class ToxicRun:
    """``keeps`` is false for a toxic that holds no bytes: it passes them, or they are lost."""

    def __init__(self, toxic: Toxic, *, keeps: bool) -> None:
        self.toxic = toxic
        self.now = t(0)
        self.fed = b""
        self.out = b""
        self.source_closed: How | None = None
        self.closed: How | None = None
        self.log: list[tuple[Instant, Action]] = []
        self._keeps = keeps
        self._ends: list[int] = []
        self._due: Instant | None = None
        self._over = False  # taken off behind its close, where a chain has nothing left to do
        self._take(toxic.start(self.now))

    def do(self, step: Step) -> None:
        if self._over:
            return
        match step:
            case ("feed", data) if self.source_closed is None:
                self.fed += data
                self._ends.append(len(self.fed))
                self._take(self.toxic.feed(Chunk(data, self.now, len(self._ends)), self.now))
            case ("close", how) if self.source_closed is None:
                self.source_closed = how
                self._take(self.toxic.feed(Close(how), self.now))
            case ("wait", ms):
                self._wait_until(Instant.of_ns(self.now.ns + ms * 1_000_000))
            case ("wake early",):
                self._take(self.toxic.wake(self.now))
            case ("update", values):
                self._take(self.toxic.update(values, self.now))
            case ("off and on",):
                self._take(self.toxic.remove(self.now))
                assert self.toxic.held == 0
                self._over = self.closed is not None
                self._take(() if self._over else self.toxic.start(self.now))
        self.look()

    def finish(self) -> None:
        """Waits for whatever the toxic waits for."""
        for _ in range(_MOST_WAKES):
            if self._due is None:
                break
            self._wait_until(self._due)
        assert self._due is None, f"asks to be woken for ever: {self.log[-3:]}"
        self.look()

    def look(self) -> None:
        """What must hold between any two steps."""
        assert self.fed.startswith(self.out), (self.fed, self.out)
        assert self.toxic.held == self._inside(), (self.toxic.held, self._inside())

    def _inside(self) -> int:
        if not self._keeps or self.closed is not None:
            return 0
        chunks = sum(end > len(self.out) for end in self._ends)
        return len(self.fed) - len(self.out) + chunks * CHUNK_OVERHEAD

    def _wait_until(self, until: Instant) -> None:
        wakes = 0
        while self._due is not None and self._due <= until:
            self.now, self._due = max(self.now, self._due), None
            self._take(self.toxic.wake(self.now))
            wakes += 1
            assert wakes < _MOST_WAKES, f"asks to be woken for ever: {self.log[-3:]}"
        self.now = max(self.now, until)

    def _take(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self.log.append((self.now, action))
            match action:
                case Chunk(data):
                    assert self.closed is None, f"{data!r} came behind the close"
                    self.out += data
                case Close(how):
                    assert self.closed is None, f"{how} came behind the close"
                    self.closed = how
                case WakeAt(at):
                    # An update or a removal does not unset it: a wake too many must do no harm.
                    self._due = at


def drive(make: Callable[[], Toxic], steps: list[Step], *, keeps: bool) -> ToxicRun:
    """Does the steps, twice; the second toxic must answer as the first."""
    run, again = (ToxicRun(make(), keeps=keeps) for _ in range(2))
    for step in steps:
        run.do(step)
        again.do(step)
    assert run.log == again.log
    return run
