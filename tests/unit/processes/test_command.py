"""Commands found, or refused in words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.model.errors import UserError
from harness.processes.command import (
    first_on_path,
    not_started,
    own_environment,
    own_program,
    resolve,
    with_few_files,
    words_of,
)


def program(folder: Path, name: str = "tool") -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_resolve_when_the_command_is_on_the_path_of_its_env_then_absolute(tmp_path: Path) -> None:
    tool = program(tmp_path)
    found = resolve("app", ["tool", "-x"], env={"PATH": str(tmp_path)}, cwd=tmp_path)
    assert found == [str(tool), "-x"]


def test_resolve_when_only_our_own_path_has_it_then_it_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"app: the command 'sh' was not found on PATH \(/nowhere\)"
    ):
        resolve("app", ["sh"], env={"PATH": "/nowhere"}, cwd=tmp_path)


def test_resolve_when_the_path_is_relative_then_it_is_in_the_working_directory(
    tmp_path: Path,
) -> None:
    tool = program(tmp_path)
    assert resolve("app", ["./tool"], env={}, cwd=tmp_path) == [str(tool)]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(OSError(8, "Exec format error"), "#!/bin/sh", id="no-program"),
        pytest.param(OSError(2, "No such file"), "interpreter", id="no-interpreter"),
        pytest.param(OSError(7, "Argument list too long"), "too long", id="too-long"),
        pytest.param(OSError(13, "Permission denied"), "Permission denied", id="other"),
    ],
)
def test_not_started_when_the_system_refused_then_says_what_that_means(
    error: OSError, says: str
) -> None:
    assert says in str(not_started("app", "/x/tool", error))


def test_own_program_when_the_folder_has_a_module_named_like_one_of_ours_then_ours_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "shown.py").write_text("import json; print(json.dumps({}))")
    env = own_environment({"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "more")})
    (tmp_path / "more").mkdir()
    (tmp_path / "shown.py").rename(tmp_path / "more" / "shown.py")
    ran = subprocess.run(
        own_program("shown"), cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert json.loads(ran.stdout) == {}, ran.stderr


def test_own_environment_when_made_then_our_package_is_found_first() -> None:
    home = str(Path(harness.__file__).resolve().parent.parent)
    assert own_environment({"A": "b"}) == {"A": "b", "PYTHONPATH": home}
    assert own_environment({"PYTHONPATH": "/x"})["PYTHONPATH"] == f"{home}{os.pathsep}/x"
    assert own_program("harness.proxy", "--port", "0")[0] == sys.executable


def test_first_on_path_when_there_was_none_then_no_empty_part_is_left() -> None:
    assert first_on_path("/x", None) == first_on_path("/x", "") == "/x"
    assert first_on_path("/x", "/y:/z") == "/x:/y:/z"


def test_words_of_when_quoted_then_words_stay_whole_and_no_shell_reads_them() -> None:
    assert words_of("rm -f '{folder}/a b' $HOME", what="reset") == [
        "rm",
        "-f",
        "{folder}/a b",
        "$HOME",
    ]
    assert words_of("  ", what="reset") == []
    with pytest.raises(UserError, match="reset: the command cannot be split into words"):
        words_of("rm 'x", what="reset")


def test_with_few_files_when_started_then_both_limits_hold_for_it_and_its_children() -> None:
    says = "ulimit -Sn; ulimit -Hn; sh -c 'ulimit -n'; echo \"$*\""
    argv = with_few_files(["/bin/sh", "-c", says, "sh", "a b", "$c"], 64)
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["64", "64", "64", "a b $c"]


def test_with_few_files_when_started_then_the_process_is_the_program_itself() -> None:
    shows = "import os; print(os.getpid())"
    with subprocess.Popen(
        with_few_files([sys.executable, "-c", shows], 64), stdout=subprocess.PIPE, text=True
    ) as ran:
        said = ran.communicate()[0]
    assert int(said) == ran.pid
