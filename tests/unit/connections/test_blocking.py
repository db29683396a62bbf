"""Blocking calls in threads: a cancellation waits for the call, and is not swallowed."""

import asyncio
import threading

import pytest

from harness.connections.blocking import in_thread, to_the_end


def test_in_thread_when_the_call_returns_then_its_value_comes_back():
    assert asyncio.run(in_thread(lambda: 42)) == 42


def test_in_thread_when_the_call_raises_then_its_error_comes_back():
    def broken() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(in_thread(broken))


def test_in_thread_when_cancelled_then_the_call_ends_before_the_cancel_passes():
    entered, let_go = threading.Event(), threading.Event()
    ended: list[str] = []

    def call() -> None:
        entered.set()
        let_go.wait(10)
        ended.append("call")

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(in_thread(call))
            await asyncio.to_thread(entered.wait, 10)
            task.cancel()
            await asyncio.to_thread(let_go.set)
            with pytest.raises(asyncio.CancelledError):
                await task
            ended.append("cancel")

    asyncio.run(scenario())
    assert ended == ["call", "cancel"]


def test_to_the_end_when_cancelled_twice_then_the_work_still_ends_first():
    ended: list[str] = []

    async def scenario() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await go_on.wait()
            ended.append("work")

        async with asyncio.TaskGroup() as group:
            task = group.create_task(to_the_end(work()))
            await begun.wait()
            for _ in range(2):
                task.cancel()
                await asyncio.wait([task], timeout=0)
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())
    assert ended == ["work"]
