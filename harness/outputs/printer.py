"""Paragraphs onto a stream, whatever it can encode, and in silence once nobody reads it any more."""

from typing import TextIO

from harness.outputs.paragraphs import Paragraph, render

# For streams that are not UTF-8, as under LANG=C in a container: the nearest ASCII of what we print.
_ASCII = str.maketrans({"·": "-", "–": "-", "…": "...", "→": "->", "│": "|", "×": "x", "•": "*"})


class Printer:
    """Writes and flushes; a closed pipe or terminal only ends the output, never the run."""

    def __init__(self, stream: TextIO, *, width: int, color: bool) -> None:
        self._stream = stream
        self._width = width
        self._color = color
        self._gone = False

    def print(self, *paragraphs: Paragraph) -> None:
        if self._gone:
            return
        text = encodable(render(paragraphs, width=self._width, color=self._color), self._stream)
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream object itself was closed
            self._gone = True


def encodable(text: str, stream: TextIO) -> str:
    """``text`` as the stream's encoding can have it, the rest as escapes."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
