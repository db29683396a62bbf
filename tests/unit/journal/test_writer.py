"""The journal numbers, makes durable, hides, and goes on when a subscriber or the disk does not."""

import errno
import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.reader import read
from harness.journal.writer import FLUSH_BYTES, Journal, JournalLost
from harness.model.errors import HarnessBug, UserError
from harness.model.events import (
    FaultIntended,
    FaultUndone,
    HopIntended,
    ProbeRead,
    ProcessIntended,
    ProcessStarted,
    RoundFinished,
    RoundStarted,
    RunFinished,
    TargetFailed,
)
from harness.model.units import Instant
from tests.support import strategies

NOW = Instant.of_ns(1)

INTENDED = FaultIntended(
    fault="latency@db", kind="latency", on="db", round=1, params={}, undo={"proxy": "db"}
)
DURABLE = [
    pytest.param(INTENDED, id="FaultIntended"),
    pytest.param(HopIntended(hop="db", admin="http://127.0.0.1:1", proxy="db"), id="HopIntended"),
    pytest.param(ProcessIntended(name="app", argv=("app",)), id="ProcessIntended"),
    pytest.param(ProcessStarted(name="app", pid=2, pgid=2, created=1.5), id="ProcessStarted"),
    pytest.param(
        FaultUndone(fault="latency@db", round=1, asked=NOW, confirmed=NOW, found=True),
        id="FaultUndone",
    ),
    pytest.param(RunFinished(), id="RunFinished"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def test_events_when_recorded_then_are_numbered_from_one_and_stamped(path):
    with Journal(path) as journal:
        first = journal.record(RoundStarted(round=1))
        second = journal.record(RoundFinished(round=1))
    assert (first.n, second.n) == (1, 2)
    assert 0 < first.t <= second.t
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first.at)
    assert read(path).events == [first, second]


@given(st.lists(strategies.events, min_size=1, max_size=5))
def test_events_when_recorded_then_live_and_read_are_the_same(tmp_path_factory, events):
    """What a subscriber folds live is what a report reads later."""
    path = tmp_path_factory.mktemp("live") / "journal.jsonl"
    live = []
    with Journal(path, subscribers=[live.append]) as journal:
        returned = [journal.record(event) for event in events]
    assert read(path).events == live == returned


@pytest.mark.parametrize("event", DURABLE)
def test_what_must_be_undone_when_recorded_then_is_synced_before_it_returns(
    path, event, monkeypatch
):
    synced = []
    real = os.fsync

    def fsync(fd):
        real(fd)
        synced.append(path.read_bytes().count(b"\n"))

    with Journal(path) as journal:
        journal.record(RoundStarted(round=1))
        monkeypatch.setattr(os, "fsync", fsync)
        seen_by_subscriber = []
        journal.subscribe(lambda _: seen_by_subscriber.append(list(synced)))
        journal.record(event)
        assert synced == [2], "the line and all before it were on disk at the first sync"
        assert seen_by_subscriber == [[2]], "and before anybody heard of it"


def test_other_events_when_recorded_then_are_not_synced_one_by_one(path, monkeypatch):
    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", lambda fd: pytest.fail("synced"))
        for n in range(1000):
            journal.record(RoundStarted(round=n))
        monkeypatch.undo()


def test_file_when_made_then_its_name_is_synced_too(path, monkeypatch):
    folders = []
    real = os.fsync

    def fsync(fd):
        real(fd)
        folders.append(os.fstat(fd).st_ino == path.parent.stat().st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    Journal(path)
    assert folders == [True]


def test_buffer_when_time_has_passed_or_it_is_full_then_is_handed_on(path, monkeypatch):
    with Journal(path) as journal:
        journal.record(TargetFailed(what="app", detail="x" * FLUSH_BYTES))
        assert len(read(path).events) == 1, "full"
        journal.record(RoundStarted(round=1))
        journal._flushed_at -= 200_000_000
        journal.record(RoundStarted(round=2))
        assert len(read(path).events) == 3, "late"


def test_flush_when_called_then_all_is_in_the_file(path):
    with Journal(path) as journal:
        journal.record(RoundStarted(round=1))
        journal.flush()
        assert len(read(path).events) == 1


def test_journal_when_the_file_exists_then_is_refused_and_the_file_untouched(path):
    path.write_text("precious")
    with pytest.raises(UserError, match="there is a journal already"):
        Journal(path)
    assert path.read_text() == "precious"


def test_journal_when_its_folder_is_missing_then_is_lost_with_the_reason(tmp_path):
    with pytest.raises(JournalLost, match="No such file or directory"):
        Journal(tmp_path / "gone" / "journal.jsonl")


def test_record_when_closed_then_is_lost(path):
    journal = Journal(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalLost, match="closed"):
        journal.record(RoundStarted(round=1))


def test_value_without_written_form_when_recorded_then_no_number_is_lost(path):
    bad = ProbeRead(probe="p", purpose="always", round=1, asked=NOW, answered=NOW, value=object())
    with Journal(path) as journal:
        with pytest.raises(HarnessBug):
            journal.record(bad)
        assert journal.record(RoundStarted(round=1)).n == 1


def test_undecodable_output_when_recorded_then_is_written_with_question_marks(path):
    detail = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")
    with Journal(path) as journal:
        journal.record(TargetFailed(what="app", detail=detail))
    (event,) = read(path).events
    assert event.detail == "caf? ?"


class TestSecrets:
    def test_secret_when_hidden_then_stands_neither_in_file_nor_with_subscribers(self, path):
        live = []
        with Journal(path, subscribers=[live.append]) as journal:
            journal.hide('hun"ter\\2é')
            journal.record(TargetFailed(what="app", detail='login hun"ter\\2é failed'))
        (event,) = read(path).events
        assert event.detail == "login ••• failed"
        assert live == [event]

    def test_secret_when_it_is_like_the_stamp_then_the_stamp_stays(self, path):
        with Journal(path) as journal:
            journal.hide("20")
            event = journal.record(TargetFailed(what="app", detail="in 2026"))
        assert event.detail == "in •••26"
        assert event.at.startswith("20")

    def test_empty_secret_when_hidden_then_changes_nothing(self, path):
        with Journal(path) as journal:
            journal.hide("")
            assert journal.record(TargetFailed(what="app", detail="x")).detail == "x"

    def test_redact_when_given_then_is_applied_to_every_text(self, path):
        with Journal(path, redact=str.upper) as journal:
            event = journal.record(TargetFailed(what="app", detail="x", hint="y"))
        assert (event.what, event.detail, event.hint) == ("APP", "X", "Y")


class TestSubscribers:
    def test_subscriber_when_it_raises_then_the_others_and_the_file_go_on(self, path):
        live = []

        def broken(event):
            raise ValueError("no colour terminal")

        with Journal(path, subscribers=[broken, live.append]) as journal:
            first = journal.record(RoundStarted(round=1))
            journal.record(RoundStarted(round=2))
            (failure,) = journal.failures
        assert len(live) == len(read(path).events) == 2
        assert failure.subscriber is broken
        assert failure.event == first
        assert str(failure.error) == "no colour terminal"

    def test_subscriber_when_it_records_then_all_see_the_same_order(self, path):
        seen = []

        def answer(event):
            if isinstance(event, RoundStarted):
                journal.record(RoundFinished(round=event.round))

        with Journal(path, subscribers=[answer, seen.append]) as journal:
            journal.record(RoundStarted(round=1))
        assert [event.n for event in seen] == [1, 2]
        assert seen == read(path).events


class TestThreads:
    def test_threads_when_recording_then_lines_are_whole_and_in_order(self, path):
        live = []
        start = threading.Barrier(4)
        with Journal(path, subscribers=[live.append]) as journal:

            def work(who):
                start.wait()
                for n in range(200):
                    journal.record(TargetFailed(what=f"thread {who}", detail="x" * n))

            threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        events = read(path).events
        assert [event.n for event in events] == list(range(1, 801))
        assert [event.t for event in events] == sorted(event.t for event in events)
        assert live == events


class TestLostDisk:
    @pytest.fixture
    def full(self, monkeypatch):
        """From the call on, the disk takes ten more bytes of a write and then none."""

        def fill():
            real = os.write
            taken = []

            def write(fd, data):
                if taken:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                taken.append(fd)
                return real(fd, data[:10])

            monkeypatch.setattr(os, "write", write)

        return fill

    def test_disk_when_full_then_the_message_names_file_and_reason(self, path, full):
        journal = Journal(path)
        full()
        with pytest.raises(JournalLost, match=r"journal\.jsonl.*No space left on device"):
            journal.record(INTENDED)
        assert journal.lost is not None

    def test_disk_when_full_then_the_file_ends_with_a_whole_line(self, path, full):
        journal = Journal(path)
        kept = journal.record(INTENDED)
        full()
        with pytest.raises(JournalLost):
            journal.record(INTENDED)
        reading = read(path)
        assert (reading.events, reading.torn) == ([kept], None)

    def test_journal_when_lost_then_nothing_new_begins_and_undoing_goes_on(self, path, full):
        live = []
        journal = Journal(path, subscribers=[live.append])
        full()
        for _ in range(2):
            with pytest.raises(JournalLost):
                journal.record(INTENDED)
        journal.record(RoundFinished(round=1))
        journal.flush()
        journal.close()
        assert [type(event) for event in live] == [RoundFinished]

    def test_sync_when_it_fails_then_the_journal_is_lost(self, path, monkeypatch):
        def fsync(fd):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        journal = Journal(path)
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(JournalLost, match="Input/output error"):
            journal.record(INTENDED)


def test_record_when_the_disk_fills_up_then_what_happened_is_still_delivered(tmp_path, monkeypatch):
    seen = []
    journal = Journal(tmp_path / "journal.jsonl", subscribers=[seen.append])
    journal.record(RoundStarted(round=1))

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.journal.writer.os.write", full)
    undone = FaultUndone(
        fault="latency@db", round=1, asked=Instant.of_ns(1), confirmed=Instant.of_ns(2), found=True
    )
    with pytest.raises(JournalLost):
        journal.record(undone)
    assert [type(event) for event in seen] == [RoundStarted, FaultUndone]
    monkeypatch.undo()
    journal.close()


def test_record_when_a_reading_holds_a_secret_then_it_says_that_it_is_not_what_was_read(tmp_path):
    at = Instant.of_ns(1)
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.hide("alice")
        read_values = [
            journal.record(
                ProbeRead(
                    probe="owner", purpose="at-end", round=1, asked=at, answered=at, value=value
                )
            )
            for value in ("alice", "bobby")
        ]
    assert [(event.value, event.hidden) for event in read_values] == [
        ("•••", True),
        ("bobby", False),
    ]
