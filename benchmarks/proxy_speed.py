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
from typing import Any

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
    alone, answers = _rate_and_cpu(
        bench, "1 KiB messages on 1 connection", do="closed", connections=1, size=KIB
    )
    many, _ = _rate_and_cpu(
        bench, "1 KiB messages on 100 connections", do="closed", connections=100, size=KIB
    )
    # Added latency for one alone: where a hundred queue at all times, the wait is in the rate.
    return [*alone, *_added(answers), *many]


def _added(answers: dict[str, list[dict[str, float]]]) -> list[Row]:
    """What a proxy adds to the way, round by round; without one there is the way itself."""
    rows = []
    for key in ("p50", "p99"):
        row = Row(f"latency added without toxics, {key}", "µs")
        for side, took in answers.items():
            for answer, bare in zip(took, answers[DIRECT], strict=True):
                row.add(side, answer[key] - (bare[key] if side != DIRECT else 0))
        rows.append(row)
    return rows


def bulk(bench: Bench) -> list[Row]:
    """1 MiB, one connection and a hundred. Each is counted once, though it passes twice."""
    rows = []
    for connections, on in ((1, "1 connection"), (100, "100 connections")):
        found, _ = _rate_and_cpu(
            bench, f"1 MiB messages on {on}", do="closed", connections=connections, size=MIB
        )
        rows += found
    return rows


def connects(bench: Bench) -> list[Row]:
    """Fifty at any time are opened, carry one byte there and back, and are closed."""
    rows, _ = _rate_and_cpu(
        bench, "connections, one byte there and back", do="connect", count=1500, at_once=50
    )
    return rows


def delayed(bench: Bench) -> list[Row]:
    """What holding costs. 300 connections and 40 ms make 7,500 messages a second at most."""
    rows, _ = _rate_and_cpu(
        bench,
        f"1 KiB messages on 300 connections under {LATENCY_MS} ms",
        toxic=_latency(),
        do="closed",
        connections=300,
        size=KIB,
    )
    return rows


def _rate_and_cpu(
    bench: Bench, what: str, *, toxic: dict[str, object] | None = None, **job: Any
) -> tuple[list[Row], dict[str, list[dict[str, float]]]]:
    """Two rows, and the answers they are made of."""
    rate = Row(f"{what}, a second", "/s", aim=NO_LESS)
    cpu = Row(f"{what}, CPU each", "µs", aim=NO_MORE, digits=1)
    doors = bench.doors(toxic)
    if toxic is not None:
        del doors[DIRECT]  # without a proxy there is no toxic
    answers: dict[str, list[dict[str, float]]] = {side: [] for side in doors}
    if job["do"] == "closed":
        job["seconds"] = bench.seconds

    def once(side: str) -> None:
        answer = bench.load.ask(**doors[side], **job)
        answers[side].append(answer)
        rate.add(side, answer["messages"] / answer["seconds"])
        if side != DIRECT:
            cpu.add(side, answer["cpu"] / answer["messages"] * 1e6)

    in_turns(list(doors), bench.rounds, once)
    return [rate, cpu], answers


def _latency() -> dict[str, object]:
    attributes = {"latency": LATENCY_MS, "jitter": 0}
    return {"type": "latency", "stream": "downstream", "attributes": attributes}


def accuracy(bench: Bench) -> list[Row]:
    """How much longer than the toxic's 40 ms a message takes, the way included."""
    of = f"latency toxic of {LATENCY_MS} ms, {bench.connections:,} connections open"
    at = f"{bench.rate:,} messages/s"
    worst = Row(f"{of}, {at}: error, p99", "ms", aim="at most 2 ms", digits=2)
    middle = Row(f"{of}, {at}: error, p50", "ms", digits=2)
    least = Row(f"{of}, {at}: error, least", "ms", aim="never early", digits=2)
    cpu = Row(f"{of}, {at}: CPU each", "µs", aim=NO_MORE, digits=1)
    doors = bench.doors(_latency())

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


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    part.__name__: part for part in (messages, bulk, connects, delayed, accuracy, memory)
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
