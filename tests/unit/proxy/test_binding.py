"""Getting sockets: the new address first, and the old one back when there is none."""

import asyncio

import pytest

from harness.proxy.addresses import Listen
from harness.proxy.binding import bound, bound_beside, refuse_circle, resolved
from harness.proxy.clock import now
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.states import Refused
from tests.support.listening import without_sockets

HERE = Listen("127.0.0.1", 5_000)


@pytest.fixture
def ports():
    with without_sockets() as made:
        yield made


@pytest.fixture
def proxy(ports):
    loop = asyncio.new_event_loop()
    around = Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0)
    one = Proxy("a", listen="", address=HERE, upstream="x:1", around=around)
    one.enable()
    yield one
    loop.close()


@pytest.mark.parametrize(
    ("listen", "status", "words"),
    [
        ("garbage", 400, "listen: address garbage: missing port"),
        ("no.host.invalid:1", 500, "lookup"),
    ],
)
def test_address_when_there_is_none_then_says_whose_fault_it_is(listen, status, words):
    with pytest.raises(Refused, match=words) as refused:
        asyncio.run(resolved(listen))
    assert refused.value.status == status


def test_bound_when_taken_then_500(ports):
    bound(HERE)
    with pytest.raises(Refused, match="address already in use") as refused:
        bound(HERE)
    assert refused.value.status == 500


def test_beside_when_the_port_is_another_then_the_proxy_listens_on(proxy, ports):
    _, address = bound_beside(proxy, Listen("127.0.0.1", 0))
    assert ports.taken == {HERE.text(), address.text()}
    assert proxy.enabled


def test_beside_when_somebody_else_has_it_then_the_proxy_listens_on(proxy, ports):
    ports.taken.add("127.0.0.1:6000")
    with pytest.raises(Refused, match="address already in use"):
        bound_beside(proxy, Listen("127.0.0.1", 6_000))
    assert proxy.enabled


def test_beside_when_its_own_port_is_in_the_way_then_gives_it_up_for_that(proxy, ports):
    bound_beside(proxy, HERE)
    assert not proxy.enabled
    assert ports.taken == {HERE.text()}


def test_beside_when_its_own_port_is_not_all_that_is_in_the_way_then_listens_again(proxy, ports):
    ports.taken.add("[::]:5000")
    with pytest.raises(Refused, match="address already in use"):
        bound_beside(proxy, Listen("", 5_000))
    assert proxy.enabled
    assert (proxy.listen, ports.taken) == (HERE.text(), {HERE.text(), "[::]:5000"})


def test_circle_when_a_proxy_would_dial_itself_then_is_refused():
    refuse_circle(HERE, "127.0.0.1:5001")
    with pytest.raises(Refused, match="own listen address") as refused:
        refuse_circle(HERE, "127.0.0.1:5000")
    assert refused.value.status == 400
