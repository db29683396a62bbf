"""The listener: what cannot be bound, and a shortage that passes. No traffic."""

import errno
import socket

import pytest

from harness.proxy.addresses import Listen
from harness.proxy.listener import Listener, ListenFailed, bind, reset, same


def test_bind_when_port_is_free_then_gives_the_real_address():
    sock, address = bind(Listen("127.0.0.1", 0))
    with sock:
        assert address.pinned
        assert same(address, address.text())
        with pytest.raises(ListenFailed, match=f"{address.text()}: bind: address already in use"):
            bind(address)


def test_bind_when_every_address_then_is_shown_as_such():
    sock, address = bind(Listen("", 0))
    with sock:
        assert address.text() in {f"[::]:{address.port}", f"0.0.0.0:{address.port}"}


def test_bind_when_host_is_elsewhere_then_says_why():
    with pytest.raises(ListenFailed, match="cannot assign requested address"):
        bind(Listen("192.0.2.1", 0))


def test_same_when_any_port_is_asked_for_then_never():
    assert not same(Listen("127.0.0.1", 0), "127.0.0.1:0")


class FakeLoop:
    def __init__(self):
        self.reader, self.later = None, None

    def add_reader(self, _descriptor, call):
        self.reader = call

    def remove_reader(self, _descriptor):
        self.reader = None

    def call_later(self, _delay, call):
        self.later = call
        return self

    def cancel(self):
        self.later = None


class FakeSocket:
    def __init__(self, *answers):
        self.answers, self.closed = list(answers), False

    def fileno(self):
        return 3

    def accept(self):
        answer = self.answers.pop(0) if self.answers else BlockingIOError()
        if isinstance(answer, Exception):
            raise answer
        return answer, None

    def setblocking(self, flag):
        assert flag is False

    def close(self):
        self.closed = True


def test_accept_when_descriptors_run_out_then_pauses_and_goes_on():
    one, two = FakeSocket(), FakeSocket()
    loop, got = FakeLoop(), []
    short = OSError(errno.EMFILE, "too many")
    Listener(FakeSocket(one, short, two), got.append, loop=loop)
    loop.reader()
    assert got == [one]
    assert loop.reader is None, "no busy loop while there is a shortage"
    loop.later()
    loop.reader()
    assert got == [one, two]


def test_accepted_when_another_is_put_in_its_place_then_gets_the_next_socket():
    one, two = FakeSocket(), FakeSocket()
    loop, first, second = FakeLoop(), [], []
    listener = Listener(FakeSocket(one, BlockingIOError(), two), first.append, loop=loop)
    loop.reader()
    listener.accepted = second.append
    loop.reader()
    assert (first, second) == ([one], [two])


def test_reset_when_the_socket_is_open_then_its_peer_sees_a_reset():
    ours, address = bind(Listen("127.0.0.1", 0))
    with ours, socket.create_connection((address.host, address.port)) as peer:
        ours.setblocking(True)
        reset(ours.accept()[0])
        with pytest.raises(ConnectionResetError):
            peer.recv(1)


def test_reset_when_the_socket_is_closed_already_then_does_nothing():
    one = socket.socket()
    one.close()
    reset(one)
    assert one.fileno() == -1


def test_close_when_pausing_then_nothing_is_left():
    loop, sock = FakeLoop(), FakeSocket(OSError(errno.EMFILE, "too many"))
    listener = Listener(sock, lambda _: None, loop=loop)
    loop.reader()
    listener.close()
    assert (loop.reader, loop.later, sock.closed) == (None, None, True)
