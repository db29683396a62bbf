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

_STARTUP_HEADER = 8
_MOST_STARTUP = 10_000
_MOST_MESSAGE = 2**30
"""The server's own limits, in bytes."""

_CANCEL, _SSL, _GSS = (1234 << 16 | 5678 + code for code in range(3))
_VERSION = 3

_COPY = b"dcf"
_ENDERS = b"QSFX"
_FRONTEND = re.compile(rb"[QPBDECSHFXdcf]")
_IDLE = b"NASE"
_BACKEND = re.compile(rb"[RKSZTDCENA123ntIsGHWdcVv]")
# Types of the protocol are letters, and lengths of first messages below 16 MiB begin with a zero:
# so neither TLS nor a protocol of text is taken for a connection that was joined half-way.
_BEGUN = re.compile(rb"\x00(?:\Z|\x00)|[QPBDECSHFXdcf](?:\Z|\x00)")
_STARTUP_BEGUN = re.compile(rb"\x00(?:\Z|\x00)")


class PostgresExchange(ReadExchange):
    """Request 1 is start and authentication, up to the first ReadyForQuery; a client that is not
    done authenticating cannot be told from one that is, so its part of request 1 has no ``last``.

    Each other request ends with its Query, Sync or FunctionCall, and its answer with the
    ReadyForQuery for it, whatever comes before. Terminate is a request without an answer. COPY
    data, and the Sync behind them in the extended protocol, come when their request has ended:
    they bear its number and neither ``first`` nor ``last``. A cancel request is request 1, has no
    answer, and nothing comes behind it. What the server says of itself while no request waits
    (notices, notifications, parameters, the reason why it ends) belongs to none.

    At most eight bytes are kept back. Joined half-way, between two messages, a connection has no
    start: its next request is number 1.

    Unreadable: encryption (from the byte behind the server's consent), any unknown type, a length
    beyond the server's own limits, and an answer that no request waits for.
    """

    __slots__ = ("_encryption_asked", "_number")

    def __init__(self) -> None:
        self._number = 0
        self._encryption_asked = False
        super().__init__(self._requests(), self._answers())
