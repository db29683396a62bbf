"""CPU that the harness spends on one operation, beside a bare asyncio client doing the same requests.

    python -m benchmarks.overhead_per_operation [--rounds 40] [--size 50]

Both open a connection, warm it with one GET, post once and read the answer, against one plain epoll
server. Ours also fills templates, holds and releases last bytes, sorts each answer by its rules and
journals it all to disk. The two alternate, round by round; the CPU is that of this process alone.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks._measuring import machine, recorder, summary, versions
from harness.connections.secrets import Sources
from harness.journal.writer import Journal
from harness.model.address import Address
from harness.model.plan import BurstPart, BurstStep, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.burst import run_burst
from harness.traffic.operation import Operation

HEALTHZ = HttpCall(method="GET", path="/healthz")
WITHDRAW = Operation.compile(
    OperationPlan(
        name="withdraw",
        on="app",
        http=HttpCall(
            method="POST",
            path="/accounts/{account}/withdraw",
            headers={"Idempotency-Key": "{rid}"},
            json={"amount": "{amount}"},
            has_json=True,
        ),
        vars={"account": 1, "amount": 10},
        timeout=Duration.of_s(10),
        acknowledged="status == 200",
        rejected="status == 409",
    ),
    # Nothing is taken from outside: no placeholder asks for it.
    sources=Sources(env=str, file=str),
)
BODY = b'{"amount": 10}'
BARE_GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BARE_POST = (
    b"POST /accounts/1/withdraw HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


class Bare(asyncio.Protocol):
    """The least that speaks the same two requests: write, wait for the body's end, write, wait."""

    def __init__(self) -> None:
        self.received = b""
        self.answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.received.endswith(b"}") and self.answered is not None:
            self.answered.set_result(self.received)

    async def ask(self, request: bytes) -> bytes:
        self.received, self.answered = b"", asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]  # TCP's transports write
        return await self.answered


async def bare(port: int, size: int) -> None:
    loop = asyncio.get_running_loop()

    async def one() -> None:
        transport, protocol = await loop.create_connection(Bare, "127.0.0.1", port)
        await protocol.ask(BARE_GET)
        answer = await protocol.ask(BARE_POST)
        assert answer.startswith(b"HTTP/1.1 200")
        transport.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(one())


async def ours(
    port: int, size: int, round: int, journal: Journal, numbers: itertools.count
) -> None:
    await run_burst(
        BurstStep(
            id="burst",
            parts=(BurstPart(operation="withdraw", concurrency=size),),
            hold=Duration.of_ms(5),
        ),
        round=round,
        operations={"withdraw": WITHDRAW},
        address_of=lambda _: Address("127.0.0.1", port),
        values={"run": "benchmark", "variant": "none"},
        record=journal.record,
        numbers=numbers,
        warm={"app": HEALTHZ},
    )


async def measure(port: int, size: int, rounds: int, journal: Journal) -> tuple[list[float], ...]:
    """Microseconds of CPU an operation: ours, and bare."""
    numbers, mine, raw = itertools.count(1), [], []
    for number in range(rounds + 3):
        began = time.process_time_ns()
        await ours(port, size, number, journal, numbers)
        between = time.process_time_ns()
        await bare(port, size)
        ended = time.process_time_ns()
        # The first rounds pay for imports and caches on both sides.
        if number >= 3:
            mine.append((between - began) / size / 1000)
            raw.append((ended - between) / size / 1000)
    return mine, raw


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--size", type=int, default=50)
    chosen = options.parse_args()
    with (
        recorder(chosen.size) as (port, _),
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "journal.jsonl") as journal,
    ):
        mine, raw = asyncio.run(measure(port, chosen.size, chosen.rounds, journal))
    more = statistics.median(mine) - statistics.median(raw)
    print(f"CPU of one operation, in bursts of {chosen.size}, with a warm-up request each")
    print(f"  harness               {summary(mine, 'µs')}")
    print(f"  bare asyncio client   {summary(raw, 'µs')}")
    print(
        f"  more                  {more:.0f} µs, {statistics.median(mine) / statistics.median(raw):.2f}x (aim: at most 60 µs more)"
    )
    print(f"  {machine()}; {versions('harness', 'msgspec', 'httptools')}")


if __name__ == "__main__":
    main()
