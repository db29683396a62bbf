"""The stacks that tests put together in few words."""

import asyncio
from pathlib import Path

import pytest

from tests.support.stacks import Scene, a_plan, a_service, a_target


def test_a_plan_when_made_then_it_holds_the_target_and_nothing_to_do(tmp_path: Path) -> None:
    plan = a_plan(a_target(tmp_path, [a_service("app", run="serve")]), variant="naive")
    assert plan.target.services[0].params == {"run": "serve"}
    assert (plan.variant, plan.method, plan.invariants) == ("naive", (), ())


def test_up_when_the_test_fails_within_then_the_services_are_stopped(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    process = []

    async def play() -> None:
        async with scene.up(a_service("app", run="sleep 60")) as stack:
            process.append(stack._processes["app"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(play())
    assert not process[0].running()
