"""One proxy: its toxics, who gets in, and what a caller sees. Traffic is for the conformance suite."""

import asyncio
import socket
import struct
from types import SimpleNamespace

import pytest

from harness.model.units import Duration, Instant
from harness.proxy.addresses import Listen
from harness.proxy.blueprint import changed_toxic, new_toxic
from harness.proxy.connection import Connection
from harness.proxy.items import WakeAt
from harness.proxy.limits import ConnectionLimit
from harness.proxy.proxy import Proxy, Surroundings
from harness.proxy.states import Refused, ToxicSpec
from harness.proxy.toxic import Toxic
from harness.proxy.toxics import TOXICS
from harness.proxy.wire import WireAttribute
from tests.support.virtual_time import VirtualTimeLoop

FREE = Listen("127.0.0.1", 0)


@pytest.fixture
def proxy():
    loop, broken = VirtualTimeLoop(), []
    loop.set_exception_handler(lambda _, context: broken.append(context))
    around = Surroundings(
        loop=loop,
        clock=lambda: Instant.of_ns(round(loop.time() * 1e9)),
        spawn=lambda task: task.close(),
        seed=0,
        limit=ConnectionLimit(3),
    )
    one = Proxy("a", listen="127.0.0.1:0", address=FREE, upstream="127.0.0.1:1", around=around)
    yield one
    assert broken == []
    one.end()
    loop.close()


def latency(**more):
    return new_toxic(ToxicSpec(type="latency", **more), set())


def wait(proxy, milliseconds):
    loop = proxy._around.loop
    loop.run_until_complete(asyncio.sleep(milliseconds / 1_000))  # noqa: TID251 - virtual time


def change(proxy, **extensions):
    spec = ToxicSpec(extensions=extensions)
    proxy.change_toxic(changed_toxic(proxy.toxics[0], spec), given=extensions)


def test_proxy_when_enabled_then_shows_where_it_listens(proxy):
    assert (proxy.enabled, proxy.listen) == (False, "127.0.0.1:0")
    proxy.enable()
    assert proxy.enabled
    pinned = proxy.listen
    assert not pinned.endswith(":0")
    proxy.disable()
    assert (proxy.enabled, proxy.listen) == (False, pinned)
    proxy.enable()
    assert proxy.listen == pinned


def test_toxic_when_changed_then_only_what_is_given(proxy):
    proxy.add_toxic(latency(attributes={"latency": 5}))
    after = changed_toxic(proxy.toxics[0], ToxicSpec(attributes={"jitter": 9}))
    proxy.change_toxic(after)
    assert (after.attributes, after.toxicity) == ({"latency": 5, "jitter": 9}, 1.0)
    assert proxy.toxics == [after]


def test_toxics_when_removed_then_none_is_found(proxy):
    proxy.add_toxic(latency())
    proxy.remove_toxics()
    with pytest.raises(Refused, match="toxic not found"):
        proxy.toxic("latency_downstream")


# Counting and lifetimes


def test_count_when_skip_or_first_is_given_then_begins_anew_and_else_goes_on(proxy):
    proxy.add_toxic(latency(extensions={"skip": 1, "first": 2}))
    shared = proxy.shared["latency_downstream"]

    def hits(times):
        trigger = shared.trigger
        return [trigger.decide(lambda: 0.0, 1.0, inside=trigger.enter()) for _ in range(times)]

    assert hits(4) == [False, True, True, False]
    change(proxy, seed=3)
    assert (hits(1), shared.trigger.hit) == ([False], 2)
    change(proxy, first=1)
    assert (hits(3), shared.trigger.hit) == ([False, True, False], 1)
    change(proxy, skip=None, first=None)
    assert hits(3) == [True, True, True]


def test_toxic_when_its_duration_is_over_then_is_gone(proxy):
    proxy.add_toxic(latency(extensions={"duration": 300}))
    wait(proxy, 299)
    assert proxy.toxic_left("latency_downstream") == Duration.of_ms(1)
    wait(proxy, 1)
    assert proxy.toxics == []
    assert proxy.shared == {}


def test_duration_when_given_again_then_counts_from_there_and_from_nothing_else(proxy):
    proxy.add_toxic(latency(extensions={"duration": 300}))
    wait(proxy, 200)
    change(proxy, skip=1)
    assert proxy.toxic_left("latency_downstream") == Duration.of_ms(100)
    change(proxy, duration=300)
    wait(proxy, 200)
    assert len(proxy.toxics) == 1
    change(proxy, duration=None)
    wait(proxy, 1_000)
    assert proxy.toxic_left("latency_downstream") is None
    assert len(proxy.toxics) == 1


def test_duration_when_the_toxic_was_replaced_meanwhile_then_leaves_the_new_one_alone(proxy):
    proxy.add_toxic(latency(extensions={"duration": 300}))
    proxy.add_toxic(latency(name="other", extensions={"duration": 300}))
    proxy.remove_toxic("latency_downstream")
    proxy.remove_toxic("other")
    proxy.add_toxic(latency())
    wait(proxy, 1_000)
    assert len(proxy.toxics) == 1


def test_proxy_when_ended_then_no_timer_is_left(proxy):
    proxy.add_toxic(latency(extensions={"duration": 300}))
    proxy.end()
    wait(proxy, 1_000)
    assert len(proxy.toxics) == 1, "what is no proxy any more is not touched"


def test_tallies_when_a_toxic_goes_then_keep_what_it_did(proxy):
    proxy.add_toxic(latency())
    proxy.shared["latency_downstream"].injections = 4
    proxy.remove_toxic("latency_downstream")
    (found,) = proxy.tallies()
    assert found.injections == 4


# Who gets in


class Socket(SimpleNamespace):
    def __init__(self):
        super().__init__(closed=False, lingers=None)

    def setsockopt(self, _level, option, value):
        assert option == socket.SO_LINGER
        self.lingers = struct.unpack("ii", value)

    def close(self):
        self.closed = True


def accept(proxy, count):
    """How many of so many clients were closed at once."""
    sockets = [Socket() for _ in range(count)]
    for sock in sockets:
        proxy._accepted(sock)
    return sum(sock.closed for sock in sockets)


def test_clients_when_more_than_the_proxy_takes_then_are_closed_and_counted(proxy):
    proxy.max_connections = 2
    assert accept(proxy, 5) == 3
    assert (len(proxy.connections), proxy.refused, proxy.log.connections) == (2, 3, 2)
    proxy.gone(next(iter(proxy.connections)))
    assert accept(proxy, 2) == 1
    proxy.max_connections = None
    assert accept(proxy, 1) == 0


def test_clients_when_more_than_the_server_takes_then_are_closed_whichever_proxy_it_is(proxy):
    other = Proxy("b", listen="", address=FREE, upstream="x:1", around=proxy._around)
    assert accept(proxy, 2) == 0
    assert accept(other, 3) == 2
    assert (proxy.refused, other.refused) == (0, 2)
    for connection in tuple(proxy.connections):
        proxy.gone(connection)
        proxy.gone(connection)  # told twice, counted once
    assert proxy._around.limit.open == 1
    assert accept(other, 5) == 3


@pytest.mark.parametrize(
    ("upstream", "dialled"),
    [
        ("h:5", ("h", 5)),
        (":5", ("localhost", 5)),
        ("garbage", ("", 0)),
        ("http://x/", ("", 0)),
        ("h:--5", ("", 0)),
        ("h\0:5", ("", 0)),
    ],
)
def test_upstream_when_no_address_then_cannot_be_dialled(proxy, upstream, dialled):
    proxy.upstream = upstream
    assert (proxy.upstream, proxy._dialled) == (upstream, dialled)
    assert accept(proxy, 1) == 0
    assert len(proxy.connections) == proxy._around.limit.open == 1


def test_upstream_when_its_port_is_a_service_then_is_looked_up_once(proxy, monkeypatch):
    asked = []
    monkeypatch.setattr("socket.getservbyname", lambda *name: asked.append(name) or 80)
    proxy.upstream = "h:http"
    accept(proxy, 3)
    assert (asked, proxy._dialled) == ([("http", "tcp")], ("h", 80))


# Toxics of somebody else's making, which raise


class Foreign(Toxic):
    """Raises where ``raises`` says, on the connections that ``spared`` does not name."""

    kind = "foreign"
    summary = "One of a plug-in."
    raises = ""
    spared = ()
    made = 0

    def __init__(self, values, draws, common):
        super().__init__(values, draws, common)
        type(self).made += 1
        self._number = self.made
        self._at("made")

    def start(self, _now):
        self._at("started")
        return ()

    def update(self, values, now):
        self._at("updated")
        return super().update(values, now)

    def remove(self, _now):
        self._at("removed")
        return ()

    def _at(self, where):
        if self.raises == where and self._number not in self.spared:
            raise ZeroDivisionError(where)


class Waking(Toxic):
    """Asks to be woken in an hour."""

    kind = "waking"
    summary = "One of a plug-in."

    def start(self, now):
        return (WakeAt(now + Duration.of_s(3_600)),)


@pytest.fixture
def foreign(monkeypatch):
    kind = type("OneTest", (Foreign,), {})
    kinds = {**TOXICS, "foreign": kind, "waking": Waking}
    monkeypatch.setattr(TOXICS, "_found", kinds)
    return kind


def toxic_of(kind, **more):
    return new_toxic(ToxicSpec(type=kind, name=kind, **more), set())


def resets(monkeypatch):
    """The numbers of the connections that are reset from now on."""
    numbers = []
    real = Connection.end

    def end(connection, *, reset=False):
        if reset:
            numbers.append(connection.number)
        real(connection, reset=reset)

    monkeypatch.setattr(Connection, "end", end)
    return numbers


@pytest.mark.parametrize("where", ["made", "started"])
def test_client_when_a_toxic_raises_for_it_then_is_reset_and_takes_no_room(
    proxy, foreign, capsys, where
):
    foreign.raises = where
    proxy.add_toxic(toxic_of("waking"))
    proxy.add_toxic(toxic_of("foreign"))
    sockets = [Socket() for _ in range(5)]
    for sock in sockets:
        proxy._accepted(sock)
    assert [(sock.closed, sock.lingers) for sock in sockets] == [(True, (1, 0))] * 5
    assert (proxy._around.limit.open, proxy.connections, proxy.refused) == (0, {}, 0)
    assert all(timer.cancelled() for timer in proxy._around.loop._scheduled)
    err = capsys.readouterr().err
    assert "Toxic foreign of proxy a: raised on connection 5" in err
    assert f"ZeroDivisionError: {where}" in err
    proxy.remove_toxic("foreign")
    assert accept(proxy, 1) == 0


def test_toxic_when_it_raises_on_one_connection_then_is_added_to_all_others(
    proxy, foreign, monkeypatch, capsys
):
    accept(proxy, 3)
    foreign.raises, foreign.spared = "started", (1, 3)
    reset = resets(monkeypatch)
    proxy.add_toxic(toxic_of("foreign"))
    assert reset == [2]
    assert proxy.toxic_names() == set(proxy.shared) == {"foreign"}
    assert [applied is None for applied in proxy.connections.values()] == [False, True, False]
    assert capsys.readouterr().err.count("Traceback") == 1
    # The one that is ending is left alone from here on, and is counted until it is gone.
    proxy.change_toxic(changed_toxic(proxy.toxics[0], ToxicSpec(toxicity=0)))
    proxy.remove_toxic("foreign")
    assert capsys.readouterr().err == ""
    assert proxy._around.limit.open == 3
    for connection in tuple(proxy.connections):
        proxy.gone(connection)
    assert proxy._around.limit.open == 0


def test_toxic_when_it_raises_while_it_is_changed_then_the_change_stands(
    proxy, foreign, monkeypatch, capsys
):
    accept(proxy, 2)
    foreign.raises, foreign.spared = "updated", (2,)
    foreign.wire = (WireAttribute(name="size"),)
    reset = resets(monkeypatch)
    proxy.add_toxic(toxic_of("foreign"))
    after = changed_toxic(proxy.toxics[0], ToxicSpec(attributes={"size": 5}))
    proxy.change_toxic(after)
    assert (reset, proxy.toxics) == ([1], [after])
    assert "ZeroDivisionError: updated" in capsys.readouterr().err


def test_toxic_when_it_raises_while_it_is_removed_then_is_gone_everywhere(
    proxy, foreign, monkeypatch, capsys
):
    accept(proxy, 3)
    foreign.raises, foreign.spared = "removed", (1, 3)
    reset = resets(monkeypatch)
    proxy.add_toxic(toxic_of("foreign"))
    proxy.remove_toxic("foreign")
    assert reset == [2]
    assert (proxy.toxics, proxy.shared) == ([], {})
    assert [tally.toxic for tally in proxy.tallies()] == ["foreign"]
    assert "ZeroDivisionError: removed" in capsys.readouterr().err


def test_turns_when_nothing_has_passed_then_the_page_is_empty(proxy):
    page = proxy.turns(0)
    assert (page.turns, page.next, page.connections) == ((), 0, 0)
