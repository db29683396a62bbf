"""The environment of what a target starts: its commands and modules are found, the rest is ours."""

import os
import sys
from pathlib import Path

from harness.processes.surroundings import search_path, surroundings

OURS = str(Path(sys.executable).parent)


def test_surroundings_when_made_then_ours_with_the_paths_in_front() -> None:
    env = {"PATH": "/other/bin", "PYTHONPATH": "/was/there", "KEPT": "yes"}
    assert surroundings(env, Path("/targets/shop")) == {
        "PATH": f"{OURS}{os.pathsep}/other/bin",
        "PYTHONPATH": f"/targets{os.pathsep}/was/there",
        "PYTHONUNBUFFERED": "1",
        "KEPT": "yes",
    }
    assert env["PATH"] == "/other/bin"


def test_surroundings_when_buffering_was_chosen_then_it_stays() -> None:
    assert surroundings({"PYTHONUNBUFFERED": ""}, Path("/x"))["PYTHONUNBUFFERED"] == ""


def test_search_path_when_the_user_activated_an_environment_then_its_programs_come_first() -> None:
    env = {"VIRTUAL_ENV": "/theirs", "PATH": "/other/bin"}
    assert search_path(env).split(os.pathsep) == ["/theirs/bin", OURS, "/other/bin"]
    assert search_path({**env, "VIRTUAL_ENV": sys.prefix}).split(os.pathsep) == [OURS, "/other/bin"]
