"""Arrivals against real services: rates that are kept or honestly counted, and races that they find."""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from harness.model.address import Address
from harness.model.events import (
    ArrivalsFinished,
    ArrivalsStarted,
    OperationReturned,
    OperationSent,
)
from harness.model.outcomes import Acknowledged
from harness.model.plan import ArrivalsStep, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.traffic.arrivals import run_arrivals
from harness.traffic.operation import Operation
from tests.support.bank import a_bank
from tests.support.cli import harness, left_behind
from tests.support.sources import sources_at
from tests.support.web import web

S10 = Duration.of_s(10)

# A service with a loop and a core of its own: ours must not wait for its answers to be made.
SERVICE = """
import asyncio

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.had = transport, b""

    def data_received(self, data):
        self.had += data
        while b"\\r\\n\\r\\n" in self.had:
            self.had = self.had.partition(b"\\r\\n\\r\\n")[2]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def a_service() -> Iterator[Address]:
    with Popen([sys.executable, "-c", SERVICE], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Address("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.kill()


async def arrive(address: Address, **changes: Any) -> list[Any]:
    events: list[Any] = []
    known: dict[str, Any] = {"id": "look", "operation": "look", "cap": 500, **changes}
    plan = OperationPlan(
        name="look", on="app", http=HttpCall(method="GET", path="/look/{n}"), timeout=S10
    )
    await run_arrivals(
        ArrivalsStep(**known),
        round=1,
        operations={"look": Operation.compile(plan, sources=sources_at())},
        address_of=lambda service: address,
        values={},
        record=events.append,
        numbers=itertools.count(1),
    )
    return events


def of(events: list[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.serial
def test_arrivals_when_two_thousand_a_second_then_all_are_sent_and_every_delay_is_counted() -> None:
    with a_service() as address:
        events = asyncio.run(arrive(address, rate=2_000, lasts=Duration.of_s(1), cap=2_000))
    (started,), (finished,) = of(events, ArrivalsStarted), of(events, ArrivalsFinished)
    sent, returned = of(events, OperationSent), of(events, OperationReturned)
    assert (started.planned, finished.sent + finished.dropped) == (2_000, 2_000)
    assert finished.dropped == 0
    assert len(sent) == len(returned) == 2_000
    assert {event.outcome for event in returned} == {Acknowledged()}
    assert [event.due.ns - started.first.ns for event in sent] == [
        k * 500_000 for k in range(2_000)
    ]
    late = sorted((event.sent - event.due).ns for event in sent)
    assert late[0] >= 0
    assert finished.late_max.ns == late[-1]
    assert finished.late_p99.ns == late[1_979]
    # The machine may be slow; a loop that waited for answers would be behind by far more.
    assert finished.late_max < Duration.of_ms(800)


@pytest.mark.serial
def test_arrivals_when_the_server_ends_what_idles_then_none_fails() -> None:
    async def main() -> tuple[list[Any], int]:
        async with web(keeps=False) as server:
            events = await arrive(server.address, rate=5, lasts=Duration.of_s(1))
            return events, server.connections

    events, connections = asyncio.run(main())
    assert [event.outcome for event in of(events, OperationReturned)] == [Acknowledged()] * 5
    assert connections == 5


ARRIVALS = {
    "burst: {operation: withdraw, concurrency: 50}": (
        "arrivals: {operation: withdraw, rate: 200/s, for: 500ms}"
    )
}


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.engine("postgres")
@pytest.mark.parametrize(("variant", "verdict"), [("naive", "violated"), ("atomic", "held")])
def test_a_bank_when_withdrawals_arrive_at_a_rate_then_its_race_is_found_or_excluded(
    tmp_path: Path, variant: str, verdict: str
) -> None:
    file = a_bank(tmp_path, experiment=ARRIVALS)
    ran = harness("run", file, "--variant", variant, "--json", cwd=tmp_path, within=150)
    assert ran.code == 0, ran
    (run,) = ran.json["runs"]
    assert (run["verdict"], run["as_expected"]) == (verdict, True), run["reason"]
    (found,) = ran.result["bursts"]
    assert (found["id"], found["concurrency"], found["spread_ms_p50"]) == ("withdraw", 100, None)
    assert found["overlap"] >= 2
    arrived = [event for event in ran.events if isinstance(event, ArrivalsFinished)]
    assert all(event.sent + event.dropped == 100 for event in arrived)
    assert left_behind(ran.folders) == []
