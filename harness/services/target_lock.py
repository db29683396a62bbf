"""Keeps two runs from one target: both would reset and judge the same state.

The lock is the kernel's, on the target file itself, so a crash releases it and nothing is left over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model.errors import UserError


@contextmanager
def lock_target(file: Path) -> Iterator[None]:
    """Holds the target described by ``file``.

    Raises:
        UserError: another run holds it, or the file cannot be opened.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(
            f"{file}: the target cannot be opened: {error.strerror or error}."
        ) from error
    try:
        _lock(descriptor, file)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"{file}: another run is using this target.",
            hint="Wait until it has finished; two runs on one target would change each other's state.",
        ) from None
    except OSError as error:
        raise UserError(
            f"{file}: the target cannot be locked: {error.strerror or error}.",
            hint="Copy the target's folder to a local disk.",
        ) from error
