"""What the benchmarks share: neutral words for machine and versions, medians, child processes."""

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent


def machine() -> str:
    """Such as ``2 cores, Linux x86-64, CPython 3.11.2``."""
    kind = platform.machine().replace("x86_64", "x86-64")
    return (
        f"{os.cpu_count()} cores, {platform.system()} {kind}, CPython {platform.python_version()}"
    )


def versions(*names: str) -> str:
    found = []
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def summary(values: Sequence[float], unit: str) -> str:
    """Median and the middle half, so that one look tells how noisy it was."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"median {middle:.2f} {unit} (middle half {low:.2f}-{high:.2f}, n={len(values)})"


@contextlib.contextmanager
def child(*command: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """A process of ours: what it reads, what it prints. Ended on the way out, whatever happens."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdin, process.stdout
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        process.stdin.close()
        process.stdout.close()


@contextlib.contextmanager
def recorder(size: int) -> Iterator[tuple[int, IO[str]]]:
    """The port of a recorder for bursts of ``size``, and the lines that it prints."""
    with child("-m", "benchmarks._recorder", "--size", str(size)) as (_, printed):
        yield json.loads(printed.readline())["port"], printed
