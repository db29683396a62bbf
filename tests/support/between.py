"""A toxic that reads messages, between a client and a server that are told what to say.

    line = Between(toxic, HttpExchange(), hit={2})
    line.client(b"GET / HTTP/1.1\\r\\n\\r\\n")
    assert line.to_server == b"GET / HTTP/1.1\\r\\n\\r\\n"

The seat, both chains and the generic turns are the real ones; sockets and clocks are not here.
"""

from collections.abc import Collection, Iterable

from harness.protocols.exchange import Exchange
from harness.protocols.turn import TurnCodec
from harness.proxy.chain import Chain
from harness.proxy.items import Chunk, Close, Crossing, How, Injection, Output, Skip
from harness.proxy.seat import FramedSeat
from harness.proxy.toxic import Direction, Toxic
from harness.proxy.wire import Value
from tests.support.playbook import t


class Between:
    """What both sides got so far. Times are milliseconds from the start.

    ``hit`` are the requests that are acted on; None: all of the connection.
    """

    def __init__(
        self,
        toxic: Toxic,
        exchange: Exchange,
        *,
        own: Direction = "downstream",
        hit: Collection[int] | None = None,
    ) -> None:
        self.now = 0
        self.to_client = b""
        self.to_server = b""
        self.arrivals: list[tuple[int, bytes]] = []
        """What came to the client, and when."""
        self.client_ended: How | None = None
        self.server_ended: How | None = None
        self.injected: list[int] = []
        """The turns that the toxic acted on."""
        self.skipped = 0
        self.turns = TurnCodec(1)
        self._up, self._down = Chain(), Chain()
        self.seat = FramedSeat(
            "it",
            toxic,
            exchange,
            own=own,
            acting=True,
            choose=None if hit is None else (lambda part: part.request in hit),
            on_message=lambda _request: None,
        )
        self._own, other = (self._down, self._up) if own == "downstream" else (self._up, self._down)
        other.overhear(self.seat)
        self._deliver(self._own.add(self.seat, t(0)), self._own)

    @property
    def over(self) -> bool:
        """A close for both directions has come out somewhere."""
        return self.client_ended in {"end", "reset"} or self.server_ended in {"end", "reset"}

    def client(self, *pieces: bytes) -> None:
        """The client sends, a read each."""
        for piece in pieces:
            self._feed(self._up, Chunk(piece, t(self.now), self.turns.client_sent(t(self.now))))

    def server(self, *pieces: bytes) -> None:
        """The server sends, a read each."""
        for piece in pieces:
            self._feed(self._down, Chunk(piece, t(self.now), self.turns.server_sent(t(self.now))))

    def client_ends(self, how: How = "eof") -> None:
        self._feed(self._up, Close(how))

    def server_ends(self, how: How = "eof") -> None:
        self._feed(self._down, Close(how))

    def wait(self, milliseconds: int) -> None:
        """A look each millisecond, as a link's timer would."""
        for _ in range(milliseconds):
            self.now += 1
            for chain in (self._up, self._down):
                if chain.due is not None and chain.due <= t(self.now):
                    self._deliver(chain.wake(t(self.now)), chain)

    def update(self, **values: Value) -> None:
        self._deliver(self._own.update("it", dict(values), t(self.now)), self._own)

    def remove(self) -> None:
        """The toxic is taken off, in both streams."""
        for chain in (self._up, self._down):
            self._deliver(chain.remove("it", t(self.now)), chain)

    def _feed(self, chain: Chain, item: Chunk | Close) -> None:
        if not self.over:
            self._deliver(chain.feed(item, t(self.now)), chain)

    def _deliver(self, outputs: Iterable[Output], chain: Chain) -> None:
        for output in outputs:
            match output:
                case Chunk(data, _, turn):
                    self._arrive(data, turn, chain)
                case Close(how):
                    if chain is self._down:
                        self.client_ended = how
                    else:
                        self.server_ended = how
                case Injection(turn):
                    self.injected.append(turn)
                case Crossing(item):
                    self._deliver(self._own.enter("it", item, t(self.now)), self._own)
                case Skip():
                    self.skipped += 1

    def _arrive(self, data: bytes, turn: int, chain: Chain) -> None:
        if chain is self._up:
            self.to_server += data
            return
        self.turns.passed_on(turn, t(self.now))
        self.to_client += data
        self.arrivals.append((self.now, data))
