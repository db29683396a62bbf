"""The codec ``turn``: a request is a generic turn, whatever the bytes mean. Nothing is kept back."""

from harness.protocols.exchange import NO_REQUEST, Part


class TurnExchange:
    """Labels bytes with the turn they came with.

    Pipelined requests are one turn, and nobody knows when a turn's bytes are complete, so ``last``
    is never said. The rest of an answer whose beginning reached the client has no turn any more
    (``turn.py``) and so no request.
    """

    __slots__ = ("_client", "_server", "readable")

    def __init__(self) -> None:
        self.readable = True
        self._client = NO_REQUEST
        self._server = NO_REQUEST

    @property
    def held(self) -> int:
        return 0

    def client(self, data: bytes, turn: int) -> list[Part]:
        parts = _labelled(data, turn, self._client)
        self._client = turn or self._client
        return parts

    def server(self, data: bytes, turn: int) -> list[Part]:
        parts = _labelled(data, turn, self._server)
        self._server = turn or self._server
        return parts

    def flush_client(self) -> list[Part]:
        return []

    def flush_server(self) -> list[Part]:
        return []

    def answered(self, request: int) -> None:
        """Nothing to forget: the turns are counted elsewhere."""


def _labelled(data: bytes, turn: int, seen: int) -> list[Part]:
    return [Part(data, turn, first=turn not in {NO_REQUEST, seen})] if data else []
