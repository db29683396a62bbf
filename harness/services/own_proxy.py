"""Starts the embedded proxy as a process of its own, and learns where its API is."""

import json
import os
from pathlib import Path

from harness.model.errors import HarnessBug, TargetError
from harness.model.units import Duration
from harness.processes.command import own_environment, own_program
from harness.processes.group import ProcessGroup, Record, start

# It takes a quarter of a second; a machine that swaps may take its time.
_START_LIMIT = Duration.of_s(15)
_GRACE = Duration.of_s(2)


async def start_proxy(
    *, folder: Path, mark: str, record: Record, seed: int
) -> tuple[ProcessGroup, str]:
    """The process and the URL of its API. The caller stops it; on failure nothing is left.

    Raises:
        HarnessBug: it did not start.
    """
    process = await start(
        "proxy",
        own_program("harness.proxy", "--port", "0", "--seed", str(seed)),
        env=own_environment(os.environ),
        cwd=folder,
        log=folder / "logs" / "proxy.log",
        mark=mark,
        record=record,
        stdout="pipe",
    )
    try:
        return process, _api(await process.read_line(within=_START_LIMIT))
    except TargetError as error:
        await process.stop(grace=_GRACE)
        raise HarnessBug(f"The embedded proxy did not start: it {error.detail}") from error
    except BaseException:
        await process.stop(grace=_GRACE)
        raise


def _api(line: str) -> str:
    try:
        return str(json.loads(line)["api"])
    except (ValueError, KeyError, TypeError):
        raise HarnessBug(f"The embedded proxy said {line!r} instead of where its API is.") from None
