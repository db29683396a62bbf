"""Leases as their owner asks for them; a server that has none says so by its 404."""

import json

import pytest

from harness.model.units import Duration
from harness.proxy.consumer import ProxyCallFailed, ProxyUnreachable
from harness.proxy.lease_client import LeaseServer
from tests.support.canned import Canned

TTL = Duration.of_s(2)
NOT_FOUND = (404, b'{"error":"lease not found","status":404}\n')


def test_open_when_granted_then_gives_the_id():
    with Canned({"POST /leases": (201, b'{"id":"l-7f3a","owner":"run 12","ttl":2000}')}) as canned:
        assert LeaseServer(canned.url).open(ttl=TTL, owner="run 12") == "l-7f3a"
    assert json.loads(canned.asked[0][2]) == {"ttl": 2000, "owner": "run 12"}


@pytest.mark.parametrize("status", [404, 405])
def test_open_when_the_server_is_a_toxiproxy_then_there_is_none(status: int):
    with Canned({"POST /leases": (status, b"404 page not found\n")}) as canned:
        assert LeaseServer(canned.url).open(ttl=TTL, owner="") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"id":"l-1"}'), (201, b"{}"), (201, b"[]"), (201, b"no json"), (500, b""), (400, b"")],
)
def test_open_when_the_answer_is_no_lease_then_it_failed(status: int, body: bytes):
    with Canned({"POST /leases": (status, body)}) as canned, pytest.raises(ProxyCallFailed):
        LeaseServer(canned.url).open(ttl=TTL, owner="")


def test_open_when_nobody_answers_then_is_unreachable():
    with Canned({}) as canned:
        gone = LeaseServer(canned.url)
    with pytest.raises(ProxyUnreachable):
        gone.open(ttl=TTL, owner="")


@pytest.mark.parametrize("there", [True, False])
def test_renew_and_close_when_it_has_ended_then_say_so(there: bool):
    answers = {
        "POST /leases/l-1": (200, b"{}") if there else NOT_FOUND,
        "DELETE /leases/l-1": (204, b"") if there else NOT_FOUND,
    }
    with Canned(answers) as canned:
        server = LeaseServer(canned.url)
        assert server.renew("l-1") is there
        assert server.close("l-1") is there


def test_renew_when_the_server_fails_then_is_not_taken_for_ended():
    with Canned({"POST /leases/l-1": (500, b"")}) as canned, pytest.raises(ProxyCallFailed):
        LeaseServer(canned.url).renew("l-1")
