"""The stream takes what it can, and a reader that has gone is no reason to end a run."""

import io

from harness.outputs.paragraphs import paragraph
from harness.outputs.printer import Printer


class Gone(io.StringIO):
    """A pipe whose reader went away: ``harness run | head``."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise BrokenPipeError(32, "Broken pipe")


def test_print_when_the_pipe_is_closed_then_it_is_silent_from_then_on() -> None:
    stream = Gone()
    printer = Printer(stream, width=80, color=False)
    printer.print(paragraph("one"))
    printer.print(paragraph("two"))
    assert stream.writes == 1


def test_print_when_the_stream_object_is_closed_then_nothing_is_raised() -> None:
    stream = io.StringIO()
    stream.close()
    Printer(stream, width=80, color=False).print(paragraph("one"))


def test_print_when_the_stream_is_ascii_then_what_it_lacks_is_spelt_out() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Printer(stream, width=80, color=False).print(paragraph("bank · 0.83–1.00 → Zürich…"))
    assert raw.getvalue() == b"bank - 0.83-1.00 -> Z\\xfcrich...\n"
