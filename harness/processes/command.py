"""Commands before they are started: finds them, so that a missing one is a sentence and not an errno,
and makes those of our own modules.
"""

import errno
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import harness
from harness.model.errors import UserError


def resolve(name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> list[str]:
    """``argv`` with its first word as an absolute path: PATH is that of ``env``, ``./x`` is in ``cwd``.

    Raises:
        UserError: no command, no such command or folder, or it may not be executed.
    """
    if not argv:
        raise UserError(f"{name}: the command is empty.", hint="Write the program to start.")
    if not cwd.is_dir():
        raise UserError(
            f"{name}: its working directory {cwd} is no folder.", hint="Correct cwd, or make it."
        )
    word = argv[0]
    path = Path(word)
    if os.sep in word:
        path = path if path.is_absolute() else cwd / path
        _refuse_unusable(name, path)
        return [str(path), *argv[1:]]
    found = shutil.which(word, path=env.get("PATH", os.defpath))
    if found is None:
        raise UserError(
            f"{name}: the command {word!r} was not found on PATH ({env.get('PATH', os.defpath)}).",
            hint=f"Install it, or write its path, such as ./{word}.",
        )
    return [str(Path(found).absolute()), *argv[1:]]


def not_started(name: str, command: str, error: OSError) -> UserError:
    """What to say when the system refused to start a command that is there."""
    reason = error.strerror or str(error)
    hint = ""
    if error.errno == errno.ENOEXEC:
        hint = "It is no program; a script needs a first line such as #!/bin/sh."
    elif error.errno == errno.ENOENT:
        hint = "Its interpreter (first line of the script) or its loader is missing."
    elif error.errno == errno.E2BIG:
        hint = "Its arguments and environment are too long."
    return UserError(f"{name}: {command} could not be started: {reason}.", hint=hint)


def _refuse_unusable(name: str, path: Path) -> None:
    if not path.exists():
        raise UserError(
            f"{name}: the command {path} does not exist.", hint="Correct the command, or build it."
        )
    if path.is_dir() or not os.access(path, os.X_OK):
        raise UserError(f"{name}: {path} is not executable.", hint=f"Try chmod +x {path}.")


def own_program(module: str, *arguments: str) -> list[str]:
    """The command for a module of ours as a process of its own.

    ``-P`` keeps the working directory off the module path: a ``json.py`` of the user's must not be ours.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def own_environment(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` with the folder of this package on the module path, installed or not."""
    home = str(Path(harness.__file__).resolve().parent.parent)
    return {**env, "PYTHONPATH": first_on_path(home, env.get("PYTHONPATH"))}


def first_on_path(folder: str, path: str | None) -> str:
    """``path`` with ``folder`` in front of what was there."""
    return os.pathsep.join([folder, path]) if path else folder


def words_of(command: str, *, what: str) -> list[str]:
    """``command`` in words, split as a shell would: before it is filled, so no value becomes two words.

    Raises:
        UserError: a quote is open. An empty command has no words; ``resolve`` tells that.
    """
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UserError(
            f"{what}: the command cannot be split into words: {error}.", hint="Close every quote."
        ) from None


def with_few_files(argv: Sequence[str], files: int) -> list[str]:
    """``argv`` behind a gate that lets it, and what it starts, have ``files`` descriptors at most.

    Soft and hard, so that nobody raises it again. A shell sets it and becomes the program: setting it
    from outside would race with the program's start, and code of ours between fork and exec is not
    safe where there are threads.
    """
    return ["/bin/sh", "-c", 'ulimit -n "$1" && shift && exec "$@"', "sh", str(files), *argv]
