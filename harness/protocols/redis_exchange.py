"""The codec ``redis``: commands and replies of RESP2 and RESP3, pipelined or not."""

import re
from collections.abc import Generator

from harness.protocols.exchange import NO_REQUEST
from harness.protocols.reading import (
    CRLF,
    END,
    PEEK,
    Begin,
    Grammar,
    Line,
    ReadExchange,
    Skip,
    Take,
    Unreadable,
    Want,
)

# Room for any number that Redis takes, and for nothing else.
_COUNT_LINE = Line(32)
_COUNT = re.compile(rb".(-1|[0-9]{1,18})\r\n")

# What a reply or a part of one begins with. Simple values are their line; bulks, errors and
# verbatim texts have so many bytes behind it; the others so many values.
_SIMPLE = b"+-:_#,("
_BULK = b"$!="
_PUSH = b">"
_VALUES_EACH = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
_REPLY_LINE = Line(start=re.compile(rb"[+\-:_#,(]|[$!=*~>%|](?:\Z|[-0-9])"))
_EMPTY_LINE = Line(2, re.compile(rb"\r?(?:\n|\Z)"))
_END_OF_BULK = Take(2)

# Behind these, replies and commands do not pair one to one any more.
_UNPAIRED = {
    b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE",
    b"MONITOR", b"SYNC", b"PSYNC",
}  # fmt: skip
_LONGEST_WORD = 16
_WORDS = 2


class RedisExchange(ReadExchange):
    """A request is one command, an array of bulks or a line of text; its answer one whole value.

    Lines are kept back until their CRLF, the bytes of bulks never. Attributes (``|``) belong to the
    value behind them. Pushes (``>``), replies that no command waits for (a greeting such as
    ``-DENIED``) and commands that Redis does not answer (empty ones) belong to none.

    Unreadable: what is not RESP, a line over 64 KiB, RESP3's streamed values (no server sends
    them), and everything behind a command that ends the pairing: the SUBSCRIBE family in either
    protocol, MONITOR, SYNC, PSYNC and CLIENT REPLY. That command keeps its number; replies still
    on their way lose theirs.
    """

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = 0
        super().__init__(self._commands(), self._replies())

    def _commands(self) -> Grammar:
        while True:
            kind = yield PEEK
            if kind == b"*":
                words = yield from self._array()
            elif kind.isalpha():
                words = yield from self._inline()
            else:
                words = yield from _empty_line()
            yield END
            if words and (words[0] in _UNPAIRED or words == [b"CLIENT", b"REPLY"]):
                return

    def _array(self) -> Generator[Want, bytes, list[bytes]]:
        count = _number((yield _COUNT_LINE))
        yield Begin(self._next() if count > 0 else NO_REQUEST)
        words: list[bytes] = []
        for position in range(count):
            line = yield _COUNT_LINE
            size = _number(line)
            if not line.startswith(b"$") or size < 0:
                raise Unreadable
            if len(words) == position < _WORDS and size <= _LONGEST_WORD:
                words.append((yield Take(size)).upper())
            else:
                yield Skip(size)
            if (yield _END_OF_BULK) != CRLF:
                raise Unreadable
        return words

    def _inline(self) -> Generator[Want, bytes, list[bytes]]:
        """``redis-cli`` never sends these, people with netcat do, and with a bare LF."""
        line = yield Line()
        yield Begin(self._next())
        return line.upper().split()[:_WORDS]

    def _next(self) -> int:
        self._number += 1
        self.awaiting[self._number] = b""
        return self._number

    def _replies(self) -> Grammar:
        while True:
            line = yield _REPLY_LINE
            size, within = _announced(line)
            yield Begin(NO_REQUEST if line.startswith(_PUSH) else self._next_awaited())
            left = 1
            while True:
                if size >= 0:
                    yield Skip(size)
                    if (yield _END_OF_BULK) != CRLF:
                        raise Unreadable
                left += within - 1
                if not left:
                    break
                line = yield _REPLY_LINE
                if line.startswith(_PUSH):
                    raise Unreadable
                size, within = _announced(line)
            yield END

    def _next_awaited(self) -> int:
        request = next(iter(self.awaiting), NO_REQUEST)
        self.awaiting.pop(request, None)
        return request


def _announced(line: bytes) -> tuple[int, int]:
    """How many bytes belong to the value of ``line``, or -1, and how many values are within it."""
    kind = line[:1]
    if kind in _SIMPLE:
        if not line.endswith(CRLF):
            raise Unreadable
        return -1, 0
    number = _number(line)
    if kind in _BULK:
        return number, 0
    # An attribute comes with the value that it describes.
    return -1, max(number, 0) * _VALUES_EACH[kind] + (kind == b"|")


def _empty_line() -> Generator[Want, bytes, list[bytes]]:
    yield _EMPTY_LINE
    yield Begin(NO_REQUEST)
    return []


def _number(line: bytes) -> int:
    found = _COUNT.fullmatch(line)
    if found is None:
        raise Unreadable
    return int(found[1])
