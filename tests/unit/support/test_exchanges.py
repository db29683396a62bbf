"""The tool itself: a codec that breaks a promise must fail, or its tests say nothing."""

import pytest

from harness.protocols.exchange import Part
from harness.protocols.turn_exchange import TurnExchange
from tests.support.exchanges import c, converse, merged, s


class Bent(TurnExchange):
    """A codec right but for what its client's parts go through."""

    def client(self, data, turn):
        return [self.bend(part) for part in super().client(data, turn)]

    def bend(self, part):
        return part


def broken(bend):
    return type("Broken", (Bent,), {"bend": staticmethod(bend)})


def test_converse_when_the_codec_is_right_then_tells_messages_in_order():
    told = converse(Bent, [s(b"hello"), c(b"a"), c(b"b"), s(b"x"), c(b"c")])
    assert told.client == [(1, "first", b"ab"), (2, "first", b"c")]
    assert told.server == [(0, "", b"hello"), (1, "first", b"x")]
    assert told.readable


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        pytest.param(lambda p: Part(p.data[1:], 1), "otherwise", id="a byte missing"),
        pytest.param(lambda p: Part(p.data[::-1], 1), "came out otherwise", id="another order"),
        pytest.param(
            lambda p: Part(p.data, 0, first=True), "say something", id="none, but its first"
        ),
        pytest.param(lambda p: Part(p.data, len(p.data)), "byte by byte", id="split matters"),
        pytest.param(lambda p: Part(p.data * 2, 1), "otherwise", id="told twice"),
    ],
)
def test_converse_when_the_codec_breaks_a_promise_then_fails(bend, says):
    with pytest.raises(AssertionError, match=says):
        converse(broken(bend), [c(b"abcd")])


def test_converse_when_sizes_are_given_then_feeds_pieces_of_them():
    pieces = []
    converse(broken(lambda p: pieces.append(p.data) or p), [c(b"abcdefg")], [1, 3])
    assert pieces == [b"a", b"bcd", b"e", b"fg"]


def test_merged_when_a_message_ended_or_another_begins_then_does_not_join_them():
    parts = [
        Part(b"a", 1, first=True), Part(b"b", 1, last=True), Part(b"c", 1),
        Part(b"d", 2), Part(b"e", 2, first=True), Part(b"f", 2),
    ]  # fmt: skip
    assert [part.data for part in merged(parts)] == [b"ab", b"c", b"d", b"ef"]
