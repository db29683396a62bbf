"""Arrival spread of a burst: ours beside Locust's FastHttpUser, both on one plain epoll recorder.

    python -m benchmarks.burst_spread [--bursts 30] [--size 50]

The two alternate, burst by burst, so that what else the machine does meets both alike. Loopback only.
"""

import argparse
import asyncio
import json
import statistics
from itertools import pairwise
from typing import IO

from benchmarks._measuring import child, machine, recorder, summary, versions
from harness.model.address import Address
from harness.model.units import Duration
from harness.traffic.last_byte import Burst, BurstRequest
from harness.traffic.request import json_bytes, request_bytes
from harness.traffic.warming import WarmCall

HOLD = Duration.of_ms(100)


async def ours(port: int, burst: str, size: int) -> list[float]:
    """One burst; the gaps between its sends in milliseconds, as our own events have them."""
    address = Address("127.0.0.1", port)
    content = request_bytes(
        *("POST", f"/burst/{burst}", {}, json_bytes({"amount": 10})),
        address=address,
        content_type="application/json",
    )
    warm = WarmCall(
        method="GET", content=request_bytes("GET", "/healthz", {}, None, address=address)
    )
    request = BurstRequest(
        what="recorder",
        address=address,
        method="POST",
        content=content,
        timeout=Duration.of_s(10),
    )
    running = Burst([request] * size, warm={address: warm})
    try:
        await running.write()
        await asyncio.sleep(HOLD.in_s)  # noqa: TID251 - the hold, as in a run
        release = running.release()
        await running.collect()
    finally:
        running.close()
    assert release.released == size
    return [(after - before).in_ms for before, after in pairwise(release.sent)]


def theirs(burst: str, given: IO[str], printed: IO[str]) -> None:
    given.write(f"go /burst/{burst}\n")
    given.flush()
    assert printed.readline() == "done\n", "Locust's process ended"


def spread_ms(printed: IO[str], burst: str, size: int) -> tuple[float, float]:
    """What the recorder saw of a burst: as it arrived, and as it was read."""
    seen = json.loads(printed.readline())
    assert (seen["id"], seen["requests"]) == (burst, size)
    return seen["spread_ns"] / 1e6, seen["read_ns"] / 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--bursts", type=int, default=30)
    options.add_argument("--size", type=int, default=50)
    chosen = options.parse_args()
    sent: list[list[float]] = []
    mine: list[tuple[float, float]] = []
    locusts: list[tuple[float, float]] = []
    with (
        recorder(chosen.size) as (port, stamped),
        child("-m", "benchmarks._locust_users", f"http://127.0.0.1:{port}", str(chosen.size)) as (
            given,
            printed,
        ),
    ):
        assert printed.readline() == "ready\n", "Locust's users did not start"
        # The first burst of each pays for imports and caches; it is not counted.
        for at in range(chosen.bursts + 1):
            went = asyncio.run(ours(port, f"ours-{at}", chosen.size))
            arrived = spread_ms(stamped, f"ours-{at}", chosen.size)
            theirs(f"locust-{at}", given, printed)
            beside = spread_ms(stamped, f"locust-{at}", chosen.size)
            if at:
                sent.append(went)
                mine.append(arrived)
                locusts.append(beside)
    print(f"arrival spread of {chosen.size} requests, on one epoll recorder")
    print(f"  harness, sent             {summary([sum(gaps) for gaps in sent], 'ms')}")
    for at, how in enumerate(("arrived", "read")):
        ours_ms, theirs_ms = [one[at] for one in mine], [one[at] for one in locusts]
        ratio = statistics.median(theirs_ms) / statistics.median(ours_ms)
        print(f"  harness, {how:<16} {summary(ours_ms, 'ms')}")
        print(f"  FastHttpUser, {how:<11} {summary(theirs_ms, 'ms')}")
        print(f"  ratio, {how:<18} {ratio:.1f}x tighter")
    first = statistics.median(gaps[0] for gaps in sent) * 1000
    rest = statistics.median(gap for gaps in sent for gap in gaps[1:]) * 1000
    print(f"  where ours goes           first send {first:.1f} µs, each other {rest:.1f} µs")
    print("  aim: at most 0.5 ms and 10x, as arrived (stamped by the kernel, not by a late reader)")
    print(f"  {machine()}; {versions('harness', 'locust', 'gevent', 'geventhttpclient')}")


if __name__ == "__main__":
    main()
