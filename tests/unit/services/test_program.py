"""What programs have in common: their environment, and how many files they may have open."""

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import pytest

from harness.kinds import to_params
from harness.model.errors import UserError
from harness.model.units import Duration
from harness.services.program import Limits
from harness.services.run import RunService
from harness.services.stack import Stack
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until

S30 = Duration.of_s(30)
SHOWS = """
import json, os, resource, signal, subprocess, sys
child = subprocess.run(["sh", "-c", "ulimit -n"], capture_output=True, text=True)
print(json.dumps({
    "argv": sys.argv[1:], "pid": os.getpid(), "env": dict(os.environ), "child": child.stdout.strip(),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)}))
signal.pause()
"""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    (made.target / "show.py").write_text(SHOWS)
    return made


def shown(scene: Scene, stack: Stack) -> dict[str, Any]:
    """What ``show.py`` printed."""

    async def play() -> str:
        try:
            await stack.bring_up()
            said = await until(
                lambda: scene.log("app").endswith("\n") and scene.log("app"),
                within=S30,
                what="the program has printed its line",
                log=lambda: scene.log("app"),
            )
            assert json.loads(said)["pid"] == stack.pids["app"]
            return said
        finally:
            await stack.stop()

    return dict(json.loads(asyncio.run(play())))


def test_limits_when_files_are_limited_then_both_limits_hold_for_the_program_itself(
    scene: Scene,
) -> None:
    plan = a_service("app", run="python show.py 'a b' '$c'", limits={"files": 200})
    said = shown(scene, scene.stack(plan))
    assert said["files"] == [200, 200]
    assert said["child"] == "200"
    assert said["argv"] == ["a b", "$c"]


def test_limits_when_there_are_none_then_they_are_ours(scene: Scene) -> None:
    said = shown(scene, scene.stack(a_service("app", run="python show.py", limits={})))
    assert said["files"] == list(resource.getrlimit(resource.RLIMIT_NOFILE))


def test_limits_when_the_command_is_missing_then_it_is_told_as_without_them(scene: Scene) -> None:
    plan = a_service("app", run="no-such-tool", limits={"files": 200})
    with pytest.raises(UserError, match="app: the command 'no-such-tool' was not found"):
        shown(scene, scene.stack(plan))
    assert scene.events == []


def test_limits_when_the_machine_allows_fewer_then_user_error_says_how_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (100, 300))
    plan = a_service("app", run="python show.py", limits={"files": 301})
    with pytest.raises(UserError, match=r"limits\.files is 301, and this machine allows 300"):
        shown(scene, scene.stack(plan))


@pytest.mark.parametrize("files", [15, 0, -1])
def test_limits_when_no_program_could_start_then_refused(files: int) -> None:
    with pytest.raises(ValueError, match=f"files is {files}; no program starts with fewer than 16"):
        Limits(files=files)


def test_limits_when_they_are_plain_values_then_read_with_the_kind_s_own() -> None:
    made = to_params(RunService.Params, {"run": "x", "limits": {"files": 256}})
    assert made.limits == Limits(files=256)


def test_environment_when_the_variant_has_one_then_it_wins_over_the_service_s(
    scene: Scene,
) -> None:
    service = a_service("app", env={"A": "service", "B": "{variant}"}, run="python show.py")
    scene.env["A"] = "ours"
    stack = scene.stack(service, variant="lock", env={"A": "{variant}!", "C": "2"})
    env = shown(scene, stack)["env"]
    assert (env["A"], env["B"], env["C"]) == ("lock!", "lock", "2")
    assert env["PYTHONPATH"].startswith(str(scene.folder))
