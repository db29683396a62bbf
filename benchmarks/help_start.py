"""Cold start of ``harness --help`` beside an interpreter that does nothing.

    python -m benchmarks.help_start [--times 20]

The two alternate. Aim: under 300 ms.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks._measuring import machine, summary, versions


def milliseconds(*command: str) -> float:
    """Wall-clock milliseconds of one process from start to end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--times", type=int, default=20)
    chosen = options.parse_args()
    command = str(Path(sys.executable).parent / "harness")
    mine: list[float] = []
    bare: list[float] = []
    for at in range(chosen.times + 1):
        here, beside = milliseconds(command, "--help"), milliseconds(sys.executable, "-c", "pass")
        # The first pair fills the disk cache and writes bytecode.
        if at:
            mine.append(here)
            bare.append(beside)
    ratio = statistics.median(mine) / statistics.median(bare)
    print("harness --help, cold start")
    print(f"  harness --help    {summary(mine, 'ms')}")
    print(f"  python -c pass    {summary(bare, 'ms')}")
    print(f"  ratio             {ratio:.1f}x (aim: under 300 ms)")
    print(f"  {machine()}; {versions('harness')}")


if __name__ == "__main__":
    main()
