"""What ``{env:NAME}`` and ``{file:PATH}`` give in a test: this process's environment, files below a folder."""

import os
from pathlib import Path

from harness.connections.secrets import Sources, file_text


def sources_at(folder: Path = Path()) -> Sources:
    """Nothing read is hidden from anybody; a variable that is not set is a ``KeyError``."""
    return Sources(env=lambda name: os.environ[name], file=file_text(folder))
