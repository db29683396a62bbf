"""Back-pressure: senders that never pause against a bandwidth toxic; does the proxy's memory grow?

    python -m benchmarks.proxy_backpressure [--seconds 60] [--connections 20] [--rate 1049]
        [--markdown] [--proxy 'NAME=COMMAND']

Every server gets its own 20 senders, who write whenever their socket takes something, behind a
bandwidth toxic of 1,049 KB/s (1 MiB/s) each; an upstream swallows what arrives. All servers run at the
same time, each with a load process of its own, and their resident memory is read once a second.
``growth`` is the most that was read after the first ten seconds (half of a shorter run), less what was
read at that moment.
Linux only.
"""

import argparse
import contextlib
import time

from benchmarks._measuring import machine, versions
from benchmarks._proxy_servers import (
    Load,
    Server,
    add_options,
    commands,
    enough_descriptors,
    load,
    running,
    toxiproxy_version,
)

MIB = 1024 * 1024
SETTLED_AFTER = 10
# Pages that an allocator takes and gives back; a leak of one chunk a second is far above it.
FLAT = 4.0
_WIDTH = 26


class Watched:
    """One server under pressure: its memory second by second, and what passed in the end."""

    def __init__(self, server: Server, load: Load) -> None:
        self.name = server.name
        self._server = server
        self._load = load
        self.idle = server.memory() / MIB
        self.readings: list[float] = []
        self.passed: dict[str, float] = {}

    def push(self, *, connections: int, seconds: float, rate: int) -> None:
        toxic = {"type": "bandwidth", "stream": "upstream", "attributes": {"rate": rate}}
        port = self._server.proxy(self._load.sink, toxic=toxic)
        self._load.start("push", port=port, connections=connections, seconds=seconds)

    def read(self) -> float:
        self.readings.append(self._server.memory() / MIB)
        return self.readings[-1]

    def finish(self) -> None:
        self.passed = self._load.result()

    @property
    def later(self) -> list[float]:
        """The readings from the moment on at which it should have settled; MiB."""
        return self.readings[min(SETTLED_AFTER, len(self.readings) // 2) - 1 :]

    @property
    def settled(self) -> float:
        return self.later[0]

    @property
    def growth(self) -> float:
        return max(self.later) - self.settled

    @property
    def arrived(self) -> float:
        """KB/s on all connections together."""
        return self.passed["arrived"] / self.passed["seconds"] / 1000


def watch(watched: list[Watched], seconds: int, *, shown: bool) -> None:
    """A line for the first seconds one by one, then for every fifth."""
    if shown:
        print("  ".join(["second", *(f"{each.name:>{_WIDTH}}" for each in watched)]))
    began = time.monotonic()
    for second in range(1, seconds + 1):
        time.sleep(max(0.0, began + second - time.monotonic()))  # noqa: TID251 - a reading a second
        line = [each.read() for each in watched]
        if shown and (second <= 5 or second % 5 == 0):
            figures = "  ".join(f"{value:>{_WIDTH - 4}.1f} MiB" for value in line)
            print(f"{second:>6}  {figures}", flush=True)


def as_text(watched: list[Watched], *, rate: float) -> str:
    lines = []
    for each in watched:
        flat = "flat" if each.growth <= FLAT else f"not flat: more than {FLAT:.0f} MiB"
        lines.append(
            f"  {each.name:<{_WIDTH}} idle {each.idle:.1f} MiB, settled {each.settled:.1f} MiB,"
            f" growth {each.growth:.1f} MiB ({flat}); took in"
            f" {each.passed['pushed'] / MIB:,.0f} MiB, passed on {each.arrived:,.0f} KB/s"
            f" ({each.arrived / rate:.2f} of the toxic's {rate:,.0f})"
        )
    return "\n".join(lines)


def as_markdown(watched: list[Watched], *, rate: float) -> str:
    lines = [
        "| server | idle | settled | growth after that | taken in | passed on | of the toxic's rate |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.name} | {each.idle:.1f} MiB | {each.settled:.1f} MiB | {each.growth:.1f} MiB |"
        f" {each.passed['pushed'] / MIB:,.0f} MiB | {each.arrived:,.0f} KB/s |"
        f" {each.arrived / rate:.2f} |"
        for each in watched
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--connections", type=int, default=20)
    options.add_argument("--rate", type=int, default=1049, help="KB/s of each connection")
    options.add_argument("--markdown", action="store_true", help="a table for documentation")
    add_options(options)
    chosen = options.parse_args()
    if chosen.seconds < 2:
        options.error("--seconds: at least 2, memory has to settle first")
    enough_descriptors()
    with contextlib.ExitStack() as stack:
        watched = [
            Watched(stack.enter_context(running(command)), stack.enter_context(load()))
            for command in commands(chosen.proxy)
        ]
        for each in watched:
            each.push(connections=chosen.connections, seconds=chosen.seconds + 1, rate=chosen.rate)
        watch(watched, chosen.seconds, shown=not chosen.markdown)
        for each in watched:
            each.finish()
    shown = as_markdown if chosen.markdown else as_text
    print(shown(watched, rate=chosen.connections * chosen.rate))
    print(
        f"\n{chosen.connections} senders that never pause, {chosen.rate:,} KB/s each,"
        f" {chosen.seconds} s\n{machine()}; {versions('harness', 'uvloop')}, {toxiproxy_version()}"
    )


if __name__ == "__main__":
    main()
