"""What a target's commands are run with, in a folder of the test's own."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from harness.model.events import AnyEvent
from harness.processes.programs import Programs


def programs_in(
    folder: Path, record: Callable[[AnyEvent], object] = lambda _event: None, **env: str
) -> Programs:
    """Commands work in ``folder`` with this process's environment and ``env``, under a mark of their own."""
    return Programs(
        folder=folder,
        env={**os.environ, **env},
        logs=folder / "logs",
        mark=f"test-{uuid.uuid4().hex}",
        record=record,
    )
