"""A connection's two sides: turns, half-close, resets, ends. Sockets are made up; time is virtual."""

import asyncio
import errno
import gc
import socket
import weakref
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.breaker import IdCarrier
from harness.protocols.http_observer import HttpObserver
from harness.protocols.request_id import rid_of
from harness.proxy.connection import Connection, _Side
from harness.proxy.items import WakeAt
from harness.proxy.request_log import RequestLog
from harness.proxy.seat import PlainSeat
from harness.proxy.toxic import Toxic
from harness.proxy.toxics.latency import Latency
from harness.proxy.toxics.noop import Noop
from harness.proxy.toxics.timeout import Timeout
from harness.proxy.trigger import Shared, Trigger
from harness.proxy.turn_log import TurnLog
from tests.support import virtual_time
from tests.support.playbook import t


class FakeTransport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.written, self.ended, self.buffered, self.lingers = b"", None, 0, False
        self.eof, self.reading = False, True

    def write(self, data):
        self.written += data

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.eof = True

    def is_closing(self):
        return self.ended is not None

    def close(self):
        self.ended = self.ended or "closed"

    def abort(self):
        self.ended = "reset" if self.lingers else "aborted"

    def get_write_buffer_size(self):
        return self.buffered

    def get_extra_info(self, name, default=None):
        return self

    def setsockopt(self, level, option, _value):
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER)
        self.lingers = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Joined:
    """A connection whose both sides are up."""

    def __init__(self, *, dialled=True):
        self.log, self.gone = TurnLog(), []
        self.connection = Connection(
            1,
            self.log,
            self.gone.append,
            loop=asyncio.get_running_loop(),
            clock=virtual_time.now,
        )
        self.client, self.server = FakeTransport(), FakeTransport()
        self.client_side = _Side(self.connection, client=True)
        self.server_side = _Side(self.connection, client=False)
        self.client_side.connection_made(self.client)
        if dialled:
            self.server_side.connection_made(self.server)
            self.connection._running = False  # as ``run`` leaves it

    def ends(self):
        return [turn.end for turn in self.log.page(0, []).turns]


def joined(test):
    """Runs a test body in virtual time, with a joined connection."""

    def in_virtual_time():
        async def main():
            result = test(Joined())
            if asyncio.iscoroutine(result):
                await result

        virtual_time.run(main())

    in_virtual_time.__name__ = test.__name__
    in_virtual_time.__doc__ = test.__doc__
    return in_virtual_time


@joined
def test_bytes_when_exchanged_then_pass_and_make_a_turn(it):
    it.client_side.data_received(b"ask")
    it.server_side.data_received(b"answer")
    assert (it.server.written, it.client.written) == (b"ask", b"answer")
    assert it.ends() == ["answered"]
    assert (it.log.bytes_up, it.log.bytes_down) == (3, 6)


@joined
def test_toxic_when_it_acts_on_an_answer_of_several_reads_then_is_counted_once(it):
    counted = Shared(Trigger())

    class Noops:
        needs_upstream = cross = None

        def shared(self, toxic):
            return counted

    it.connection.toxics = Noops()
    it.connection.down.chain.add(PlainSeat("n", Noop({}, Random(1), {}), acting=True), t(0))
    for _ in range(3):
        it.client_side.data_received(b"ask")
        for piece in (b"ans", b"wer", b"."):
            it.server_side.data_received(piece)
    assert counted.injections == 3
    it.connection.toxics = None


@joined
def test_turn_when_a_toxic_of_a_silent_stream_ends_it_then_names_the_toxic(it):
    it.client_side.data_received(b"ask")
    timeout = Timeout({"timeout": 1}, Random(1), {})
    it.connection.down.deliver(
        it.connection.down.chain.add(PlainSeat("gone", timeout, acting=True), t(0))
    )
    it.connection.down.deliver(it.connection.down.chain.wake(t(1)))
    (turn,) = it.log.page(0, []).turns
    assert (turn.end, turn.injected) == ("cut", ("gone",))


@joined
def test_toxic_when_it_raises_as_it_is_woken_then_the_connection_is_reset(it):
    class Raises(Toxic):
        def feed(self, item, now):
            return (WakeAt(now),)

        def wake(self, now):
            raise RuntimeError("broken")

    it.connection.down.chain.add(PlainSeat("x", Raises({}, Random(1), {}), acting=True), t(0))
    it.server_side.data_received(b"answer")
    it.connection.down._wake()
    assert (it.client.ended, it.server.ended) == ("reset", "reset")


@joined
async def test_dial_when_anything_is_raised_then_only_this_connection_ends(it):
    class Loop:
        async def connect_accepted_socket(self, make, sock):
            raise ValueError("embedded null character")

    it.connection._loop = Loop()
    await it.connection.run(None, "h", 1)
    assert it.client.ended == "reset"


@joined
async def test_dial_when_given_up_just_as_it_was_made_then_nobody_waits_for_its_end(it):
    class Loop:
        async def connect_accepted_socket(self, make, sock):
            pass

        async def create_connection(self, make, host, port):
            make().connection_made(FakeTransport())
            raise TimeoutError  # as uvloop does it: no connection_lost follows

    it.connection._loop, it.connection._running = Loop(), True
    await it.connection.run(None, "h", 1)
    it.client_side.connection_lost(None)
    assert it.gone == [it.connection]


@joined
def test_half_close_when_the_client_sends_it_then_the_answer_still_passes(it):
    it.client_side.data_received(b"ask")
    assert it.client_side.eof_received() is True
    assert it.server.eof
    assert it.client.ended is None
    it.server_side.data_received(b"answer")
    it.server_side.eof_received()
    assert it.client.written == b"answer"
    assert (it.client.ended, it.server.ended) == ("closed", "closed")
    assert it.ends() == ["answered"]


@joined
def test_turn_when_the_client_leaves_then_is_abandoned(it):
    it.client_side.data_received(b"ask")
    it.client_side.eof_received()
    it.server_side.eof_received()
    assert it.ends() == ["abandoned"]


@joined
def test_turn_when_the_server_leaves_then_is_cut(it):
    it.client_side.data_received(b"ask")
    it.server_side.eof_received()
    assert it.client.eof
    assert it.ends() == ["cut"]


@joined
def test_turn_when_we_end_it_then_is_cut(it):
    it.client_side.data_received(b"ask")
    it.connection.end()
    assert it.ends() == ["cut"]
    assert (it.client.ended, it.server.ended) == ("aborted", "aborted")


@joined
def test_reset_when_the_client_aborts_then_the_server_is_reset_and_the_turn_abandoned(it):
    it.client_side.data_received(b"ask")
    it.client_side.connection_lost(ConnectionResetError())
    assert it.server.ended == "reset"
    assert it.ends() == ["abandoned"]


@joined
def test_reset_when_the_server_aborts_then_the_client_is_reset_and_the_turn_cut(it):
    it.client_side.data_received(b"ask")
    it.server_side.connection_lost(ConnectionResetError())
    assert it.client.ended == "reset"
    assert it.ends() == ["cut"]


@joined
async def test_reset_when_bytes_are_still_being_written_then_waits_for_them_but_not_for_ever(it):
    it.client.buffered = 10
    it.server_side.connection_lost(ConnectionResetError())
    assert it.client.ended is None
    await asyncio.sleep(0.5)  # noqa: TID251 - virtual time
    assert it.client.ended is None
    await asyncio.sleep(0.6)  # noqa: TID251 - virtual time
    assert it.client.ended == "reset"


@joined
def test_reset_when_the_fin_had_passed_before_then_is_told_too(it):
    it.server_side.eof_received()
    it.server_side.connection_lost(BrokenPipeError())
    assert it.client.ended == "reset"


@joined
def test_gone_when_both_sockets_are_closed_then_is_told_once(it):
    it.connection.end()
    it.connection.end()
    it.client_side.connection_lost(None)
    assert it.gone == []
    it.server_side.connection_lost(None)
    assert it.gone == [it.connection]


@joined
def test_side_when_its_buffer_is_full_then_the_other_is_not_read(it):
    it.client_side.pause_writing()
    assert not it.server.reading
    assert it.client.reading
    it.client_side.resume_writing()
    assert it.server.reading
    it.server_side.pause_writing()
    assert not it.client.reading
    it.server_side.resume_writing()
    assert it.client.reading


class Loop:
    """Takes the accepted socket; dials as the test says."""

    def __init__(self, it, dial):
        self.it, self.dial = it, dial

    async def connect_accepted_socket(self, _factory, _sock):
        return None

    async def create_connection(self, _factory, _host, _port):
        await self.dial()


def run_dialling(dial, meanwhile=lambda _it: None):
    async def main():
        it = Joined(dialled=False)
        it.connection._loop = Loop(it, dial)
        async with asyncio.TaskGroup() as group:
            began = virtual_time.now()
            group.create_task(it.connection.run(None, "h", 1))
            await asyncio.sleep(0)  # noqa: TID251 - lets the dial begin
            await asyncio.sleep(0)  # noqa: TID251 - lets the dial begin
            meanwhile(it)
        it.client_side.connection_lost(None)
        return it, virtual_time.now() - began

    return virtual_time.run(main())


async def hang():
    await asyncio.Event().wait()


async def refuse():
    raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")


def test_dial_when_refused_then_the_client_is_closed():
    it, _ = run_dialling(refuse)
    assert it.client.ended == "aborted"
    assert it.gone == [it.connection]


def test_dial_when_it_hangs_then_is_given_up_after_ten_seconds():
    async def dial():
        await asyncio.sleep(60)  # noqa: TID251 - virtual time

    it, took = run_dialling(dial)
    assert it.client.ended == "aborted"
    assert took.in_s == pytest.approx(10)


def test_dial_when_the_connection_is_ended_then_is_cancelled():
    it, took = run_dialling(hang, lambda it: it.connection.end())
    assert it.client.ended == "aborted"
    assert took.in_s == 0
    assert it.gone == [it.connection]


def test_dial_when_the_client_aborts_then_is_cancelled_and_its_turn_abandoned():
    def abort(it):
        it.client_side.data_received(b"ask")
        it.client_side.connection_lost(ConnectionResetError())

    it, took = run_dialling(hang, abort)
    assert took.in_s == 0
    assert it.ends() == ["abandoned"]
    assert it.gone == [it.connection]


@joined
def test_connection_when_gone_then_is_freed_without_a_collector(it):
    left = weakref.ref(it.connection)
    it.client_side.data_received(b"ask")
    it.connection.end()
    gc.disable()
    try:
        for side in (it.client_side, it.server_side):
            side.connection_lost(None)
        assert it.gone.pop() is left()
        del it.connection, it.client_side, it.server_side, side
        assert left() is None
    finally:
        gc.enable()


# Observed


REQUEST = b"GET / HTTP/1.1\r\nX-Request-Id: r1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\nand so on"


def observed(it):
    """The log of an observer that looks at the connection from its beginning."""
    log = RequestLog()
    it.connection.observer = HttpObserver(log, rid_of(IdCarrier()), conn=1)
    return log


def told(log):
    return [(one.rid, one.end, one.status, one.began) for one in log.page(0, [])["requests"]]


def acts(it, toxic, name="it", down=True):
    link = it.connection.down if down else it.connection.up
    link.deliver(link.chain.add(PlainSeat(name, toxic, acting=True), t(0)))


@joined
def test_request_when_answered_then_is_told_with_the_toxics_of_its_turn(it):
    log = observed(it)
    acts(it, Noop({}, Random(1), {}))
    for _ in range(2):
        it.client_side.data_received(REQUEST)
        it.server_side.data_received(ANSWER)
    ended = log.page(0, [])["requests"]
    assert [(one.seq, one.end, one.injected) for one in ended] == [
        (1, "answered", ("it",)),
        (2, "answered", ("it",)),
    ]


@joined
async def test_request_when_it_arrives_then_is_stamped_before_a_toxic_holds_it(it):
    log = observed(it)
    acts(it, Latency({"latency": 400, "jitter": 0}, Random(1), {}), down=False)
    acts(it, Latency({"latency": 300, "jitter": 0}, Random(1), {}))
    it.client_side.data_received(REQUEST)
    began = virtual_time.now().ns
    await asyncio.sleep(0.5)  # noqa: TID251 - virtual time
    it.server_side.data_received(ANSWER)
    assert (it.server.written, it.client.written) == (REQUEST, b"")
    await asyncio.sleep(0.5)  # noqa: TID251 - virtual time
    (one,) = log.page(0, [])["requests"]
    assert (one.arrived, one.ended - began) == (began, 800_000_000)


@pytest.mark.parametrize("how", ["eof_received", "connection_lost"])
def test_request_when_the_client_leaves_then_is_abandoned_at_once(how):
    @joined
    def then(it):
        log = observed(it)
        it.client_side.data_received(REQUEST)
        getattr(it.client_side, how)(*([None] if how == "connection_lost" else []))
        assert told(log) == [("r1", "abandoned", None, False)]

    then()


@joined
def test_request_when_the_server_leaves_then_is_cut_by_it_once_the_client_sees_that(it):
    log = observed(it)
    acts(it, Latency({"latency": 300, "jitter": 0}, Random(1), {}))
    it.client_side.data_received(REQUEST)
    it.server_side.data_received(ANSWER[:-1])
    it.server_side.eof_received()
    assert told(log) == []
    it.connection.down.deliver(it.connection.down.chain.wake(t(300)))
    assert told(log) == [("r1", "downstream-cut", 200, True)]


@joined
def test_request_when_the_server_aborts_then_is_cut_by_it(it):
    log = observed(it)
    it.client_side.data_received(REQUEST)
    it.server_side.connection_lost(ConnectionResetError())
    assert told(log) == [("r1", "downstream-cut", None, False)]


@joined
def test_request_when_we_end_the_connection_then_is_cut_by_us_whoever_closes_after(it):
    log = observed(it)
    it.client_side.data_received(REQUEST)
    it.connection.end()
    it.server_side.connection_lost(None)
    it.client_side.connection_lost(None)
    assert told(log) == [("r1", "cut", None, False)]
    assert it.connection.observer is None


@joined
def test_request_when_its_answer_lasts_until_the_close_then_is_answered_by_that(it):
    log = observed(it)
    it.client_side.data_received(REQUEST)
    it.server_side.data_received(ENDLESS)
    assert told(log) == []
    it.server_side.eof_received()
    assert told(log) == [("r1", "answered", 200, True)]


def test_request_when_the_dial_fails_then_is_cut_by_the_other_side():
    logs = []

    async def fails():
        await asyncio.sleep(1)  # noqa: TID251 - virtual time
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    def ask(it):
        logs.append(observed(it))
        it.client_side.data_received(REQUEST)

    run_dialling(fails, ask)
    assert told(logs[0]) == [("r1", "downstream-cut", None, False)]


@joined
def test_peer_when_the_client_is_there_then_is_its_port(it):
    assert it.connection.peer is None, "not every transport knows it"
    it.client.get_extra_info = lambda name: {"peername": ("127.0.0.1", 4242)}[name]
    assert it.connection.peer == 4242
    it.client_side.connection_lost(None)
    assert it.connection.peer is None


SAID = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(
            st.sampled_from([REQUEST, REQUEST[:9], ANSWER, ENDLESS, b"\r\n", b"0\r\n\r\n"])
            | st.binary(min_size=1, max_size=9),
            min_size=1,
            max_size=3,
        ).map(b"".join),
    ),
    max_size=8,
)


@given(SAID)
def test_bytes_when_observed_then_pass_as_without_an_observer(said):
    @joined
    def then(it):
        log = observed(it)
        for client, data in said:
            (it.client_side if client else it.server_side).data_received(data)
        assert it.server.written == b"".join(data for client, data in said if client)
        assert it.client.written == b"".join(data for client, data in said if not client)
        it.connection.end()
        assert all(one.ended is not None for one in log.page(0, [])["requests"])

    then()
