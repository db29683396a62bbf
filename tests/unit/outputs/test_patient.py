"""A reader that is slow, gone or never there costs output, and nothing else."""

import io
import os

from harness.outputs.patient import MOST_PENDING, PatientStream

LONG = 10.0


def test_write_when_the_reader_reads_then_all_arrives_in_order():
    reader, writer = os.pipe()
    stream = PatientStream(writer)
    for number in range(100):
        stream.write(f"line {number} ·\n")
    assert stream.drain(LONG)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as read:
        assert read.read().splitlines() == [f"line {number} ·" for number in range(100)]


def test_write_when_nobody_reads_then_it_returns_and_draining_gives_up():
    reader, writer = os.pipe()
    stream = PatientStream(writer)
    for _ in range(64):
        stream.write("x" * (MOST_PENDING // 16))
    assert not stream.drain(0.01)
    os.close(reader)  # lets the thread go
    assert stream.drain(LONG)
    os.close(writer)


def test_write_when_the_reader_is_gone_then_it_is_dropped_in_silence():
    reader, writer = os.pipe()
    os.close(reader)
    stream = PatientStream(writer)
    stream.write("into the void")
    assert stream.drain(LONG)
    stream.write("again")
    assert stream.drain(LONG)
    os.close(writer)


def test_write_when_the_terminal_cannot_show_a_character_then_it_is_escaped():
    reader, writer = os.pipe()
    stream = PatientStream(writer, encoding="ascii")
    stream.write("40 ± 10 ms")
    assert stream.drain(LONG)
    os.close(writer)
    with os.fdopen(reader, "rb") as read:
        assert read.read() == b"40 \\xb1 10 ms"


def test_of_when_the_stream_was_closed_before_python_began_then_it_leads_nowhere():
    assert PatientStream.of(None).write("x") == 1


def test_of_when_the_stream_has_no_descriptor_then_it_is_left_as_it_is():
    stream = io.StringIO()
    assert PatientStream.of(stream) is stream
