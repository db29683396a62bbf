"""What flows through a chain of toxics and what a toxic answers. Values only; nothing acts here."""

from typing import Literal

from msgspec import Struct

from harness.model.units import Instant
from harness.protocols.exchange import Part

How = Literal["eof", "end", "reset"]

# A held chunk costs its bytes object, this struct, a queue entry and an instant. Counted with the
# bytes, so that a flood of one-byte chunks is bounded like any other.
CHUNK_OVERHEAD = 256


class Chunk(Struct, frozen=True, gc=False):
    """Bytes of one read, or a part of them.

    ``stamp`` is when they arrived at the toxic before which they now stand; ``turn`` is opaque here
    and kept by every piece that is made of the chunk. ``part`` tells a toxic that reads a protocol
    which message the bytes belong to; it is the codec's of that toxic and gone behind it.
    ``request`` is the observed one that the first byte belongs to, 0 where nobody knows: pipelined
    requests are one turn. What is made of a chunk need not keep it.
    """

    data: bytes
    stamp: Instant
    turn: int = 0
    part: Part | None = None
    request: int = 0


class Close(Struct, frozen=True, gc=False):
    """The end of the stream, an item of it like any other.

    ``eof``: the source sent its last byte; this direction ends, the other goes on.
    ``end``: both directions end at this place, with a FIN each. ``reset``: the same with a RST.
    """

    how: How


class WakeAt(Struct, frozen=True, gc=False):
    """The toxic wants ``wake`` at this instant or later. The last one given holds."""

    at: Instant


class Injected(Struct, frozen=True, gc=False):
    """The toxic acts on bytes of this turn, and of this observed request if that is not 0."""

    turn: int
    request: int = 0


class Skipped(Struct, frozen=True, gc=False):
    """The toxic leaves alone what it could not read: bytes of another protocol than its own."""


class Across(Struct, frozen=True, gc=False):
    """An item for the other stream: it enters there at the place of the same toxic."""

    item: "Chunk | Close"


class Answered(Struct, frozen=True, gc=False):
    """No answer of the server will come for this request: the toxic gave one, or swallowed it."""

    request: int


class Injection(Struct, frozen=True, gc=False):
    """``Injected``, as it leaves the chain: with the toxic's name."""

    turn: int
    toxic: str
    request: int = 0


class Skip(Struct, frozen=True, gc=False):
    """``Skipped``, as it leaves the chain: with the toxic's name."""

    toxic: str


class Crossing(Struct, frozen=True, gc=False):
    """``Across``, as it leaves the chain: with the toxic's name."""

    item: "Chunk | Close"
    toxic: str


Item = Chunk | Close
Action = Chunk | Close | WakeAt | Injected | Skipped | Across | Answered
Output = Chunk | Close | Injection | Skip | Crossing


def weight(chunk: Chunk) -> int:
    """What holding the chunk costs, in bytes."""
    return len(chunk.data) + CHUNK_OVERHEAD
