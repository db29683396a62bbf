"""Observing a proxy: when it begins and ends, on which connections, and what its page has."""

import asyncio

from harness.model.breaker import IdCarrier
from harness.proxy.observing import Observing
from tests.support import virtual_time

ASK = b"GET /p HTTP/1.1\r\nx-request-id: r1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class FakeConnection:
    def __init__(self, number, latest=0):
        self.number, self.peer, self.held = number, 4000 + number, 10
        self.observer, self.codec = None, self
        self.latest = latest

    def exchange(self, turn):
        if self.observer is not None:
            self.observer.taken_in(ASK, turn, turn)
            self.observer.passed_on(OK, turn)


def observing(test):
    """Runs a test body with an observing and two connections, the second in its third turn."""

    def in_virtual_time():
        async def main():
            loop = asyncio.get_running_loop()
            it = Observing(loop, virtual_time.now)
            test(it, [FakeConnection(1), FakeConnection(2, latest=3)])
            it.stop()
            assert all(handle.cancelled() for handle in loop._scheduled)

        virtual_time.run(main())

    in_virtual_time.__name__ = test.__name__
    return in_virtual_time


def seen(it, connections):
    page = it.page(0, connections, connections=2)
    return [(one.conn, one.seq, one.peer, one.rid) for one in page["requests"]]


@observing
def test_page_when_nothing_was_ever_observed_then_is_none(it, connections):
    assert it.page(0, connections, connections=2) is None
    it.change(None, connections)
    assert it.page(0, connections, connections=2) is None


@observing
def test_connections_when_open_then_are_looked_at_from_their_next_turn_on(it, connections):
    it.change(IdCarrier(), connections)
    first, second = connections
    first.exchange(1)
    second.exchange(3)
    second.exchange(4)
    assert seen(it, connections) == [(1, 1, 4001, "r1"), (2, 1, 4002, "r1")]


@observing
def test_carrier_when_changed_then_what_was_seen_stays_and_counting_goes_on(it, connections):
    it.change(IdCarrier(), connections)
    connections[0].exchange(1)
    before = connections[0].observer
    it.change(IdCarrier(), connections)
    it.change(IdCarrier(where="path"), connections)
    assert connections[0].observer is before
    connections[0].exchange(2)
    assert seen(it, connections) == [(1, 1, 4001, "r1"), (1, 2, 4001, "/p")]


@observing
def test_observing_when_it_ends_then_nothing_more_is_seen_and_what_was_stays_readable(
    it, connections
):
    it.change(IdCarrier(), connections)
    connections[0].exchange(1)
    connections[1].observer.taken_in(ASK, 9, 9)
    it.change(None, connections)
    assert [each.observer for each in connections] == [None, None]
    it.attach(connections[0], 1)
    connections[0].exchange(2)
    assert seen(it, connections) == [(1, 1, 4001, "r1")]
    it.change(IdCarrier(), connections)
    connections[0].exchange(3)
    assert len(seen(it, connections)) == 2


@observing
def test_page_when_asked_for_then_counts_the_connections_of_the_moment(it, connections):
    it.change(IdCarrier(), connections)
    connections[0].observer.taken_in(ASK, 1, 1)
    page = it.page(0, connections, connections=7)
    assert (page["connections"], page["open"], page["held"]) == (7, 2, 20)
    assert (page["lag"], page["taken"]) == (0, virtual_time.now().ns)
    assert [one.end for one in page["requests"]] == ["open"]


@observing
def test_timer_when_nobody_looks_any_more_then_is_gone(it, connections):
    def timers():
        scheduled = asyncio.get_running_loop()._scheduled
        return len([handle for handle in scheduled if not handle.cancelled()])

    it.change(IdCarrier(), connections)
    it.change(IdCarrier(where="path"), connections)
    assert timers() == 1
    it.change(None, connections)
    assert timers() == 0
