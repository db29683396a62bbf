"""Lists of proxies: all or none, and each mistake at its place."""

import asyncio

import pytest

from harness.proxy.clock import now
from harness.proxy.listing import addresses, bind_all, blueprints, entries
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server
from harness.proxy.states import ProxySpec, Refused, ToxicSpec
from tests.support.listening import without_sockets


@pytest.fixture
def ports():
    with without_sockets() as made:
        yield made


@pytest.fixture
def present(ports):
    """The proxies ``a`` and ``off``, of which the second does not listen."""
    loop = asyncio.new_event_loop()
    server = Server(Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0))
    loop.run_until_complete(server.create(spec("a", listen="127.0.0.1:5000")))
    loop.run_until_complete(server.create(spec("off", listen="127.0.0.1:6000", enabled=False)))
    yield {proxy.name: proxy for proxy in server.proxies()}
    loop.close()


def spec(name, upstream="x:1", listen="127.0.0.1:0", **more):
    return ProxySpec(name=name, upstream=upstream, listen=listen, **more)


def entered(specs, present):
    listed = blueprints(specs)
    return entries(listed, asyncio.run(addresses(listed)), present)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (spec("a"), "name: a is twice in the list, at proxy 2 again"),
        (spec("b", upstream=""), "missing required field: upstream at proxy 2"),
        (spec("b", toxics=(ToxicSpec(),)), "invalid toxic type"),
        (spec("b", listen="garbage"), "listen: address garbage"),
        (spec("b", listen="127.0.0.1:9", upstream="127.0.0.1:9"), "upstream: 127.0.0.1:9"),
        (spec("b", listen="127.0.0.1:5000"), "listen tcp 127.0.0.1:5000: bind"),
    ],
)
def test_list_when_one_is_wrong_then_is_refused_at_its_place_and_no_socket_stays(
    present, ports, wrong, says
):
    before = set(ports.taken)
    with pytest.raises(Refused) as refused:
        bind_all(entered([spec("a", listen="127.0.0.1:7000"), wrong], present))
    assert str(refused.value).startswith(says)
    assert refused.value.place == 2
    assert ports.taken == before


def test_entry_when_the_proxy_is_there_with_these_addresses_then_is_kept(present):
    kept, other, moved = entered(
        [
            spec("a", listen="127.0.0.1:5000", extensions={"lease": "l-1"},
                 toxics=(ToxicSpec(type="noop", extensions={"lease": "l-2"}),)),
            spec("b"),
            spec("off", listen="127.0.0.1:6001"),
        ],
        present,
    )  # fmt: skip
    assert (kept.kept, other.kept, moved.kept) == (True, False, False)
    assert kept.leases() == ("l-1",), "its toxics are not made"
    assert other.leases() == (None,)


@pytest.mark.parametrize(
    ("asked", "needs"),
    [
        (spec("a", listen="127.0.0.1:5000"), False),
        (spec("a", "y:1", "127.0.0.1:5000"), False),
        (spec("a"), True),
        (spec("b"), True),
        (spec("b", enabled=False), False),
        (spec("off", "y:1", "127.0.0.1:6000"), True),
    ],
    ids=["kept", "its own address", "a new one", "new", "disabled", "was disabled"],
)
def test_entry_when_it_is_to_listen_then_needs_a_socket_unless_it_takes_one_over(
    present, asked, needs
):
    (entry,) = entered([asked], present)
    assert entry.needs_socket is needs
