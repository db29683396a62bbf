"""A service's process, twice a second: memory and sockets of it and its children, under the phase that is on."""

import asyncio
import os
import socket
from unittest.mock import Mock

import psutil
import pytest

from harness.model.events import AnyEvent, ProcessSampled
from harness.runner.breaker import sampling
from harness.runner.breaker.sampling import ProcessWatch
from tests.support import virtual_time


def a_watch(events: list[AnyEvent], phase: str = "slow", pid: int | None = None) -> ProcessWatch:
    return ProcessWatch("app", pid or os.getpid(), record=events.append, phase=lambda: phase)


def sample(watch: ProcessWatch, **how: object) -> int | None:
    return asyncio.run(watch.sample(**how))  # type: ignore[arg-type]  # as the test names them


def test_sample_when_sockets_are_opened_then_they_are_counted():
    events: list[AnyEvent] = []
    watch = a_watch(events)
    sample(watch)
    opened = [socket.socket() for _ in range(7)]
    memory = sample(watch, rejections=2_000)
    for each in opened:
        each.close()
    before, after = [event for event in events if isinstance(event, ProcessSampled)]
    assert (after.sockets or 0) - (before.sockets or 0) == 7
    assert memory == after.memory > 1_000_000
    assert (after.service, after.phase, after.rejections) == ("app", "slow", 2_000)


def test_sample_when_the_kernel_has_no_list_then_each_process_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
):
    events: list[AnyEvent] = []
    monkeypatch.setattr(sampling, "_DESCRIPTORS", tmp_path / "nothing")  # type: ignore[operator]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        sample(a_watch(events))
    (sampled,) = events
    assert isinstance(sampled, ProcessSampled)
    assert (sampled.sockets or 0) >= 1


def test_sample_when_a_process_hides_its_sockets_then_they_are_unknown_and_its_memory_is_not(
    monkeypatch: pytest.MonkeyPatch,
):
    events: list[AnyEvent] = []
    hidden = Mock(pid=os.getpid(), memory_info=Mock(return_value=Mock(rss=5)))
    monkeypatch.setattr(sampling, "family", lambda _pid: [hidden])
    monkeypatch.setattr(sampling, "_sockets", Mock(side_effect=PermissionError))
    assert sample(a_watch(events)) == 5
    (sampled,) = events
    assert isinstance(sampled, ProcessSampled)
    assert sampled.sockets is None


def test_sample_when_the_process_is_gone_then_there_is_none(monkeypatch: pytest.MonkeyPatch):
    events: list[AnyEvent] = []
    monkeypatch.setattr(sampling, "family", Mock(side_effect=psutil.NoSuchProcess(1)))
    assert sample(a_watch(events)) is None
    assert events == []


def test_running_when_no_phase_is_on_then_nothing_is_sampled(monkeypatch: pytest.MonkeyPatch):
    events: list[AnyEvent] = []
    phase = ["one"]

    async def at_once(work: object) -> object:
        return work()  # type: ignore[operator]

    monkeypatch.setattr(sampling, "in_thread", at_once)
    watch = ProcessWatch("app", os.getpid(), record=events.append, phase=lambda: phase[0])

    async def scenario() -> None:
        async with watch.running():
            await virtual_time_passes(1.1)
            phase[0] = ""
            await virtual_time_passes(5)
        await virtual_time_passes(5)

    virtual_time.run(scenario())
    assert [event.phase for event in events if isinstance(event, ProcessSampled)] == ["one"] * 3


async def virtual_time_passes(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time
