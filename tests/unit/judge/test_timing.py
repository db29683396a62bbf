"""How long a run took is read from the stamps of its journal, and missing where the journal is."""

from msgspec.structs import replace

from harness.judge.timing import Timing
from harness.model.events import AnyEvent, RoundFinished, RoundStarted, RunFinished
from tests.support.journals import a_run

MS = 1_000_000


def timed(*events: tuple[float, AnyEvent]) -> Timing:
    timing = Timing()
    for at_ms, event in events:
        timing.take(replace(event, t=round(at_ms * MS)))
    return timing


STARTED = a_run(0)[0]


def test_timing_when_a_run_is_whole_then_it_took_from_its_first_event_to_its_last() -> None:
    timing = timed(
        (1000, STARTED),
        (1100, RoundStarted(round=1)),
        (1300, RoundFinished(round=1)),
        (1400, RoundStarted(round=2)),
        (1800, RoundFinished(round=2)),
        (3000.25, RunFinished()),
    )
    assert (timing.run_ms, timing.round_ms_p50) == (2000.2, 300)


def test_timing_when_the_end_is_missing_then_nothing_is_said_of_the_whole() -> None:
    timing = timed((1000, STARTED), (1100, RoundStarted(round=1)))
    assert (timing.run_ms, timing.round_ms_p50) == (None, None)


def test_timing_when_a_round_ends_that_never_began_then_it_does_not_count() -> None:
    timing = timed((0, STARTED), (5, RoundStarted(round=1)), (9, RoundFinished(round=2)))
    assert timing.round_ms_p50 is None
