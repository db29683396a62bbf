"""The codec ``postgres``: what PostgreSQL's protocol 3 answers with one ReadyForQuery is one request.

Type and length of each message are read, and nothing within it.
"""

import re
from collections.abc import Generator

from harness.protocols.exchange import NO_REQUEST
from harness.protocols.reading import (
    END,
    LEAVE,
    PEEK,
    Begin,
    Grammar,
    ReadExchange,
    Skip,
    Take,
    Unreadable,
    Want,
)

# The server's own limits, in bytes.
_MOST_STARTUP = 10_000
_MOST_MESSAGE = 2**30

_CANCEL, _SSL, _GSS = ((1234 << 16) + code for code in (5678, 5679, 5680))
_VERSION = 3

_STARTUP = re.compile(rb"\x00(?:\Z|\x00)")
_PASSWORD = re.compile(rb"p")
_FRONTEND = re.compile(rb"[QPBDECSHFXdcf]")
# Lengths below 16 MiB begin with a zero, so no text is taken for a connection joined half-way.
_JOINED = re.compile(rb"[QPBDECSHFXdcf](?:\Z|\x00)")
_ENDERS = b"QSFX"
_COPY = b"dcf"
_BEHIND_COPY = b"SH"

_BACKEND = re.compile(rb"[RKSZTDCENA123ntIsGHWdcVv]")
_IDLE = b"NASE"
_ENCRYPTION_ANSWERS = b"NSG"


class PostgresExchange(ReadExchange):
    """Request 1 is start and authentication, up to the first ReadyForQuery; a client that is not
    done authenticating cannot be told from one that is, so its part of request 1 has no ``last``.

    Each other request ends with its Query, Sync or FunctionCall, and its answer with the
    ReadyForQuery for it, whatever comes before; asked by a Flush, the server answers in part before
    the request has ended. Terminate is a request without an answer. COPY data, and the Sync behind
    them in the extended protocol, come when their request has ended: they bear its number and
    neither ``first`` nor ``last``. A cancel request is request 1, has no
    answer, and nothing comes behind it. What the server says of itself while no request waits
    (notices, notifications, parameters, the reason why it ends) belongs to none.

    At most eight bytes are kept back. Joined half-way, between two messages, a connection has no
    start: its next request is number 1.

    Unreadable: encryption (from the byte behind the server's consent), any unknown type, a length
    beyond the server's own limits, and an answer that no request waits for.
    """

    __slots__ = ("_encryption_asked", "_extended", "_number")

    def __init__(self) -> None:
        self._number = 0
        self._encryption_asked = False
        self._extended = False
        super().__init__(self._requests(), self._answers())

    def _requests(self) -> Grammar:
        first = _JOINED
        if (yield PEEK) == b"\0":
            yield from self._startup()
            first = _FRONTEND
        while True:
            kind, size = yield from _header(first)
            first = _FRONTEND
            if kind in _COPY:
                yield from self._copy(size)
            else:
                yield from self._request(kind, size)

    def _startup(self) -> Grammar:
        code = 0
        while code >> 16 != _VERSION:
            header = yield Take(8, _STARTUP)
            size, code = int.from_bytes(header[:4]), int.from_bytes(header[4:])
            known = code in {_CANCEL, _SSL, _GSS} or code >> 16 == _VERSION
            if not known or not 8 <= size <= _MOST_STARTUP:
                raise Unreadable
            if self._number == 0:
                self._number = 1
                yield Begin(1)
                if code != _CANCEL:
                    self.awaiting[1] = b""
            yield Skip(size - 8)
            if code == _CANCEL:
                yield END
                yield PEEK
                raise Unreadable
            self._encryption_asked = self._encryption_asked or code in {_SSL, _GSS}
        while (yield PEEK) == b"p":
            _, size = yield from _header(_PASSWORD)
            yield Skip(size)
        yield LEAVE

    def _copy(self, size: int) -> Grammar:
        """COPY data behind their request, and the Sync behind them: the server ignored the earlier."""
        yield Begin(self._number, first=False)
        yield Skip(size)
        kind = yield PEEK
        while kind in _COPY or (self._extended and kind in _BEHIND_COPY):
            kind, size = yield from _header(_FRONTEND)
            yield Skip(size)
            if kind == b"S":
                break
            kind = yield PEEK
        yield LEAVE

    def _request(self, kind: bytes, size: int) -> Grammar:
        """The rest of a request whose first message is of that kind."""
        self._number += 1
        if kind != b"X":
            self.awaiting[self._number] = b""
        yield Begin(self._number)
        yield Skip(size)
        while kind not in _ENDERS:
            kind, size = yield from _header(_FRONTEND)
            yield Skip(size)
        self._extended = kind == b"S"
        yield END

    def _answers(self) -> Grammar:
        while True:
            kind = yield PEEK
            request = next(iter(self.awaiting), NO_REQUEST)
            self.awaiting.pop(request, None)
            if request == NO_REQUEST and kind not in _IDLE:
                raise Unreadable
            yield Begin(request)
            if (yield from self._encryption(kind)):
                return
            kind, size = yield from _header(_BACKEND)
            yield Skip(size)
            while request != NO_REQUEST and kind != b"Z":
                kind, size = yield from _header(_BACKEND)
                yield Skip(size)
            yield END

    def _encryption(self, kind: bytes) -> Generator[Want, bytes, bool]:
        """The single bytes that answer a wish for encryption; true if the server consents."""
        while self._encryption_asked and kind in _ENCRYPTION_ANSWERS:
            self._encryption_asked = False
            yield Take(1)
            if kind != b"N":
                yield LEAVE
                return True
            kind = yield PEEK
        return False


def _header(known: re.Pattern[bytes]) -> Generator[Want, bytes, tuple[bytes, int]]:
    """Takes the header of a message, whose type must be known; returns it and how many bytes follow."""
    header = yield Take(5, known)
    size = int.from_bytes(header[1:]) - 4
    if not 0 <= size <= _MOST_MESSAGE:
        raise Unreadable
    return header[:1], size
