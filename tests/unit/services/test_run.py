"""The kind ``run``: words, ports, environment, working directory."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import UserError
from harness.model.units import Duration
from tests.support.stacks import Scene, a_service
from tests.support.waiting import until

SHOWS = "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ.get('X'))"
# A service that has ended before anybody asked it is an error.
STAYS = "; import signal; signal.pause()"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    (made.target / "show.py").write_text(SHOWS + STAYS)
    return made


def shown(scene: Scene, command: str, *, env: dict[str, str] | None = None, **params: Any) -> str:
    """The line that ``show.py`` printed."""

    async def play() -> str:
        plan = a_service("app", env=env or {}, run=command, **params)
        async with scene.up(plan):
            return await until(
                lambda: scene.log("app").endswith("\n") and scene.log("app").strip(),
                within=Duration.of_s(30),
                what="the program has printed its line",
                log=lambda: scene.log("app"),
            )

    return asyncio.run(play())


def test_run_when_quoted_then_words_stay_whole_and_no_shell_reads_them(scene: Scene) -> None:
    text = shown(scene, "python show.py 'a b' $HOME \"c;d\" >x")
    assert text.startswith("['a b', '$HOME', 'c;d', '>x']")


def test_run_when_a_value_has_blanks_then_it_stays_one_word(scene: Scene) -> None:
    scene.env["ODD"] = "a b 'c"
    assert shown(scene, "python show.py {env:ODD}").startswith('["a b \'c"]')


def test_run_when_started_then_in_the_target_s_folder_with_its_env(scene: Scene) -> None:
    assert shown(scene, "python show.py", env={"X": "{variant}y"}).endswith(f"{scene.target} y")


def test_run_when_it_has_a_cwd_then_it_is_below_the_target_s_folder(scene: Scene) -> None:
    (scene.target / "deep").mkdir()
    assert f"{scene.target}/deep" in shown(scene, "python ../show.py", cwd="deep")


def test_run_when_our_python_s_folder_has_the_command_then_that_is_taken(scene: Scene) -> None:
    (scene.target / "show.py").write_text("import sys; print(sys.executable)" + STAYS)
    beside = Path(sys.executable).parent
    assert Path(shown(scene, "python show.py")).parent == beside


def test_run_when_a_module_is_named_by_its_package_then_the_target_s_folder_is_that_package(
    scene: Scene,
) -> None:
    scene.env["PYTHONPATH"] = "/was/there"
    (scene.target / "show.py").write_text(
        "import os, shop.inner as i; print(i.x, os.environ['PYTHONPATH'])" + STAYS
    )
    (scene.target / "inner.py").write_text("x = 'found'")
    expected = f"found {scene.folder}{os.pathsep}/was/there"
    assert shown(scene, "python show.py") == expected


@pytest.mark.parametrize(
    ("command", "says"),
    [
        pytest.param(
            "python 'open", "cannot be split into words: No closing quotation", id="quote"
        ),
        pytest.param("   ", "app: the command is empty", id="empty"),
        pytest.param("no-such-tool {port}", "'no-such-tool' was not found", id="missing"),
    ],
)
def test_run_when_the_command_is_none_then_user_error(
    scene: Scene, command: str, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        shown(scene, command)
