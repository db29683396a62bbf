"""The packages of a Node service: installed once for each lock file, and linked into its folder.

They lie in the user's cache, named by what decides about their content, and are made whole or not at
all. A ``node_modules`` of the user's own is never touched.
"""

import asyncio
import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.model.errors import UserError
from harness.model.units import Duration
from harness.processes.group import start
from harness.processes.log_tail import log_in_words
from harness.services.node_binary import Node
from harness.services.site import Site

LOCK = "package-lock.json"

_MANIFEST = "package.json"
_MODULES = "node_modules"
_LIMIT = Duration.of_s(300)
_GRACE = Duration.of_s(1)
_INSTALL = (
    "ci",
    "--omit=dev",
    "--no-audit",
    "--no-fund",
    # Nothing of a package's own runs on this machine before its user's service asks for it.
    "--ignore-scripts",
    "--no-update-notifier",
    "--no-progress",
)


def wanted(folder: Path) -> bool:
    """True if ``folder`` has a lock file, and no packages that somebody else put there."""
    if not all((folder / name).is_file() for name in (_MANIFEST, LOCK)):
        return False
    modules = folder / _MODULES
    return _is_ours(modules) if modules.is_symlink() else not modules.exists()


async def install(site: Site, node: Node, folder: Path) -> None:
    """Makes ``node_modules`` in ``folder`` lead to what the lock file names, by ``npm ci`` if need be.

    Raises:
        UserError: the lock file cannot be used, npm failed, or the link cannot be made.
    """
    _refuse_local(site, folder)
    place = _place(site.env)
    home = place / _fingerprint(folder, node)
    if not (home / _MODULES).is_dir():
        await _make(site, node, folder, home)
    _link(site, folder / _MODULES, home / _MODULES)


def _place(env: Mapping[str, str]) -> Path:
    cache = env.get("XDG_CACHE_HOME") or ""
    home = env.get("HOME") or str(Path.home())
    # As the base directory specification has it, a relative one does not count.
    folder = Path(cache) if Path(cache).is_absolute() else Path(home) / ".cache"
    return folder / "harness" / "npm"


def _is_ours(link: Path) -> bool:
    """By what it leads to, also when that is gone, or lies in a cache of another time."""
    return link.readlink().parts[-4:-2] == ("harness", "npm")


def _fingerprint(folder: Path, node: Node) -> str:
    libc = platform.libc_ver()[0]
    said = f"node {node.major} {sys.platform} {platform.machine()} {libc}\n".encode()
    for name in (_MANIFEST, LOCK):
        content = (folder / name).read_bytes()
        said += f"{name} {len(content)}\n".encode() + content
    return hashlib.sha256(said).hexdigest()[:32]


def _refuse_local(site: Site, folder: Path) -> None:
    """A package that is the user's own folder or file is found by its relative path: not from the cache."""
    try:
        packages = json.loads((folder / LOCK).read_bytes()).get("packages", {})
        local = sorted(
            name
            for name, entry in packages.items()
            if entry.get("link") or str(entry.get("resolved", "")).startswith("file:")
        )
    except (ValueError, AttributeError) as error:
        raise UserError(
            f"service {site.name}: {folder / LOCK} is no lock file of npm: {error}.",
            hint="Make it anew: npm install --package-lock-only",
        ) from None
    if local:
        raise UserError(
            f"service {site.name}: {folder / LOCK} names a folder or file as a package ({local[0]}).",
            hint=f"Install the packages there yourself (npm ci); a {_MODULES} that is there is used as it is.",
        )


async def _make(site: Site, node: Node, folder: Path, home: Path) -> None:
    """Whole or not at all: made under another name first. Who loses the race takes the winner's."""
    making = _new_folder(site, home.parent)
    try:
        # What npm reads: .npmrc may say where packages come from.
        for name in (_MANIFEST, LOCK, ".npmrc"):
            if (folder / name).is_file():
                shutil.copy(folder / name, making / name)
        await _npm_ci(site, node, making)
        # It may hold a token, which nobody needs any more.
        (making / ".npmrc").unlink(missing_ok=True)
        # Without a package there is nothing to make, and npm makes nothing.
        (making / _MODULES).mkdir(exist_ok=True)
        try:
            making.rename(home)
        except OSError as error:
            if not (home / _MODULES).is_dir():
                raise UserError(
                    f"service {site.name}: {home} is in the way: {error.strerror or error}.",
                    hint="Remove it.",
                ) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)


def _new_folder(site: Site, place: Path) -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".making-", dir=place))
    except OSError as error:
        raise UserError(
            f"service {site.name}: its packages cannot be kept in {place}: {error.strerror or error}.",
            hint="Set XDG_CACHE_HOME to a folder that can be written.",
        ) from None


async def _npm_ci(site: Site, node: Node, folder: Path) -> None:
    process = await start(
        f"{site.name}-npm",
        [*node.npm, *_INSTALL],
        env=node.environment(site.env),
        cwd=folder,
        log=site.log,
        mark=site.mark,
        record=site.record,
    )
    try:
        async with asyncio.timeout(_LIMIT.in_s):
            code = await process.finish()
    except TimeoutError:
        how = f"did not end within {_LIMIT}"
    else:
        if code == 0:
            return
        how = f"failed with exit code {code}"
    finally:
        await process.stop(grace=_GRACE)
    raise UserError(
        f"service {site.name}: npm ci {how}; {log_in_words(site.log)}",
        hint="Mend package.json or its lock file, or let npm reach its registry.",
    )


def _link(site: Site, link: Path, modules: Path) -> None:
    """In one step, so that whoever looks meanwhile finds the old packages or the new ones."""
    if link.is_symlink() and link.readlink() == modules:
        return
    aside = link.with_name(f".{_MODULES}-{site.mark}")
    try:
        aside.symlink_to(modules, target_is_directory=True)
        aside.replace(link)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(
            f"service {site.name}: {link} cannot be made: {error.strerror or error}.",
            hint=f"Let its folder be written, or link it by hand: ln -s {modules} {link}",
        ) from None
