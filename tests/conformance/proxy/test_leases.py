"""E-01 to E-07 and E-16: leases, toxics that remove themselves, and bounded connections. Ours alone."""

import contextlib
import subprocess
import sys

import pytest

from harness.model.units import Duration
from tests.conformance.proxy.conftest import case
from tests.support.sockets import Peer, refused
from tests.support.timing import AT_ONCE, at_once, clock, within
from tests.support.waiting import until_sync

SOON = Duration.of_s(5)
TTL = 400
RENEWED = 1_200  # a slow machine still renews it in time
OLD_PROXY = ["name", "listen", "upstream", "enabled", "toxics"]
OLD_TOXIC = ["attributes", "name", "type", "stream", "toxicity"]

# Owns a lease with a toxic, renews it six times in its ttl, and says which it is.
OWNER = """
import http.client, json, sys, threading
port, ttl = int(sys.argv[1]), int(sys.argv[2])
def call(path, body):
    api = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    api.request("POST", path, json.dumps(body))
    return json.loads(api.getresponse().read())
lease = call("/leases", {"ttl": ttl, "owner": "doomed"})["id"]
call("/proxies/a/toxics", {"type": "latency", "name": "t", "lease": lease,
                           "attributes": {"latency": 200}})
print(lease, flush=True)
while True:
    threading.Event().wait(ttl / 6000)
    call("/leases/" + lease, {})
"""


def lease(api, ttl=60_000, **more):
    reply = api.post("/leases", {"ttl": ttl, **more})
    assert reply.status == 201, reply
    return reply.json()["id"]


def gone(api, path):
    """Milliseconds until ``path`` is 404."""
    began = clock()
    until_sync(lambda: api.get(path).status == 404, within=SOON, what=f"{path} is gone")
    return clock() - began


@pytest.fixture
def proxy(ours, echo):
    """The path of a proxy ``a`` with an echo behind it."""
    ours.create("a", echo.address)
    yield "/proxies/a"
    for lease_id in ours.get("/leases").json():
        ours.delete(f"/leases/{lease_id}")


@case("E-01")
def test_client_when_it_knows_no_lease_then_sees_no_key_of_those_of_others(ours, proxy):
    """What is attached is another's; a renewal, an end and a leased neighbour show nowhere else."""
    one = lease(ours)
    ours.toxic("a", name="theirs", lease=one)
    ours.toxic("a", name="mine")
    assert list(ours.get(proxy).json()) == OLD_PROXY
    mine = ours.get(f"{proxy}/toxics/mine").json()
    assert list(mine) == OLD_TOXIC
    assert list(ours.patch(f"{proxy}/toxics/mine", {"toxicity": 0.5}).json()) == OLD_TOXIC
    ours.delete(f"/leases/{one}")
    assert [toxic["name"] for toxic in ours.get(f"{proxy}/toxics").json()] == ["mine"]
    assert ours.delete(f"{proxy}/toxics/mine").status == 204


@case("E-02", effect=True)
@pytest.mark.slow
@pytest.mark.serial  # bounds on real time
def test_lease_when_its_owner_is_killed_then_the_toxic_goes_and_the_connection_lives(ours, proxy):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(ours.port), str(RENEWED)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with contextlib.closing(owner.stdout), ours.connect("a") as client:
        one = owner.stdout.readline().strip()
        for _ in range(7):  # longer than the ttl
            assert client.round_trip().in_ms >= 200
        assert ours.get(f"/leases/{one}").json()["owner"] == "doomed"
        owner.kill()
        killed = clock()
        owner.wait(timeout=10)
        gone(ours, f"{proxy}/toxics/t")
        assert clock() - killed <= RENEWED + AT_ONCE
        assert at_once(client.round_trip().in_ms)
        assert ours.get(f"/leases/{one}").says(404, "lease not found")


@case("E-03")
@pytest.mark.slow
def test_lease_when_renewed_at_half_time_then_the_toxic_stays(ours, proxy):
    one = lease(ours, RENEWED)
    ours.toxic("a", name="t", lease=one)
    for renewal in range(20):
        until_sync(
            lambda: ours.get(f"/leases/{one}").json()["expires_in"] <= RENEWED / 2,
            within=SOON,
            what="half of it is over",
        )
        call = ours.post if renewal % 2 else ours.patch
        assert call(f"/leases/{one}", {}).json()["expires_in"] > RENEWED * 0.8
        assert ours.get(f"{proxy}/toxics/t").status == 200
    assert gone(ours, f"{proxy}/toxics/t") >= RENEWED * 0.5


@case("E-04")
def test_lease_when_deleted_then_all_is_undone_before_the_answer(ours, proxy, echo):
    one = lease(ours)
    ours.toxic("a", name="t", lease=one)
    theirs = ours.create("theirs", echo.address, lease=one)
    listen = ours.patch(proxy, {"enabled": False, "lease": one}).json()["listen"]
    attached = ours.get(f"/leases/{one}").json()
    assert attached["proxies"] == ["theirs"]
    assert attached["toxics"] == [{"proxy": "a", "toxic": "t"}]
    assert attached["disabled"] == ["a"]
    reply = ours.delete(f"/leases/{one}")
    assert (reply.status, reply.body) == (204, b"")
    found = ours.get("/proxies").json()
    assert list(found) == ["a"]
    assert (found["a"]["enabled"], found["a"]["toxics"]) == (True, [])
    assert refused(theirs["listen"])
    with Peer.connect(listen) as client:
        client.round_trip()
    assert ours.delete(f"/leases/{one}").says(404, "lease not found")


@case("E-05")
@pytest.mark.slow
@pytest.mark.serial  # bounds on real time
def test_lease_when_it_disabled_a_proxy_then_it_is_enabled_again(ours, proxy):
    began = clock()
    one = lease(ours, TTL)
    with ours.connect("a") as client:
        client.round_trip()
        listen = ours.patch(proxy, {"enabled": False, "lease": one}).json()["listen"]
        assert client.ending() == "eof"
    assert refused(listen)
    until_sync(lambda: not refused(listen), within=SOON, what="it listens again")
    assert within(clock() - began, TTL, AT_ONCE)
    assert ours.get(proxy).json()["enabled"] is True


@case("E-05")
def test_lease_when_somebody_changed_enabled_since_then_leaves_it(ours, proxy):
    one = lease(ours)
    ours.patch(proxy, {"enabled": False, "lease": one})
    ours.patch(proxy, {"enabled": True})
    ours.patch(proxy, {"enabled": False})
    assert ours.delete(f"/leases/{one}").status == 204
    assert ours.get(proxy).json()["enabled"] is False


@case("E-06")
def test_call_when_its_lease_is_unknown_then_404_and_nothing_is_created(ours, proxy, echo):
    before = ours.get("/proxies").json()
    wanted = {"name": "b", "upstream": echo.address, "listen": "127.0.0.1:0", "lease": "l-none"}
    for reply in (
        ours.post("/proxies", wanted),
        ours.post("/populate", [{**wanted, "name": "c", "lease": None}, wanted]),
        ours.post(f"{proxy}/toxics", {"type": "latency", "lease": "l-none"}),
        ours.patch(proxy, {"enabled": False, "lease": "l-none"}),
    ):
        assert reply.says(404, "lease not found")
    assert ours.get("/proxies").json() == before


@case("E-07")
@pytest.mark.slow
@pytest.mark.serial  # bounds on real time
def test_toxic_when_its_duration_is_over_then_is_gone(ours, proxy):
    with ours.connect("a") as client:
        began = clock()
        made = ours.toxic("a", name="t", duration=300, attributes={"latency": 5_000})
        assert made["duration"] == 300
        assert 0 < made["expires_in"] <= 300
        client.send(b"held")
        gone(ours, f"{proxy}/toxics/t")
        assert within(clock() - began, 300, AT_ONCE)
        assert client.receive(4) == b"held"
        assert clock() - began <= 300 + AT_ONCE
    assert ours.get(f"{proxy}/toxics/t").says(404, "toxic not found")


@case("E-16")
def test_clients_when_there_is_room_for_two_then_the_third_is_closed_and_two_live(ours, echo):
    made = ours.create("a", echo.address, max_connections=2)
    assert list(made) == [*OLD_PROXY, "max_connections"]
    with ours.connect("a") as one, ours.connect("a") as two:
        one.round_trip()
        two.round_trip()
        with ours.connect("a") as third:
            assert third.ending() == "eof"
        one.round_trip()
        two.round_trip()
        one.close()
        until_sync(lambda: served(ours), within=SOON, what="there is room again")
        assert "max_connections" not in ours.patch("/proxies/a", {"max_connections": None}).json()
        assert all(served(ours) for _ in range(3))
        two.round_trip()


def served(api):
    with api.connect("a") as client, contextlib.suppress(OSError):
        client.send(b"x")
        return client.receive(1) == b"x"
    return False
