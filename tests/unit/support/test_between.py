"""The line between a client and a server: what is said arrives, and ends are told apart."""

from harness.protocols.http_exchange import HttpExchange
from harness.protocols.turn_exchange import TurnExchange
from harness.proxy.items import Across, Chunk, Close, Injected, WakeAt
from harness.proxy.toxic import Toxic
from tests.support.between import Between
from tests.support.playbook import t


class Talkative(Toxic):
    """Answers what it hears, ends what it is fed after a while."""

    framed = True
    hears = True

    def hear(self, item, now):
        return (Injected(item.turn), item, Across(Chunk(b"no", now, item.turn)))

    def feed(self, item, now):
        return (WakeAt(t(30)),)

    def wake(self, now):
        return (Close("reset"),)


def toxic(kind=Toxic):
    return kind({}, None, {})


def test_line_when_its_toxic_does_nothing_then_all_arrives_and_one_end_is_not_two():
    line = Between(toxic(), TurnExchange())
    line.client(b"a", b"b")
    line.client_ends()
    line.server(b"c")
    assert (line.to_server, line.to_client, line.arrivals) == (b"ab", b"c", [(0, b"c")])
    assert (line.server_ended, line.client_ended, line.over) == ("eof", None, False)


def test_line_when_its_toxic_answers_and_ends_then_says_when_and_to_whom():
    line = Between(toxic(Talkative), TurnExchange())
    line.client(b"a")
    assert (line.to_server, line.to_client, line.injected) == (b"a", b"no", [1])
    line.server(b"lost")
    line.wait(29)
    assert not line.over
    line.wait(1)
    assert (line.client_ended, line.over, line.now) == ("reset", True, 30)
    line.client(b"too late")
    assert line.to_server == b"a"


def test_line_when_some_requests_are_hit_then_the_others_pass():
    line = Between(toxic(Talkative), HttpExchange(), hit={2})
    line.client(b"GET / HTTP/1.1\r\n\r\n" * 2)
    assert line.to_client == b"no"
    line.client(b"\x16\x03no HTTP")
    assert line.skipped == 1
