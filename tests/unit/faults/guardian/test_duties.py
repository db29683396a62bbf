"""What a journal leaves to be undone."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faults.guardian.duties import Duties, duties, events_in
from harness.journal.lines import encode
from harness.model.events import (
    AnyEvent,
    ContainerIntended,
    ContainerRemoved,
    FaultIntended,
    FaultUndone,
    HopClosed,
    HopIntended,
    HopOpened,
    ProcessEnded,
    ProcessStarted,
    RoundStarted,
    RunFinished,
)
from harness.model.units import Instant


def intended(fault: str = "latency-1", round: int = 1) -> FaultIntended:
    return FaultIntended(
        fault=fault, kind="toxic", on="db", round=round, params={}, undo={"admin": "http://x:1"}
    )


def undone(fault: str = "latency-1", round: int = 1) -> FaultUndone:
    now = Instant.of_ns(1)
    return FaultUndone(fault=fault, round=round, asked=now, confirmed=now, found=True)


def hop(proxy: str = "harness-1-db") -> HopIntended:
    return HopIntended(hop="db", admin="http://x:1", proxy=proxy)


def closed(proxy: str = "harness-1-db") -> HopClosed:
    return HopClosed(hop="db", admin="http://x:1", proxy=proxy, found=True)


def process(name: str, pid: int) -> ProcessStarted:
    return ProcessStarted(name=name, pid=pid, pgid=pid, created=1.0)


def written(folder: Path, events: Sequence[AnyEvent], tail: bytes = b"") -> Path:
    path = folder / "journal.jsonl"
    path.write_bytes(b"".join(encode(event) for event in events) + tail)
    return path


def test_duties_when_nothing_was_begun_then_nothing_is_left() -> None:
    assert duties([]) == Duties()


def test_duties_when_the_run_finished_then_it_says_so() -> None:
    assert duties([RunFinished()]).finished


def test_duties_when_faults_are_in_force_then_the_latest_comes_first() -> None:
    left = duties([intended("a"), intended("b"), undone("a"), intended("a", 2)])
    assert [(fault.fault, fault.round) for fault in left.faults] == [("a", 2), ("b", 1)]


def test_duties_when_a_hop_was_closed_then_only_the_other_is_left() -> None:
    assert duties([hop("one"), hop("two"), closed("one")]).hops == (hop("two"),)


def test_duties_when_a_process_ended_then_its_group_is_looked_at_all_the_same() -> None:
    first, second = process("app", 10), process("postgres", 11)
    ended = ProcessEnded(name="app", pid=10, exit_code=1, expected=False)
    left = duties([first, second, ended])
    assert left.started == (first, second)
    assert left.running == (second,)


def test_duties_when_a_hop_is_on_our_own_proxy_then_its_api_is_known_as_ours() -> None:
    opened = HopOpened(
        hop="db", admin="http://x:9", proxy="db", listen="x:1", upstream="x:2", observed="here"
    )
    assert duties([opened]).own_admins == {"http://x:9"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2), st.booleans())))
def test_duties_when_faults_come_and_go_then_those_not_undone_since_are_left(
    course: list[tuple[str, int, bool]],
) -> None:
    events: list[AnyEvent] = []
    expected: set[tuple[str, int]] = set()
    for name, number, begins in course:
        events.append(intended(name, number) if begins else undone(name, number))
        (expected.add if begins else expected.discard)((name, number))
    assert {(f.fault, f.round) for f in duties(events).faults} == expected


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b'{"type":"RunFinished"', id="torn"),
        pytest.param(b'{"type":"RunFinished","n":"seventeen"}\n', id="damaged"),
        pytest.param(b"\x00" * 300 + b'"type":"RunFinished"', id="zeros"),
        pytest.param(b'{"type":"FaultIntended","fault":"\xff"}\n', id="no-utf8"),
    ],
)
def test_events_in_when_the_tail_is_torn_then_the_rest_is_read_and_the_run_is_not_finished(
    tmp_path: Path, tail: bytes
) -> None:
    path = written(tmp_path, [RoundStarted(round=1), intended()], tail)
    left = duties(events_in(path))
    assert not left.finished
    assert left.faults == (intended(),)


def test_events_in_when_there_is_no_journal_then_nothing(tmp_path: Path) -> None:
    assert list(events_in(tmp_path / "none.jsonl")) == []


def test_events_in_when_a_text_only_mentions_an_event_then_it_is_not_taken_for_one(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, [process('"type":"RunFinished"', 5)])
    assert not duties(events_in(path)).finished


def container(name: str) -> ContainerIntended:
    return ContainerIntended(name="app", container=name, image="app:1")


def test_duties_when_containers_come_and_go_then_those_not_removed_are_left_the_latest_first() -> (
    None
):
    removed = ContainerRemoved(name="app", container="b", found=True)
    left = duties([container("a"), container("b"), removed, container("c")]).containers
    assert left == (container("c"), container("a"))


def test_duties_when_our_own_proxy_stands_in_a_container_then_it_does_not_end_with_the_run() -> (
    None
):
    opened = HopOpened(
        hop="db",
        admin="http://x:1",
        proxy="harness-1-db",
        listen="p:1",
        upstream="d:1",
        observed="here",
    )
    assert duties([opened]).own_admins == {"http://x:1"}
    assert duties([hop(), opened]).own_admins == frozenset()


def test_events_when_read_for_duties_then_containers_are_among_them(tmp_path: Path) -> None:
    events = [container("a"), ContainerRemoved(name="app", container="a", found=True)]
    assert len(list(events_in(written(tmp_path, events)))) == 2
