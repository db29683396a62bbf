"""Every fault from its line of YAML to what the wire says of it: on our own proxy, and before a foreign one.

Whole runs and their verdicts are ``test_faults_end_to_end.py``; here a service, a proxy and a few
clients are enough, so that every kind has its turn.
"""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.assembly import vocabulary
from harness.experiment.load import load
from harness.faults.fault import HopOnProxy, now
from harness.faults.known import extensions_needed, kinds
from harness.model.address import Address
from harness.model.events import FaultSeen, FaultUndone
from harness.model.plan import FaultStep
from harness.model.units import Duration
from harness.proxy.client import ProxyServer
from harness.runner.rollback import ActiveFaults
from harness.runner.wire import Watched, Wire
from tests.support.servers import original, ours
from tests.support.waiting import until

CLIENTS = 4
# What a client waits for an answer that comes, or for its connection's end, on a busy machine.
PATIENCE = Duration.of_s(30)
# And for one that never does; a message that is only late must not look like it.
SHORT = Duration.of_s(2)
NEVER_ANSWERED = ("timeout: 0s", "blackhole_after: 1", "corrupt: 50B")
WITHIN = Duration.of_s(30)

FILE = """experiment: wire
target:
  target: shop
  services: {{app: {{url: "http://127.0.0.1:1"}}}}
  hops: {{web: {{to: app, listen: "127.0.0.1:2"}}}}
  operations: {{buy: {{http: GET /, on: app}}}}
  probes: {{left: {{http: GET /left, value: json.left, on: app}}}}
method:
  - fault: {{on: web, {fault}}}
  - burst: {{operation: buy, concurrency: 2}}
invariants: {{fits: {{at_end: left >= 0}}}}
"""


class Answers(BaseHTTPRequestHandler):
    """Head and body in two writes, as many services do; the connection stays open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "600")
        self.end_headers()
        self.wfile.write(b"x" * 600)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Cut connections are what these tests are about."""


@pytest.fixture(scope="module")
def service() -> Iterator[Address]:
    server = Service(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Address("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    with ours("-seed", "1") as daemon:
        yield f"http://{daemon.api.host}:{daemon.api.port}"


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    with original() as daemon:
        yield f"http://{daemon.api.host}:{daemon.api.port}"


@dataclass(frozen=True, slots=True)
class Hop:
    """Where clients go, and what a fault is put on."""

    listen: Address
    where: HopOnProxy


@contextmanager
def a_hop(own: str, service: Address, foreign: str | None = None) -> Iterator[Hop]:
    """On our own proxy, or on a foreign one with a hop of ours before it."""
    behind = service
    if foreign is not None:
        state = ProxyServer(foreign).create("web", upstream=service.text())
        behind = Address.parse(state.listen)
    listen = Address.parse(ProxyServer(own).create("web", upstream=behind.text()).listen)
    try:
        yield Hop(
            listen,
            HopOnProxy(
                admin=foreign or own,
                proxy="web",
                observed="before" if foreign else "here",
                watch_admin=own,
                watch_proxy="web",
            ),
        )
    finally:
        for admin in filter(None, (own, foreign)):
            ProxyServer(admin).delete("web")


def the_steps(folder: Path, *faults: str) -> list[FaultStep]:
    """What is written in YAML, as the plan has it."""
    file = folder / "wire.yaml"
    text = FILE.format(fault=faults[0])
    for more in faults[1:]:
        text = text.replace("  - burst", f"  - fault: {{on: web, {more}}}\n  - burst")
    file.write_text(text)
    (plan,) = load([file], kinds=vocabulary(), seed=1, rounds=None, time_limit=None)
    return list(plan.faults)


def ask(listen: Address, patience: Duration, *, requests: int = 2) -> None:
    """A client's connection: requests one after another, as far as they get."""
    connection = http.client.HTTPConnection(listen.host, listen.port, timeout=patience.in_s)
    with suppress(OSError, http.client.HTTPException):
        for number in range(requests):
            connection.request("GET", "/", headers={"X-Request-Id": str(number)})
            connection.getresponse().read()
    connection.close()


def patience_under(fault: str) -> Duration:
    return SHORT if fault in NEVER_ANSWERED else PATIENCE


async def look(
    hop: Hop, *steps: FaultStep, idle: int = 0, patience: Duration = PATIENCE
) -> tuple[list[FaultSeen], list[Any]]:
    """One round: faults on, clients, faults off. ``idle`` connections are open before."""
    events: list[Any] = []
    faults = ActiveFaults(events.append, owner="test", seed=1)
    wire = Wire({"web": Watched(hop="web", admin=hop.where.watch_admin, proxy="web")})
    watched = ProxyServer(hop.where.watch_admin)
    waiting = [http.client.HTTPConnection(hop.listen.host, hop.listen.port) for _ in range(idle)]
    for each in waiting:
        each.request("GET", "/")
        each.getresponse().read()
    await wire.begin()
    try:
        for step in steps:
            await faults.apply(step, hop.where, round=1)
        await faults.before_release()
        since = now()
        faults.released(since, round=1)
        with ThreadPoolExecutor(CLIENTS) as clients:
            asked = [clients.submit(ask, hop.listen, patience) for _ in range(CLIENTS)]
            await asyncio.wrap_future(asked[-1])
            await asyncio.to_thread(lambda: [each.result() for each in asked])
        for each in waiting:
            each.close()
        if all(step.kind != "timeout" for step in steps):
            await until(
                lambda: _is_quiet(watched), within=WITHIN, what="all connections have ended"
            )
    finally:
        await faults.undo_all()
        await faults.give_up_leases()
    await wire.finish(round=1, since=since, record=events.append)
    return faults.seen_in(1, lambda _hop: wire.turns("web", since=since)), events


def _is_quiet(watched: ProxyServer) -> bool:
    page = watched.turns("web")
    return not page.held and all(turn.end != "open" for turn in page.turns)


# Each with how many of 4 connections with 2 requests each bear its trace: on our own proxy, and as
# seen by a hop before a foreign one (None: it cannot be put there; 0: it cannot be seen there). A
# client that gets half an answer may dial again, so some are ranges.
EVERY = [
    pytest.param("latency: 40ms", 8, 8, id="latency"),
    pytest.param("latency: 40ms, stream: upstream", 8, 8, id="latency-upstream"),
    pytest.param("latency: 40ms, jitter: 5ms, distribution: pareto", 8, None, id="latency-pareto"),
    pytest.param("latency: 40ms, per: request, codec: http, first: 3", 3, None, id="latency-first"),
    pytest.param("latency: 40ms, skip: 3", 2, None, id="latency-skip"),
    pytest.param(
        "latency: 40ms, match: {header: x-request-id, values: ['1', other]}",
        4,
        None,
        id="latency-match",
    ),
    pytest.param("bandwidth: 10KB/s", 8, 0, id="bandwidth"),
    pytest.param("bandwidth: 50KB/s, shared: true", 8, None, id="bandwidth-shared"),
    pytest.param("slow_close: 50ms", 4, 0, id="slow_close"),
    pytest.param("timeout: 0s", 4, 4, id="timeout-silent"),
    pytest.param("timeout: 100ms", 4, 4, id="timeout"),
    pytest.param("timeout: 100ms, stream: upstream", 4, 4, id="timeout-upstream"),
    pytest.param("reset_peer: 0s", 4, 4, id="reset_peer"),
    pytest.param("limit_data: 50B", range(4, 9), 0, id="limit_data"),
    pytest.param("limit_data: 0B", 4, 4, id="limit_data-nothing"),
    pytest.param("limit_data: 1KiB", 4, 0, id="limit_data-in-a-later-body"),
    pytest.param("slicer: {average_size: 64B, delay: 10us}", 8, 0, id="slicer"),
    pytest.param("noop: true", 8, 0, id="noop"),
    pytest.param("http_status: 503", 8, None, id="http_status"),
    pytest.param("http_status: 503, skip: 3, first: 2", 2, None, id="http_status-two"),
    pytest.param("http_status: {forward: true}", 8, None, id="http_status-forward"),
    pytest.param("blackhole_after: 1", 4, None, id="blackhole_after"),
    pytest.param("cut: {messages: 0}", 4, None, id="cut-messages"),
    pytest.param("cut: 1KiB, how: close", 4, None, id="cut-bytes"),
    pytest.param("cut: {after: 1ms}", 4, None, id="cut-after"),
    pytest.param("trickle: 20ms", 8, None, id="trickle"),
    pytest.param("corrupt: 50B", range(4, 9), None, id="corrupt"),
]


@pytest.mark.parametrize(("fault", "hit", "_outside"), EVERY)
def test_fault_when_on_our_own_proxy_then_the_proxys_word_and_the_turns_show_it(
    tmp_path: Path, own: str, service: Address, fault: str, hit: int | range, _outside: int | None
):
    (step,) = the_steps(tmp_path, fault)
    with a_hop(own, service) as hop:
        (seen,), events = asyncio.run(look(hop, step, patience=patience_under(fault)))
    assert seen.hit in (hit if isinstance(hit, range) else [hit]) and seen.missed == 0, seen
    assert [(e.found, e.as_applied) for e in events if isinstance(e, FaultUndone)] == [(True, True)]


@pytest.mark.engine("toxiproxy")
@pytest.mark.parametrize(
    ("fault", "_own", "hit"), [each for each in EVERY if each.values[2] is not None]
)
def test_fault_when_before_a_foreign_proxy_then_only_what_shows_outside_is_seen(
    tmp_path: Path, own: str, service: Address, foreign: str, fault: str, _own: object, hit: int
):
    (step,) = the_steps(tmp_path, fault)
    assert extensions_needed(step) == ()
    with a_hop(own, service, foreign) as hop:
        (seen,), events = asyncio.run(look(hop, step, patience=patience_under(fault)))
    assert seen.missed == 0, seen
    assert seen.hit == hit, seen
    assert bool(seen.unseen) is (not hit), seen
    assert [(e.found, e.as_applied) for e in events if isinstance(e, FaultUndone)] == [(True, True)]


@pytest.mark.parametrize("fault", [each.values[0] for each in EVERY if each.values[2] is None])
def test_fault_when_a_toxiproxy_does_not_know_it_then_that_is_known_beforehand(
    tmp_path: Path, fault: str
):
    (step,) = the_steps(tmp_path, fault)
    assert extensions_needed(step)


def test_every_kind_when_it_can_stand_in_yaml_then_is_tried_here():
    tried = {str(each.values[0]).partition(":")[0] for each in EVERY}
    assert tried | {"down"} == set(kinds())


def test_down_when_connections_are_open_then_they_show_it_and_it_listens_again(
    tmp_path: Path, own: str, service: Address
):
    (step,) = the_steps(tmp_path, "down: true")
    with a_hop(own, service) as hop:
        (seen,), _ = asyncio.run(look(hop, step, idle=3))
        assert (seen.hit, seen.of) == (3, "connection")
        (again,), _ = asyncio.run(look(hop, step))
        assert again.hit == 0 and "nobody sees who dials a closed port" in again.unseen


@pytest.mark.engine("toxiproxy")
def test_down_when_before_a_foreign_proxy_then_whoever_dials_shows_it(
    tmp_path: Path, own: str, service: Address, foreign: str
):
    (step,) = the_steps(tmp_path, "down: true")
    with a_hop(own, service, foreign) as hop:
        (seen,), events = asyncio.run(look(hop, step))
        assert (seen.hit, seen.of) == (CLIENTS, "connection")
        assert [e.found for e in events if isinstance(e, FaultUndone)] == [True]
        (other,) = the_steps(tmp_path, "latency: 40ms")
        (seen,), _ = asyncio.run(look(hop, other))
        assert seen.hit == 2 * CLIENTS  # it listens again


def test_faults_when_several_of_one_kind_are_on_one_hop_then_each_is_seen(
    tmp_path: Path, own: str, service: Address
):
    steps = the_steps(tmp_path, "latency: 20ms", "latency: 10ms", "latency: 5ms, stream: upstream")
    assert [step.id for step in steps] == ["latency@web", "latency@web#2", "latency@web#3"]
    with a_hop(own, service) as hop:
        seen, events = asyncio.run(look(hop, *steps))
    assert [(each.hit, each.missed) for each in seen] == [(8, 0)] * 3
    undone = [e.fault for e in events if isinstance(e, FaultUndone)]
    assert undone == ["latency@web#3", "latency@web#2", "latency@web"]
