"""Rules across proxies, beside a plain model of them: a refused call changed nothing."""

import asyncio
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.clock import now
from harness.proxy.listener import bind
from harness.proxy.proxy import Surroundings
from harness.proxy.server import Server
from harness.proxy.states import ProxySpec, Refused, ToxicSpec


@contextmanager
def server():
    loop = asyncio.new_event_loop()
    one = Server(Surroundings(loop=loop, clock=now, spawn=lambda _task: None, seed=0))
    try:
        yield one, loop.run_until_complete
    finally:
        one.refuse_all()
        loop.close()


def spec(name="a", upstream="x:1", listen="127.0.0.1:0", **more):
    return ProxySpec(name=name, upstream=upstream, listen=listen, **more)


def picture(one):
    return [(p.name, p.listen, p.upstream, p.enabled, list(p.toxics)) for p in one.proxies()]


def test_create_when_refused_then_nothing_is_left():
    with server() as (one, run):
        run(one.create(spec()))
        before = picture(one)
        for wrong in (
            spec(),
            spec("b", upstream=""),
            spec("b", listen="garbage"),
            spec("b", listen=before[0][1]),
            spec("b", toxics=(ToxicSpec(type="latency"), ToxicSpec(type="latency"))),
            spec("b", listen="127.0.0.1:9", upstream="127.0.0.1:9"),
        ):
            with pytest.raises(Refused):
                run(one.create(wrong))
        assert picture(one) == before


def test_update_when_the_port_stays_but_the_host_changes_then_moves():
    with server() as (one, run):
        listen = run(one.create(spec())).listen
        port = listen.rpartition(":")[2]
        assert run(one.update("a", ProxySpec(listen=f":{port}"))).listen in {
            f"[::]:{port}",
            f"0.0.0.0:{port}",
        }
        assert run(one.update("a", ProxySpec(listen=f"127.0.0.1:{port}"))).listen == listen


def test_update_when_it_cannot_move_then_still_listens_where_it_did():
    with server() as (one, run):
        run(one.create(spec()))
        before, listener = picture(one), one.proxy("a")._listener
        with pytest.raises(Refused, match="cannot assign requested address"):
            run(one.update("a", ProxySpec(listen="192.0.2.1:0", upstream="y:1")))
        assert picture(one) == before
        assert one.proxy("a")._listener is listener


def test_populate_when_one_cannot_listen_then_every_socket_is_given_back():
    with server() as (one, run):
        bound = []

        def keep(address):
            bound.append(bind(address))
            return bound[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.proxy.binding.bind", keep)
            with pytest.raises(Refused):
                run(one.populate([spec("a"), spec("b"), spec("c", listen="192.0.2.1:0")]))
        assert [sock.fileno() for sock, _ in bound] == [-1, -1]
        assert picture(one) == []


def test_update_when_enabling_fails_then_upstream_is_as_before():
    with server() as (one, run):
        taken = run(one.create(spec("b"))).listen
        run(one.create(spec(listen=taken, enabled=False)))
        before = picture(one)
        with pytest.raises(Refused, match="address already in use"):
            run(one.update("a", ProxySpec(enabled=True, upstream="y:1")))
        assert picture(one) == before


def test_populate_when_one_moves_onto_its_own_old_address_then_works():
    with server() as (one, run):
        listen = run(one.create(spec())).listen
        (after,) = run(one.populate([spec(upstream="y:1", listen=listen)]))
        assert (after.listen, after.upstream, after.enabled) == (listen, "y:1", True)
        assert one.proxy("a") is after


def test_populate_when_a_predecessor_listens_there_then_its_socket_goes_over_and_none_is_bound():
    with server() as (one, run):
        kept = run(one.create(spec())).listen
        other = run(one.create(spec("b"))).listen
        sock = one.proxy("a")._listener._sock
        before = one.proxy("a"), one.proxy("b")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.proxy.binding.bind", lambda _: pytest.fail("no need to bind"))
            run(
                one.populate(
                    [
                        spec(upstream="y:1", listen=kept),
                        spec("b", upstream="y:1", listen=other, enabled=False),
                    ]
                )
            )
        after = one.proxy("a")
        assert after is not before[0]
        assert after._listener._sock is sock
        assert after._listener.accepted == after._accepted
        assert (after.listen, after.address.text(), sock.fileno() > 0) == (kept, kept, True)
        assert [gone.enabled for gone in before] == [False, False]
        assert not one.proxy("b").enabled


@pytest.mark.parametrize("how", ["populate", "delete"])
def test_proxy_when_it_goes_then_is_ended_for_good(how):
    with server() as (one, run):
        run(one.create(spec()))
        gone = one.proxy("a")
        one.add_toxic("a", ToxicSpec(type="latency", extensions={"duration": 60_000}))
        if how == "populate":
            run(one.populate([spec(upstream="y:1")]))
        else:
            one.delete("a")
        assert not gone.enabled
        assert gone.toxic_left("latency_downstream") is None


def test_reset_when_one_cannot_listen_then_the_others_are_reset_and_it_is_named():
    with server() as (one, run):
        taken = run(one.create(spec("b"))).listen
        run(one.create(spec("a", listen=taken, enabled=False)))
        one.add_toxic("b", ToxicSpec(type="latency"))
        with pytest.raises(Refused, match=r"^a: listen tcp") as refused:
            one.reset()
        assert refused.value.status == 500
        assert one.proxy("b").toxics == []


NAMES = st.sampled_from(["a", "b", "c", "", ".."])
LISTENS = st.sampled_from(["127.0.0.1:0", "garbage", "192.0.2.1:0", "taken", None])
SPECS = st.builds(
    ProxySpec,
    name=NAMES,
    upstream=st.sampled_from(["x:1", "y:1", ""]),
    listen=LISTENS,
    enabled=st.sampled_from([True, False, None]),
    toxics=st.sampled_from([(), (ToxicSpec(type="latency"),), (ToxicSpec(type="nope"),)]),
)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), SPECS),
        st.tuples(st.just("update"), NAMES, SPECS),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("populate"), st.lists(SPECS, max_size=3)),
    ),
    max_size=12,
)


@given(CALLS)
def test_calls_when_arbitrary_then_a_refused_one_changed_nothing_and_enabled_is_true(calls):
    with server() as (one, run):
        blocker = run(one.create(spec("blocker"))).listen

        def real(asked):
            return replace(asked, listen=blocker) if asked.listen == "taken" else asked

        for call in calls:
            before = picture(one)
            try:
                match call:
                    case ("create", asked):
                        run(one.create(real(asked)))
                    case ("update", name, asked):
                        run(one.update(name, real(asked)))
                    case ("delete", name):
                        one.delete(name)
                    case ("populate", asked):
                        run(one.populate([real(entry) for entry in asked]))
            except Refused:
                assert picture(one) == before
            for proxy in one.proxies():
                assert proxy.enabled is (proxy._listener is not None)
                assert not (proxy.enabled and proxy.listen.endswith(":0"))
