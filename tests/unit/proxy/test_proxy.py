"""One proxy: its toxics and what a caller sees of it. Traffic is for the conformance suite."""

import asyncio

import pytest

from harness.proxy.addresses import Listen
from harness.proxy.clock import now
from harness.proxy.proxy import Proxy, Surroundings, new_toxic
from harness.proxy.states import Refused, ToxicSpec


@pytest.fixture
def proxy():
    loop = asyncio.new_event_loop()
    around = Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0)
    one = Proxy("a", listen="127.0.0.1:0", upstream="127.0.0.1:1", around=around)
    yield one
    one.disable()
    loop.close()


def test_proxy_when_enabled_then_shows_where_it_listens(proxy):
    assert (proxy.enabled, proxy.listen) == (False, "127.0.0.1:0")
    proxy.enable(Listen("127.0.0.1", 0))
    assert proxy.enabled
    assert not proxy.listen.endswith(":0")
    pinned = proxy.listen
    proxy.disable()
    assert (proxy.enabled, proxy.listen) == (False, pinned)


def test_toxic_when_changed_then_only_what_is_given(proxy):
    proxy.add_toxic(ToxicSpec(type="latency", attributes={"latency": 5}))
    after = proxy.change_toxic("latency_downstream", ToxicSpec(attributes={"jitter": 9}))
    assert (after.attributes, after.toxicity) == ({"latency": 5, "jitter": 9}, 1.0)
    assert proxy.toxics == [after]


def test_toxic_when_change_is_refused_then_is_as_before(proxy):
    before = proxy.add_toxic(ToxicSpec(type="latency"))
    with pytest.raises(Refused, match=r"^jitter: "):
        proxy.change_toxic(before.name, ToxicSpec(attributes={"latency": 1, "jitter": 2**62}))
    assert proxy.toxics == [before]


def test_toxics_when_removed_then_none_is_found(proxy):
    proxy.add_toxic(ToxicSpec(type="latency"))
    proxy.remove_toxics()
    with pytest.raises(Refused, match="toxic not found"):
        proxy.toxic("latency_downstream")


@pytest.mark.parametrize(
    ("spec", "status", "message"),
    [
        (ToxicSpec(type="nope", stream="sideways", name="t"), 400, "stream was invalid"),
        (ToxicSpec(type="nope", name="t"), 400, "invalid toxic type"),
        (ToxicSpec(type="latency", name="t", attributes={"latency": 2**63 - 1}), 409, "exists"),
        (ToxicSpec(type="latency", name="u", attributes={"latency": 2**63 - 1}), 400, "latency: "),
        (ToxicSpec(type="latency", name=".."), 400, "name: "),
    ],
)
def test_new_toxic_when_several_things_are_wrong_then_complains_in_order(spec, status, message):
    with pytest.raises(Refused, match=message) as refused:
        new_toxic(spec, {"t"})
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("upstream", "dialled"),
    [("h:5", ("h", 5)), (":5", ("localhost", 5)), ("garbage", ("", 0)), ("http://x/", ("", 0))],
)
def test_upstream_when_no_address_then_cannot_be_dialled(proxy, upstream, dialled):
    proxy.upstream = upstream
    assert proxy._upstream() == dialled


def test_turns_when_nothing_has_passed_then_the_page_is_empty(proxy):
    page = proxy.turns(0)
    assert (page.turns, page.next, page.connections) == ((), 0, 0)
