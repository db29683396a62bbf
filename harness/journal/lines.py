"""Events to journal lines and back: one JSON object a line. No files and no clocks; those are
writer.py and reader.py.
"""

from typing import get_args

import msgspec

from harness.model.errors import HarnessBug
from harness.model.events import AnyEvent
from harness.model.units import from_builtin, to_builtin

_encoder = msgspec.json.Encoder(enc_hook=to_builtin)
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent, dec_hook=from_builtin)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
KNOWN_TYPES = frozenset(kind.__name__ for kind in get_args(AnyEvent))


def encode(event: AnyEvent) -> bytes:
    """One line with its line end. JSON escapes control characters, so no other line end is in it.

    Raises:
        UnicodeEncodeError: a text holds half a surrogate pair, as undecodable output of a process does.
        HarnessBug: a field holds something that has no written form.
    """
    try:
        return _encoder.encode(event) + b"\n"
    except UnicodeEncodeError:
        raise
    except (NotImplementedError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise HarnessBug(f"{type(event).__name__} cannot be written: {error}") from error


def encode_text(text: str) -> bytes:
    """``text`` as it stands inside a line, without quotes: what to look for in one."""
    return _encoder.encode(text.encode("utf-8", "replace").decode("utf-8"))[1:-1]


def decode(line: bytes) -> AnyEvent:
    """The event of one line.

    Raises:
        UNREADABLE: no UTF-8, no JSON, or (msgspec.ValidationError) JSON that is no event of ours.
    """
    event: AnyEvent = _decoder.decode(line)
    return event


def decode_all(lines: bytes) -> list[AnyEvent]:
    """The events of many lines at once; raises like ``decode``. The fast way: 1 µs a line."""
    events: list[AnyEvent] = _decoder.decode_lines(lines)
    return events
