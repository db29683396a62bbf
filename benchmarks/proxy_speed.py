"""The embedded proxy beside Toxiproxy: throughput, CPU, added latency, accuracy, memory.

    python -m benchmarks.proxy_speed [--rounds 5] [--seconds 1] [--only bulk,accuracy] [--markdown]
        [--proxy 'NAME=COMMAND']

All servers run at once and are measured in turns; those that wait use no CPU. One more process has
both ends of every connection (a client and an echo behind the proxy), on a core of its own; the
servers may use all cores. ``no proxy`` is that process speaking to itself: the ceiling of what can be
measured here. A message is sent, comes back, and only then is the next one sent. Linux only.

CPU is that of the proxy's process alone, so it does not depend on what the other process can do.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks._measuring import machine, versions
from benchmarks._proxy_rows import Row, as_markdown, as_text, in_turns
from benchmarks._proxy_servers import (
    DIRECT,
    Command,
    Load,
    Server,
    add_options,
    commands,
    enough_descriptors,
    load,
    running,
    toxiproxy_version,
)

KIB, MIB = 1024, 1024 * 1024
LATENCY_MS = 40
NO_LESS, NO_MORE = "at least 1×, never under 0.9×", "at most 1×, never over 1.2×"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a part of the benchmark works with: the options, the load, the servers that run."""

    rounds: int
    seconds: float
    connections: int
    rate: int
    load: Load
    servers: Sequence[Server]
    commands: Sequence[Command]

    def doors(self, toxic: dict[str, object] | None = None) -> dict[str, dict[str, int]]:
        """For each side the port to speak to and whose CPU to count; without a proxy nobody's."""
        doors = {
            server.name: {
                "port": server.proxy(self.load.echo, toxic=toxic),
                "pid": server.pid,
            }
            for server in self.servers
        }
        return doors | {DIRECT: {"port": self.load.echo, "pid": os.getpid()}}


def messages(bench: Bench) -> list[Row]:
    """1 KiB, one connection and a hundred: how many a second, and what each costs."""
    rows: list[Row] = []
    for connections in (1, 100):
        rows += _small(bench, connections)
    return rows


def _small(bench: Bench, connections: int) -> list[Row]:
    on = f"1 KiB messages on {_connections(connections)}"
    rate = Row(f"{on}, a second", "/s", aim=NO_LESS)
    cpu = Row(f"{on}, CPU each", "µs", aim=NO_MORE, digits=1)
    middle = Row(f"{on}, latency added, p50", "µs")
    slow = Row(f"{on}, latency added, p99", "µs")
    doors = bench.doors()
    took: dict[str, list[dict[str, float]]] = {}

    def once(side: str) -> None:
        answer = bench.load.ask(
            "closed",
            **doors[side],
            connections=connections,
            size=KIB,
            seconds=bench.seconds,
        )
        took.setdefault(side, []).append(answer)
        rate.add(side, answer["messages"] / answer["seconds"])
        if side != DIRECT:
            cpu.add(side, answer["cpu"] / answer["messages"] * 1e6)

    in_turns(list(doors), bench.rounds, once)
    for side in doors:
        for answer, bare in zip(took[side], took[DIRECT], strict=True):
            for row, key in ((middle, "p50"), (slow, "p99")):
                # Without a proxy there is nothing to take off: that row shows the way itself.
                row.add(side, answer[key] - (bare[key] if side != DIRECT else 0))
    # With a hundred messages queueing at all times the wait is what the rate says already.
    return [rate, cpu, middle, slow] if connections == 1 else [rate, cpu]


def bulk(bench: Bench) -> list[Row]:
    """1 MiB, one connection and a hundred. Each is counted once, though it passes twice."""
    rows: list[Row] = []
    for connections in (1, 100):
        on = f"1 MiB messages on {_connections(connections)}"
        rate = Row(f"{on}, there and back", "MiB/s", aim=NO_LESS)
        cpu = Row(f"{on}, CPU each", "µs", aim=NO_MORE)
        doors = bench.doors()

        def once(
            side: str,
            rate: Row = rate,
            cpu: Row = cpu,
            doors: dict[str, dict[str, int]] = doors,
            connections: int = connections,
        ) -> None:
            answer = bench.load.ask(
                "closed", **doors[side], connections=connections, size=MIB, seconds=bench.seconds
            )
            rate.add(side, answer["messages"] / answer["seconds"])
            if side != DIRECT:
                cpu.add(side, answer["cpu"] / answer["messages"] * 1e6)

        in_turns(list(doors), bench.rounds, once)
        rows += [rate, cpu]
    return rows


def connects(bench: Bench) -> list[Row]:
    """Fifty at any time are opened, carry one byte there and back, and are closed."""
    rate = Row("connections a second, one byte there and back on each", "/s", aim=NO_LESS)
    cpu = Row("CPU of a connection", "µs", aim=NO_MORE)
    doors = bench.doors()

    def once(side: str) -> None:
        answer = bench.load.ask(
            "connect", **doors[side], count=int(1500 * bench.seconds), at_once=50
        )
        rate.add(side, answer["messages"] / answer["seconds"])
        if side != DIRECT:
            cpu.add(side, answer["cpu"] / answer["messages"] * 1e6)

    in_turns(list(doors), bench.rounds, once)
    return [rate, cpu]


def accuracy(bench: Bench) -> list[Row]:
    """How much longer than the toxic's 40 ms a message takes, the way included."""
    of = f"latency toxic of {LATENCY_MS} ms, {bench.connections:,} connections open"
    at = f"{bench.rate:,} messages/s"
    worst = Row(f"{of}, {at}: error, p99", "ms", aim="at most 2 ms", digits=2)
    middle = Row(f"{of}, {at}: error, p50", "ms", digits=2)
    least = Row(f"{of}, {at}: error, least", "ms", aim="never early", digits=2)
    cpu = Row(f"{of}, {at}: CPU each", "µs", aim=NO_MORE, digits=1)
    attributes = {"latency": LATENCY_MS, "jitter": 0}
    doors = bench.doors({"type": "latency", "stream": "downstream", "attributes": attributes})

    def once(side: str) -> None:
        answer = bench.load.ask(
            "paced",
            **doors[side],
            connections=bench.connections,
            size=KIB,
            rate=bench.rate,
            seconds=2 * bench.seconds,
        )
        delay = 0 if side == DIRECT else LATENCY_MS
        for row, key in ((worst, "p99"), (middle, "p50"), (least, "least")):
            row.add(side, answer[key] / 1000 - delay)
        if side != DIRECT:
            cpu.add(side, answer["cpu"] / answer["messages"] * 1e6)

    in_turns(list(doors), bench.rounds, once)
    return [worst, middle, least, cpu]


def memory(bench: Bench) -> list[Row]:
    """Open connections that have carried 1 KiB and rest; a server of its own each round."""
    of = f"{bench.connections:,} idle connections"
    each = Row(f"memory of each of {of}", "KiB", aim=NO_MORE, digits=1)
    bare = Row("memory of the proxy's process without any", "MiB", digits=1)
    by_name = {command.name: command for command in bench.commands}

    def once(side: str) -> None:
        with running(by_name[side]) as server:
            port = server.proxy(bench.load.echo)
            # What the first connections make it load is no connection's own.
            bench.load.ask("hold", port=port, connections=10, size=KIB)
            bench.load.ask("release")
            before = _at_rest(server)
            bench.load.ask("hold", port=port, connections=bench.connections, size=KIB)
            more = _at_rest(server) - before
            bench.load.ask("release")
            each.add(side, more / bench.connections / KIB)
            bare.add(side, before / MIB)

    in_turns(list(by_name), bench.rounds, once)
    return [each, bare]


def _at_rest(server: Server) -> int:
    """Its memory once that has stood still for a quarter of a second, or after three."""
    last, same = server.memory(), 0
    for _ in range(60):
        time.sleep(0.05)  # noqa: TID251 - memory tells nobody that it has settled
        now = server.memory()
        same = same + 1 if now == last else 0
        if same == 5:
            break
        last = now
    return last


def _connections(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    part.__name__: part for part in (messages, bulk, connects, accuracy, memory)
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1, help="of one measurement")
    options.add_argument("--connections", type=int, default=1000, help="open or idle ones")
    options.add_argument("--rate", type=int, default=2000, help="messages/s under latency")
    options.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    options.add_argument("--markdown", action="store_true", help="a table for documentation")
    add_options(options)
    chosen = options.parse_args()
    wanted = chosen.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        options.error(f"--only {', '.join(sorted(unknown))}: use {', '.join(PARTS)}")
    enough_descriptors()
    started = commands(chosen.proxy)
    with contextlib.ExitStack() as stack:
        bench = Bench(
            rounds=chosen.rounds,
            seconds=chosen.seconds,
            connections=chosen.connections,
            rate=chosen.rate,
            load=stack.enter_context(load()),
            servers=[stack.enter_context(running(command)) for command in started],
            commands=started,
        )
        sides = list(bench.doors())
        rows: list[Row] = []
        for name in wanted:
            found = PARTS[name](bench)
            if not chosen.markdown:
                print(as_text(found, sides), flush=True)
            rows += found
        if chosen.markdown:
            print(as_markdown(rows, sides))
    print(f"\n{chosen.rounds} rounds; median (middle half)")
    print(
        f"{machine()}; {versions('harness', 'uvloop', 'msgspec', 'psutil')}, {toxiproxy_version()}"
    )


if __name__ == "__main__":
    main()
