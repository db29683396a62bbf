"""Signals: the first cancels the run, the second leaves at once; while cleaning up the first is noted."""

import asyncio
import os
import signal

import pytest

from harness.model.units import Duration
from harness.runner.stop import StopSignals
from tests.support.waiting import until

s = Duration.of_s


def test_stop_when_a_signal_comes_then_the_current_task_is_cancelled_once():
    async def scenario() -> str | None:
        with StopSignals() as stop:
            stop.attend()
            os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
            return stop.received

    assert asyncio.run(scenario()) == "SIGTERM"


def test_stop_when_shielded_then_a_signal_is_noted_and_cancels_nothing():
    async def scenario() -> str | None:
        with StopSignals() as stop:
            stop.shield()
            os.kill(os.getpid(), signal.SIGINT)
            await until(lambda: stop.received, within=s(5), what="the signal is noted")
            return stop.received

    assert asyncio.run(scenario()) == "SIGINT"


def test_stop_when_a_second_signal_comes_then_the_process_leaves_with_130():
    left: list[int] = []

    async def scenario() -> None:
        with StopSignals(leave=left.append) as stop:
            stop.shield()
            os.kill(os.getpid(), signal.SIGINT)
            await until(lambda: stop.received, within=s(5), what="the signal is noted")
            os.kill(os.getpid(), signal.SIGINT)
            await until(lambda: left, within=s(5), what="the process leaves")

    asyncio.run(scenario())
    assert left == [130]


def test_attend_when_a_signal_came_between_two_runs_then_the_next_does_not_begin():
    async def scenario() -> None:
        with StopSignals() as stop:
            stop.shield()
            os.kill(os.getpid(), signal.SIGTERM)
            await until(lambda: stop.received, within=s(5), what="the signal is noted")
            with pytest.raises(KeyboardInterrupt):
                stop.attend()

    asyncio.run(scenario())
