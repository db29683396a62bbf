"""Commands of the target that are meant to end: those of its resets, in its folder and its surroundings.

Services, which are meant to stay, are started by ``services/``.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.units import Duration
from harness.processes.group import Record, start
from harness.processes.log_tail import last_lines

_GRACE = Duration.of_ms(500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``exit_code`` is None for a command that took too long and was ended; ``said`` its last lines."""

    exit_code: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """What a command of the run needs. ``folder`` is the target's; ``env`` its whole environment."""

    folder: Path
    env: Mapping[str, str]
    logs: Path
    mark: str
    record: Record

    async def run(self, name: str, argv: Sequence[str], *, within: Duration) -> Ended:
        """Runs ``argv`` to its end, and ends what it left running: that would go on changing the state.

        Raises:
            UserError: there is no such command, or it may not be executed.
            TargetError: something of it would not end.
        """
        log = self.logs / f"{name}.log"
        before = log.stat().st_size if log.exists() else 0
        process = await start(
            name,
            argv,
            env=self.env,
            cwd=self.folder,
            log=log,
            mark=self.mark,
            record=self.record,
        )
        try:
            async with asyncio.timeout(within.in_s):
                code = await process.finish()
        except TimeoutError:
            return Ended(exit_code=None, said=last_lines(log, after=before))
        finally:
            await process.stop(grace=_GRACE)
        return Ended(exit_code=code, said=last_lines(log, after=before))
