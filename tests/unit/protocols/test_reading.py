"""What a grammar may want, what it gets, and which bytes are kept back meanwhile."""

import re

import pytest

from harness.protocols.exchange import Part
from harness.protocols.reading import (
    END,
    FOREVER,
    LEAVE,
    PEEK,
    Begin,
    Line,
    ReadExchange,
    Reading,
    Skip,
    Take,
    Unreadable,
)


def grammar(wants, got):
    """Wants these, keeps what it is sent, then is over."""
    for want in wants:
        sent = yield want
        got.append(sent)


def reading(*wants):
    """A reading of that grammar, and what the grammar was sent."""
    got = []
    return Reading(grammar(wants, got)), got


def test_line_when_whole_then_is_sent_with_its_end():
    read, got = reading(Line(), Line())
    assert (read.feed(b"ab"), read.held) == ([], 2)
    assert (read.feed(b"c\nd"), read.held) == ([], 5)
    assert got == [b"abc\n"]


@pytest.mark.parametrize(("data", "over"), [(b"abc\n", False), (b"abcd", True), (b"abcd\n", True)])
def test_line_when_longer_than_allowed_then_unreadable(data, over):
    read, _ = reading(Line(4), Begin(1), FOREVER)
    read.feed(data)
    assert read.over is over


def test_line_when_longer_than_allowed_then_it_is_known_before_its_end():
    read, _ = reading(Line(4), PEEK)
    assert read.feed(b"abc") == []
    assert read.feed(b"d") == [Part(b"abcd", 0)]


@pytest.mark.parametrize("want", [Line(start=re.compile(b"a")), Take(3, re.compile(b"a"))])
def test_start_when_it_does_not_match_then_nothing_is_waited_for(want):
    read, _ = reading(want, PEEK)
    assert (read.feed(b""), read.over) == ([], False)
    assert read.feed(b"b") == [Part(b"b", 0)]
    assert read.over


def test_take_when_so_many_bytes_are_there_then_sends_exactly_those():
    read, got = reading(Take(3), Take(0), PEEK, Take(1), PEEK)
    read.feed(b"ab")
    read.feed(b"cde")
    assert got == [b"abc", b"", b"d", b"d", b"e"]


def test_message_when_begun_then_takes_in_what_was_taken_before_and_passes_from_then_on():
    read, _ = reading(Take(2), Begin(4), Skip(3), END, Take(9))
    assert read.feed(b"a") == []
    assert read.feed(b"bc") == [Part(b"abc", 4, first=True)]
    assert read.feed(b"defg") == [Part(b"de", 4, last=True)]
    assert read.held == 2


def test_message_when_left_or_gone_on_with_then_says_neither_last_nor_first():
    read, _ = reading(Begin(1), Take(1), LEAVE, Begin(1, first=False), Take(1), END, PEEK)
    assert read.feed(b"ab") == [Part(b"a", 1, first=True), Part(b"b", 1, last=True)]


def test_message_when_of_no_request_then_says_nothing():
    read, _ = reading(Begin(0), Take(1), END, PEEK)
    assert read.feed(b"a") == [Part(b"a", 0)]


def test_message_when_what_follows_is_not_understood_then_keeps_what_was():
    def choosy():
        yield Begin(1)
        yield Skip(2)
        yield Line()
        raise Unreadable

    read = Reading(choosy())
    assert read.feed(b"abcd") == [Part(b"ab", 1, first=True)]
    assert read.feed(b"e\nf") == [Part(b"cde\nf", 0)]
    assert read.over
    assert read.feed(b"g") == [Part(b"g", 0)]


def test_grammar_when_it_returns_then_the_rest_belongs_to_none():
    read, _ = reading(Begin(1), Take(1), END)
    assert read.feed(b"ab") == [Part(b"a", 1, first=True, last=True), Part(b"b", 0)]
    assert read.over


def test_flush_when_within_a_message_then_gives_its_bytes_as_its_own():
    read, _ = reading(Begin(1), Take(1), Take(5))
    read.feed(b"abc")
    assert read.flush() == [Part(b"bc", 1)]
    assert read.feed(b"d") == [Part(b"d", 0)]


def test_flush_when_before_a_message_then_gives_bytes_of_none():
    read, _ = reading(Take(5))
    read.feed(b"abc")
    assert read.flush() == [Part(b"abc", 0)]
    assert read.held == 0


def test_flush_when_nothing_is_kept_back_then_reading_goes_on():
    read, _ = reading(Begin(1), Skip(2), END, PEEK)
    read.feed(b"a")
    assert read.flush() == []
    assert read.feed(b"b") == [Part(b"b", 1, last=True)]


def pair(client, server):
    """An exchange of two grammars that want these and are over."""
    return ReadExchange(grammar(client, []), grammar(server, []))


def test_exchange_when_one_direction_is_over_then_the_other_gives_up_what_it_keeps():
    exchange = pair([Take(1)], [Begin(1), Take(1), Take(5)])
    assert exchange.server(b"abc", 1) == [Part(b"a", 1, first=True)]
    assert (exchange.held, exchange.readable) == (2, True)
    assert exchange.client(b"x", 1) == [Part(b"x", 0)]
    assert (exchange.held, exchange.readable) == (2, False)
    assert exchange.server(b"d", 1) == [Part(b"bcd", 0)]


def test_exchange_when_over_then_flush_gives_bytes_of_none():
    exchange = pair([Take(1)], [Begin(1), Take(1), Take(5)])
    exchange.server(b"abc", 1)
    exchange.client(b"x", 1)
    assert exchange.flush_server() == [Part(b"bc", 0)]
    assert exchange.held == 0


def test_exchange_when_one_direction_is_flushed_then_the_other_goes_on():
    exchange = pair([Take(5)], [Begin(1), Skip(9)])
    exchange.client(b"x", 1)
    assert exchange.flush_client() == [Part(b"x", 0)]
    assert exchange.server(b"a", 1) == [Part(b"a", 1, first=True)]
    assert exchange.readable
    assert exchange.client(b"y", 1) == [Part(b"y", 0)]
    assert not exchange.readable


def test_exchange_when_a_request_was_answered_elsewhere_then_it_is_not_awaited():
    exchange = pair([Take(1)], [Take(1)])
    exchange.awaiting |= {1: b"", 2: b""}
    exchange.answered(1)
    exchange.answered(7)
    assert list(exchange.awaiting) == [2]
