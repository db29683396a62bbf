"""The environment in which whatever a target starts runs: its services, its operations, its resets.

Ours, so that commands beside our Python and modules beside the target's folder are found.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.processes.command import first_on_path


def surroundings(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """``env``, the harness' own, made ready for a program of the target in ``folder``.

    What the target's files say of it (``env:``) is laid over this by the caller.
    """
    made = dict(env)
    made["PATH"] = search_path(made)
    # `uvicorn bank.app:app` in targets/bank: the package is the folder itself.
    made["PYTHONPATH"] = first_on_path(str(folder.parent), made.get("PYTHONPATH"))
    # A log that is empty when the process was killed explains nothing.
    made.setdefault("PYTHONUNBUFFERED", "1")
    return made


def search_path(env: Mapping[str, str]) -> str:
    """Where commands are looked for: an activated environment, the folder of our Python, the PATH."""
    path = first_on_path(str(Path(sys.executable).parent), env.get("PATH", os.defpath))
    theirs = env.get("VIRTUAL_ENV")
    if theirs and Path(theirs).resolve() != Path(sys.prefix).resolve():
        # Activated on purpose: the user's service wants the user's packages, not ours.
        return first_on_path(str(Path(theirs) / "bin"), path)
    return path
