"""A hop whose HTTP requests are observed beside the same hop without: CPU of each request.

    python -m benchmarks.observed_hop [--rounds 7] [--seconds 2] [--rate 5000] [--connections 50]

One process of the embedded proxy, on the first core, has both hops; they are measured in turns. A
second process on the last core is client and server. CPU is that of the proxy's process alone, from
its own clock. After each measurement the hop's log is read, and has every request that was asked,
with its id and its answer; how long that took is said. Linux only.
"""

import argparse
import contextlib
import json
import os
import statistics
import time
from collections.abc import Callable

import psutil

from benchmarks._measuring import child, machine, summary, versions
from benchmarks._proxy_rows import in_turns
from benchmarks._proxy_servers import EMBEDDED, commands, running
from harness.model.breaker import IdCarrier
from harness.proxy.client import ProxyServer

AIM = 1.5
PLAIN, OBSERVED = "plain", "observed"

Ask = Callable[..., dict[str, float]]


class Hops:
    """The two hops of one proxy, and how far the observed one's log has been read."""

    def __init__(self, api: str, upstream: int) -> None:
        self.proxy = ProxyServer(api)
        made = {side: self.proxy.create(side, upstream=f"127.0.0.1:{upstream}") for side in SIDES}
        self.ports = {side: int(state.listen.rpartition(":")[2]) for side, state in made.items()}
        self.proxy.observe(OBSERVED, IdCarrier())
        self.next = 0

    def read(self, asked: int) -> tuple[float, float]:
        """Milliseconds that reading took, and how late the proxy's own timer was meanwhile or before.

        Every request must be there.
        """
        began = time.perf_counter()
        page = self.proxy.requests(OBSERVED, self.next)
        took = (time.perf_counter() - began) * 1_000
        self.next = page.next
        found = {request.rid for request in page.requests if request.status == 200}
        if (len(found), page.dropped, page.unreadable) != (asked, 0, 0):
            raise SystemExit(f"{asked} requests were answered, and {len(found)} of them seen")
        return took, page.lag.in_ms


SIDES = (PLAIN, OBSERVED)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=2, help="of one measurement")
    options.add_argument("--rate", type=int, default=5000, help="requests a second")
    options.add_argument("--connections", type=int, default=50)
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        (command,) = [each for each in commands([]) if each.name == EMBEDDED]
        server = stack.enter_context(running(command))
        psutil.Process(server.pid).cpu_affinity(cores[:1])
        given, printed = stack.enter_context(
            child("-m", "benchmarks._http_load", "--core", str(cores[-1]))
        )
        hops = Hops(server.api, json.loads(printed.readline())["port"])

        def ask(side: str) -> dict[str, float]:
            job = {"do": "paced", "port": hops.ports[side], "pid": server.pid}
            job |= {name: getattr(chosen, name) for name in ("connections", "rate", "seconds")}
            given.write(json.dumps(job) + "\n")
            given.flush()
            return dict(json.loads(printed.readline()))

        print_rows(chosen, measured(chosen.rounds, ask, hops))
    print(f"{machine()}; {versions('harness', 'uvloop', 'msgspec', 'psutil')}")


def measured(rounds: int, ask: Ask, hops: Hops) -> dict[str, list[float]]:
    """By name, one value a round."""
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    def once(side: str) -> None:
        answer = ask(side)
        note(f"{side} cpu", answer["cpu"] / answer["requests"] * 1e6)
        note(f"{side} load", answer["cpu"] / answer["seconds"] * 100)
        note(f"{side} rate", answer["requests"] / answer["seconds"])
        note(f"{side} p50", answer["p50"])
        note(f"{side} p99", answer["p99"])
        if side == OBSERVED:
            took, lag = hops.read(int(answer["asked"]))
            note("read", took)
            note("lag", lag)

    in_turns(SIDES, rounds, once)
    return found


def print_rows(chosen: argparse.Namespace, found: dict[str, list[float]]) -> None:
    print(
        f"{chosen.rate:,} requests/s over {chosen.connections} connections kept alive, "
        f"{chosen.rounds} rounds of {chosen.seconds:g} s in turns; CPU of the proxy alone"
    )
    for side in SIDES:
        print(f"  {side:<9} CPU of a request  {summary(found[f'{side} cpu'], 'µs')}")
        print(f"  {'':<9} of one core       {summary(found[f'{side} load'], '%')}")
        print(f"  {'':<9} a second          {summary(found[f'{side} rate'], '/s')}")
        print(f"  {'':<9} answer after, p50 {summary(found[f'{side} p50'], 'µs')}")
        print(f"  {'':<9} answer after, p99 {summary(found[f'{side} p99'], 'µs')}")
    paired = zip(found[f"{OBSERVED} cpu"], found[f"{PLAIN} cpu"], strict=True)
    medians = [statistics.median(found[f"{side} cpu"]) for side in (OBSERVED, PLAIN)]
    ratios = summary([one / other for one, other in paired], "×")
    print(f"  observed ÷ plain, CPU: {medians[0] / medians[1]:.2f}× by medians; by rounds {ratios}")
    print(f"  aim: at most {AIM:g}×")
    requests = int(chosen.rate * chosen.seconds)
    print(f"  reading the log of {requests:,} requests: {summary(found['read'], 'ms')}")
    print(f"  the proxy's own timer was late by at most: {summary(found['lag'], 'ms')}")


if __name__ == "__main__":
    main()
