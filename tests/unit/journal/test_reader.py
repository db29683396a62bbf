"""What a crash leaves can be read; what somebody changed cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.journal import lines
from harness.journal.reader import merge, read, read_run
from harness.model.errors import UserError
from harness.model.events import JOURNAL_SCHEMA, RoundFinished, RoundStarted, TargetFailed
from tests.support import strategies


def numbered(*events):
    return [replace(event, n=n) for n, event in enumerate(events, start=1)]


def journal(folder, *parts):
    path = folder / "journal.jsonl"
    path.write_bytes(b"".join(p if isinstance(p, bytes) else lines.encode(p) for p in parts))
    return path


def test_whole_journal_when_read_then_gives_its_events_and_no_torn_line(tmp_path):
    events = numbered(RoundStarted(round=1), RoundFinished(round=1))
    reading = read(journal(tmp_path, *events))
    assert reading.events == events
    assert reading.torn is None


@given(st.lists(strategies.events, min_size=1, max_size=4), st.data())
def test_journal_when_cut_anywhere_then_reads_as_a_prefix(tmp_path_factory, events, data):
    events = numbered(*events)
    whole = b"".join(lines.encode(event) for event in events)
    cut = data.draw(st.integers(1, len(whole)))
    reading = read(journal(tmp_path_factory.mktemp("cut"), whole[:cut]))
    finished = whole[:cut].count(b"\n")
    assert reading.events == events[: len(reading.events)]
    assert len(reading.events) in (finished, finished + 1)
    assert (reading.torn is None) == (whole[:cut].endswith(b"\n"))


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b'{"type":"RoundFi', id="half-a-line"),
        pytest.param(b'{"type":"RoundFi\n', id="half-a-line-with-its-end"),
        pytest.param(b'{"type":"TargetFailed","what":"\xc3', id="half-a-character"),
        pytest.param(b'{"type":"TargetFailed","what":"\xff"}\n', id="no-utf-8"),
        pytest.param(b"\0" * 512, id="zeros-of-a-lost-page"),
    ],
)
def test_last_line_when_torn_then_is_reported_and_left_out(tmp_path, tail):
    (event,) = numbered(RoundStarted(round=1))
    reading = read(journal(tmp_path, event, tail))
    assert reading.events == [event]
    assert reading.torn == f"line 2 was not finished ({len(tail)} bytes are left out)"


def test_last_line_when_only_its_end_is_missing_then_is_read_and_reported(tmp_path):
    first, last = numbered(RoundStarted(round=1), RoundFinished(round=1))
    reading = read(journal(tmp_path, first, lines.encode(last).rstrip()))
    assert reading.events == [first, last]
    assert reading.torn == "line 2 has no line end; it is whole"


def test_only_line_when_torn_then_there_are_no_events(tmp_path):
    reading = read(journal(tmp_path, b'{"type":"RunStar'))
    assert reading.events == []
    assert reading.torn is not None


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b'{"type":"RoundFi\n', id="no-json"),
        pytest.param(b'{"type":"RoundStarted","n":2}\n', id="field-missing"),
        pytest.param(b'{"type":"TargetFailed","n":2,"what":"\xff","detail":""}\n', id="no-utf-8"),
    ],
)
def test_line_before_the_last_when_broken_then_is_an_error_with_its_number(tmp_path, broken):
    first, last = numbered(RoundStarted(round=1), RoundFinished(round=1))
    with pytest.raises(UserError, match=r"journal\.jsonl:2: this line cannot be read"):
        read(journal(tmp_path, first, broken, replace(last, n=3)))


def test_last_line_when_json_but_no_event_then_is_an_error(tmp_path):
    """A cut never leaves whole JSON: somebody changed this one."""
    (first,) = numbered(RoundStarted(round=1))
    with pytest.raises(UserError, match=r":2: this line cannot be read"):
        read(journal(tmp_path, first, b'{"type":"RoundStarted","n":2}'))


@pytest.mark.parametrize("last", [True, False], ids=["last", "in-the-middle"])
def test_event_of_a_newer_version_when_read_then_the_message_says_so(tmp_path, last):
    first, third = numbered(RoundStarted(round=1), RoundFinished(round=1))
    parts = [first, b'{"type":"BreakerOpened","n":2}\n']
    with pytest.raises(UserError, match="'BreakerOpened' is no event of journal schema 1"):
        read(journal(tmp_path, *parts, *([] if last else [replace(third, n=3)])))


def test_journal_of_a_newer_schema_when_read_then_the_message_names_both(tmp_path):
    newer = JOURNAL_SCHEMA + 1
    line = b'{"type":"RunStarted","n":1,"schema":%d,"unheard":true}\n' % newer
    with pytest.raises(UserError, match=rf"schema {newer}\).*reads schemas up to {JOURNAL_SCHEMA}"):
        read(journal(tmp_path, line))


def test_line_when_taken_out_then_the_gap_is_an_error(tmp_path):
    events = numbered(
        RoundStarted(round=1), TargetFailed(what="a", detail="b"), RoundFinished(round=1)
    )
    with pytest.raises(UserError, match=r":2: event 3 stands here, expected event 2"):
        read(journal(tmp_path, events[0], events[2]))


def test_journal_when_empty_then_is_an_error(tmp_path):
    with pytest.raises(UserError, match="empty"):
        read(journal(tmp_path))


def test_journal_when_missing_then_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read(tmp_path / "none.jsonl")


def test_parts_when_merged_then_are_in_order_of_time_and_of_the_parts_at_equal_times():
    a1, a2 = RoundStarted(round=1, t=1), RoundStarted(round=1, t=5)
    b1, b2 = RoundStarted(round=2, t=1), RoundStarted(round=2, t=3)
    assert merge([a1, a2], [b1, b2]) == [a1, b1, b2, a2]


def test_run_when_its_guardian_had_to_act_then_its_events_stand_behind_the_journals(tmp_path):
    (begun,) = numbered(RoundStarted(round=1))
    journal(tmp_path, begun)
    assert read_run(tmp_path).events == [begun]
    guardian = tmp_path / "guardian.jsonl"
    guardian.touch()
    assert read_run(tmp_path).events == [begun]
    (told,) = numbered(TargetFailed(what="x", detail="y"))
    guardian.write_bytes(lines.encode(told) + b'{"type":')
    reading = read_run(tmp_path)
    assert reading.events == [begun, told]
    assert reading.torn == "guardian.jsonl: line 2 was not finished (8 bytes are left out)"
