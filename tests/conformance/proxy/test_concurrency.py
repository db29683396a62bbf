"""TX-170 to TX-177 and TX-181: many callers at once, toxics under traffic, readers that stall."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.conformance.proxy.conftest import case
from tests.support.sockets import refused
from tests.support.timing import SLACK, at_once, clock, within


def side_by_side(count, call):
    """The sorted statuses of ``count`` equal calls."""
    with ThreadPoolExecutor(count) as pool:
        return sorted(reply.status for reply in pool.map(lambda _: call(), range(count)))


@case("TX-170")
def test_equal_calls_when_at_once_then_one_wins(api):
    body = {"name": "a", "upstream": "x:1", "listen": "127.0.0.1:0"}
    toxic = {"type": "latency", "name": "t"}
    assert side_by_side(20, lambda: api.post("/proxies", body)) == [201] + [409] * 19
    assert side_by_side(20, lambda: api.post("/proxies/a/toxics", toxic)) == [200] + [409] * 19
    assert side_by_side(20, lambda: api.delete("/proxies/a")) == [204] + [404] * 19


@case("TX-171")
def test_proxies_when_a_hundred_are_made_at_once_then_all_are_there(api):
    with ThreadPoolExecutor(25) as pool:
        list(pool.map(lambda number: api.create(f"p{number}", "x:1"), range(100)))
    assert len(api.get("/proxies").json()) == 100


def under_traffic(api, change):
    """Calls ``change`` for 3 s, while eight connections of proxy ``a`` compare each byte they get.

    The contract has 10 s; a server that fails does so within the first hundred calls.
    """
    stop = threading.Event()

    def talk(number):
        count = 0
        with api.connect("a") as client:
            while not stop.is_set():
                data = bytes((number + count + place) % 256 for place in range(999))
                client.send(data)
                assert client.receive(len(data)) == data
                count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        talks = [pool.submit(talk, number) for number in range(8)]
        try:
            end, calls = clock() + 3000, 0
            while clock() < end:
                calls += change()
        finally:
            stop.set()
        assert all(talk.result() > 10 for talk in talks)
    return calls


@case("TX-172")
@pytest.mark.slow
def test_toxics_when_they_come_and_go_under_traffic_then_no_byte_is_wrong(api, echo):
    api.create("a", echo.address)
    lag = {"latency": 3, "jitter": 3}

    def change():
        api.toxic("a", name="one", stream="upstream", attributes=lag)
        api.toxic("a", "noop", name="two")
        api.toxic("a", name="three", attributes=lag)
        assert api.patch("/proxies/a/toxics/one", {"attributes": {"latency": 1}}).status == 200
        for name in ("one", "two", "three"):
            assert api.delete(f"/proxies/a/toxics/{name}").status == 204
        return 7

    assert under_traffic(api, change) >= 100


@case("TX-173")
@pytest.mark.slow
def test_toxics_when_of_every_kind_and_reset_under_traffic_then_no_byte_is_wrong(ours, echo):
    ours.create("a", echo.address)
    kinds = {
        "latency": {"latency": 2, "jitter": 2},
        "slow_close": {"delay": 50},
        "bandwidth": {"rate": 20_000},
        "slicer": {"average_size": 300, "size_variation": 100, "delay": 10},
        "noop": {},
    }
    draws = Random(173)

    def change():
        names = list(kinds)
        draws.shuffle(names)
        for name in names:
            stream = draws.choice(["upstream", "downstream"])
            ours.toxic("a", name, name=name, stream=stream, attributes=kinds[name])
        if draws.random() < 0.3:
            assert ours.post("/reset").status == 204
            return len(names) + 1
        draws.shuffle(names)
        for name in names:
            assert ours.delete(f"/proxies/a/toxics/{name}").status == 204
        return 2 * len(names)

    assert under_traffic(ours, change) >= 200


@case("TX-174", effect=True)
@pytest.mark.serial  # bounds real time from above
def test_toxic_when_added_to_and_removed_from_an_open_connection_then_acts_at_once(api, echo):
    api.create("a", echo.address)
    with api.connect("a") as client:
        for _ in range(2):
            assert at_once(client.round_trip().in_ms)
            api.toxic("a", name="t", attributes={"latency": 800})
            assert within(client.round_trip().in_ms, 800)
            api.delete("/proxies/a/toxics/t")


def flood(server):
    """Sends until the other end takes no more."""
    server.sock.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 100 << 20:
            sent += server.sock.send(b"x" * 65536)
    server.sock.settimeout(10)
    return sent


@case("TX-175")
@pytest.mark.serial  # bounds real time from above
def test_toxic_when_added_before_a_stalled_reader_then_no_call_waits(ours, upstream):
    ours.create("a", upstream.address)
    with ours.connect("a"), upstream.accept() as server:
        flood(server)
        began = clock()
        ours.toxic("a", name="t", attributes={"latency": 10})
        assert ours.get("/proxies").status == 200
        with ours.connect("a"), upstream.accept():
            pass
        assert clock() - began < 1000 + SLACK


@case("TX-176")
@pytest.mark.serial  # bounds real time from above
def test_reader_when_it_dies_stalled_then_nothing_hangs(ours, upstream):
    ours.create("a", upstream.address)
    client, server = ours.connect("a"), upstream.accept()
    flood(server)
    ours.toxic("a", name="t", attributes={"latency": 10})
    client.close()
    began = clock()
    assert ours.get("/proxies/a").status == 200
    assert ours.delete("/proxies/a/toxics/t").status == 204
    assert clock() - began < 1000 + SLACK
    server.close()


@case("TX-177")
@pytest.mark.slow
@pytest.mark.serial  # bounds real time from above
@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 50}),
        ("latency", {"latency": 60_000}),
        ("bandwidth", {"rate": 100}),
        ("slicer", {"average_size": 1000, "delay": 100}),
    ],
)
def test_toxic_when_removed_before_a_stalled_reader_then_nothing_is_lost(
    ours, upstream, kind, attributes
):
    ours.create("a", upstream.address)
    ours.toxic("a", kind, name="t", attributes=attributes)
    with ours.connect("a") as client, upstream.accept() as server:
        sent = flood(server)
        began = clock()
        assert ours.delete("/proxies/a/toxics/t").status == 204
        assert clock() - began < 1000 + SLACK
        server.finish()
        assert len(client.rest()) == sent


# The statuses that the contract has for each call.
EXPECTED = {
    "create": {201, 409, 500},
    "delete": {204, 404},
    "toggle": {200, 404, 500},
    "move": {200, 404, 500},
    "populate": {201, 500},
    "reset": {204, 500},
    "list": {200},
}


class Caller:
    """Draws calls on three proxies, makes them, and says which answers were not to be expected."""

    def __init__(self, api, upstream, seed):
        self._api = api
        self._upstream = upstream
        self._draws = Random(seed)

    def proxy(self):
        name = self._draws.choice("abc")
        return {"name": name, "upstream": self._upstream, "listen": "127.0.0.1:0"}

    def call(self, kind):
        api, proxy = self._api, self.proxy()
        path = f"/proxies/{proxy['name']}"
        return {
            "create": lambda: api.post("/proxies", proxy),
            "delete": lambda: api.delete(path),
            "toggle": lambda: api.patch(path, {"enabled": self._draws.random() < 0.5}),
            "move": lambda: api.patch(path, {"listen": proxy["listen"]}),
            "populate": lambda: api.post("/populate", [proxy]),
            "reset": lambda: api.post("/reset"),
            "list": lambda: api.get("/proxies"),
        }[kind]()

    def run(self, until):
        """How many calls were made, the longest of them, and what was wrong."""
        count, longest, wrong = 0, 0.0, []
        while clock() < until:
            kind = self._draws.choice(list(EXPECTED))
            began = clock()
            status = self.call(kind).status
            longest = max(longest, clock() - began)
            count += 1
            if status not in EXPECTED[kind]:
                wrong.append((kind, status))
        return count, longest, wrong


@case("TX-181")
@pytest.mark.slow
@pytest.mark.serial  # bounds real time from above
def test_proxies_when_eight_callers_change_them_at_random_then_they_stay_true(daemon, echo):
    """3 s where the contract has 8: a thousand calls and more all the same."""
    api = daemon().api  # of its own: a server that gets stuck takes no other case with it
    until = clock() + 3000
    with ThreadPoolExecutor(8) as pool:
        callers = [Caller(api, echo.address, seed) for seed in range(8)]
        results = list(pool.map(lambda caller: caller.run(until), callers))
    assert sum(count for count, _, _ in results) > 200
    assert [wrong for _, _, some in results for wrong in some] == []
    assert max(longest for _, longest, _ in results) < 2000 + SLACK
    proxies = list(api.get("/proxies").json().values())
    for proxy in proxies:
        assert refused(proxy["listen"]) is not proxy["enabled"]
    if not api.real:  # the original loses track of some listeners and leaves them open
        expected = 1 + sum(proxy["enabled"] for proxy in proxies)
        assert listeners(api) == expected


def listeners(api):
    """How many sockets the server listens on."""
    return sum(c.status == "LISTEN" for c in api.process().net_connections("tcp"))
