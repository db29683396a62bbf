"""Fake ports behave as those of the machine do."""

import pytest

from harness.proxy.addresses import Listen
from harness.proxy.listener import ListenFailed
from tests.support.listening import FakeListener, Ports


def test_bind_when_any_port_is_asked_for_then_gives_another_each_time():
    ports = Ports()
    _, one = ports.bind(Listen("127.0.0.1", 0))
    _, two = ports.bind(Listen("127.0.0.1", 0))
    assert one != two
    assert ports.taken == {one.text(), two.text()}


def test_bind_when_taken_then_fails_until_it_is_closed():
    ports = Ports()
    sock, address = ports.bind(Listen("", 5))
    assert address.text() == "[::]:5"
    with pytest.raises(ListenFailed, match="address already in use"):
        ports.bind(address)
    FakeListener(sock, lambda _: None, loop=None).close()
    ports.bind(address)
