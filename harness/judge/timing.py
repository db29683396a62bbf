"""How long a run and its rounds took, by the clock of the journal. For people: no verdict rests on it."""

from statistics import median

from harness.model.events import AnyEvent, RoundFinished, RoundStarted, RunFinished, RunStarted
from harness.model.units import Duration, Instant


class Timing:
    """Folds the events of one run; moments are those at which they were written."""

    def __init__(self) -> None:
        self._began: Instant | None = None
        self._ended: Instant | None = None
        self._round: tuple[int, Instant] | None = None
        self._rounds: list[Duration] = []

    def take(self, event: AnyEvent) -> None:
        at = Instant.of_ns(event.t)
        match event:
            case RunStarted():
                self._began = self._began or at
            case RunFinished():
                self._ended = at
            case RoundStarted(round=number):
                self._round = (number, at)
            case RoundFinished(round=number) if self._round is not None:
                began, since = self._round
                if began == number:
                    self._rounds.append(at - since)
            case _:
                pass

    @property
    def run_ms(self) -> float | None:
        """From the first event to the last, in milliseconds; None without its end."""
        if self._began is None or self._ended is None:
            return None
        return round((self._ended - self._began).in_ms, 1)

    @property
    def round_ms_p50(self) -> float | None:
        """The median of the finished rounds, resets left out; None without any."""
        rounds = [each.in_ms for each in self._rounds]
        return round(median(rounds), 1) if rounds else None
