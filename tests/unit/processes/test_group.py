"""Starting and stopping real programs: groups, logs, marks, and whatever tries to escape."""

import asyncio
import os
import signal
import sys
import threading
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from harness.model.errors import TargetError, UserError
from harness.model.events import AnyEvent, ProcessEnded, ProcessIntended, ProcessStarted
from harness.model.units import Duration
from harness.processes import group as group_module
from harness.processes.group import ProcessGroup, start
from harness.processes.marks import MARK, is_living, marked
from tests.support.waiting import until

T = TypeVar("T")
S30 = Duration.of_s(30)
SHORT = Duration.of_ms(200)


class Scene:
    """A folder, a mark and a list of events, for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = f"test-{uuid.uuid4().hex}"
        self.events: list[AnyEvent] = []
        self.env = {"PATH": os.environ["PATH"]}

    async def start(self, *argv: str, name: str = "app", **more: Any) -> ProcessGroup:
        settings: dict[str, Any] = {
            "env": self.env,
            "cwd": self.folder,
            "log": self.folder / f"{name}.log",
            "mark": self.mark,
            "record": self.events.append,
        }
        return await start(name, argv, **{**settings, **more})

    async def python(self, code: str, **more: Any) -> ProcessGroup:
        return await self.start(sys.executable, "-c", code, **more)

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(what)


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    made = Scene(tmp_path)
    yield made
    for process in marked(made.mark):
        process.kill()


def test_start_when_program_prints_then_both_streams_are_in_its_log(scene: Scene) -> None:
    async def play() -> None:
        group = await scene.python("import sys; print('out'); print('err', file=sys.stderr)")
        assert await group.wait() == 0

    scene.run(play())
    assert sorted((scene.folder / "app.log").read_text().split()) == ["err", "out"]


def test_start_when_it_ends_by_itself_then_events_tell_its_whole_life(scene: Scene) -> None:
    async def play() -> None:
        group = await scene.python("raise SystemExit(3)")
        assert await group.wait() == 3
        assert not group.running()

    scene.run(play())
    intended, started, ended = scene.events
    assert isinstance(intended, ProcessIntended)
    assert intended.argv[0] == sys.executable
    assert isinstance(started, ProcessStarted)
    assert started.pid == started.pgid
    assert isinstance(ended, ProcessEnded)
    assert (ended.exit_code, ended.expected) == (3, False)


def test_start_when_it_runs_then_it_has_mark_own_session_and_no_input(scene: Scene) -> None:
    code = (
        "import os, sys; print(os.environ['HARNESS_RUN'], os.getsid(0) == os.getpid(),"
        " sys.stdin.read() == '', os.getcwd(), flush=True)"
    )

    async def play() -> None:
        await (await scene.python(code)).wait()

    scene.run(play())
    expected = f"{scene.mark} True True {scene.folder}"
    assert (scene.folder / "app.log").read_text().strip() == expected


def test_start_when_we_hold_an_inheritable_descriptor_then_the_program_does_not_get_it(
    scene: Scene,
) -> None:
    ours, other = os.pipe()
    os.set_inheritable(ours, True)
    code = f"import os\ntry: os.fstat({ours}); print('leaked')\nexcept OSError: print('closed')"

    async def play() -> None:
        await (await scene.python(code)).wait()

    scene.run(play())
    os.close(ours)
    os.close(other)
    assert (scene.folder / "app.log").read_text().strip() == "closed"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param(
            ["no-such-program-here"], "'no-such-program-here' was not found on PATH", id="on-path"
        ),
        pytest.param(["./missing"], "missing does not exist", id="by-path"),
        pytest.param(["./plain"], "plain is not executable", id="no-x"),
        pytest.param(["./nonsense"], "could not be started: Exec format error", id="no-program"),
        pytest.param(["./lost"], "could not be started: No such file", id="no-interpreter"),
        pytest.param([], "the command is empty", id="empty"),
    ],
)
def test_start_when_command_cannot_run_then_user_error_says_why(
    scene: Scene, argv: list[str], says: str
) -> None:
    (scene.folder / "plain").write_text("")
    for name, text in (("nonsense", "\x00\x01"), ("lost", "#!/no/such/interpreter\n")):
        (scene.folder / name).write_text(text)
        (scene.folder / name).chmod(0o755)
    with pytest.raises(UserError) as raised:
        scene.run(scene.start(*argv))
    assert says in str(raised.value)
    assert str(raised.value).startswith("app: ")
    assert not any(isinstance(event, ProcessStarted) for event in scene.events)


def test_start_when_cwd_is_missing_then_user_error_names_it(scene: Scene) -> None:
    with pytest.raises(UserError, match="nowhere is no folder"):
        scene.run(scene.start("true", cwd=scene.folder / "nowhere"))


def test_start_when_the_started_event_cannot_be_written_then_nothing_runs(scene: Scene) -> None:
    def record(event: AnyEvent) -> None:
        if isinstance(event, ProcessStarted):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        scene.run(scene.python("import time; time.sleep(60)", record=record))
    assert marked(scene.mark) == []


def test_stop_when_program_obeys_then_it_ended_as_expected(scene: Scene) -> None:
    async def play() -> int | None:
        group = await scene.python("import time; time.sleep(60)")
        await group.stop(grace=S30)
        await group.stop(grace=S30)
        return group.exit_code

    assert scene.run(play()) == -signal.SIGTERM
    ended = [event for event in scene.events if isinstance(event, ProcessEnded)]
    assert [event.expected for event in ended] == [True]


IGNORES = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A grandchild with a session of its own, which init adopts: out of the group, found by its mark.
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("daemon", os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
print("up", flush=True)
time.sleep(60)
"""


def test_stop_when_program_ignores_sigterm_then_it_is_killed(scene: Scene) -> None:
    async def play() -> int | None:
        group = await scene.python(IGNORES)
        await until(lambda: "up" in group.log.read_text(), within=S30, what="the program is up")
        await group.stop(grace=SHORT)
        return group.exit_code

    assert scene.run(play()) == -signal.SIGKILL
    assert marked(scene.mark) == []


def test_stop_when_a_grandchild_left_the_group_then_it_is_ended_too(scene: Scene) -> None:
    async def play() -> None:
        group = await scene.python(DAEMON)
        await until(lambda: "up" in group.log.read_text(), within=S30, what="the daemon is up")
        assert len(marked(scene.mark)) == 2
        await group.stop(grace=SHORT)

    scene.run(play())
    assert marked(scene.mark) == []


def test_stop_when_the_program_ended_before_its_children_then_they_are_ended(scene: Scene) -> None:
    code = "import os, time\nif os.fork() == 0: time.sleep(60)\nprint('up', flush=True)"

    async def play() -> None:
        group = await scene.python(code)
        assert await group.wait() == 0
        assert len(marked(scene.mark)) == 1
        await group.stop(grace=SHORT)

    scene.run(play())
    assert marked(scene.mark) == []


def test_stop_when_a_child_hides_its_environment_then_descent_finds_it(scene: Scene) -> None:
    code = (
        "import os, sys, time\n"
        "pid = os.posix_spawn(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'],"
        " {}, setsid=True)\n"
        "print(pid, flush=True)\ntime.sleep(60)"
    )

    async def play() -> psutil.Process:
        group = await scene.python(code)
        await until(lambda: group.log.read_text().strip(), within=S30, what="the child is up")
        child = psutil.Process(int(group.log.read_text()))
        await group.stop(grace=SHORT)
        return child

    assert not is_living(scene.run(play()))


def test_stop_when_another_program_of_the_run_is_up_then_it_stays(scene: Scene) -> None:
    async def play() -> bool:
        first = await scene.python("import time; time.sleep(60)", name="first")
        second = await scene.python("import time; time.sleep(60)", name="second")
        await first.stop(grace=S30)
        lives = second.running()
        await second.stop(grace=S30)
        return lives

    assert scene.run(play())


def test_stop_when_polite_goes_to_the_leader_only_then_children_are_not_signalled(
    scene: Scene,
) -> None:
    code = (
        "import os, signal, sys, time\n"
        "def bye(*_):\n    os.kill(child, signal.SIGKILL); sys.exit(0)\n"
        "ready, tell = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.signal(signal.SIGINT, lambda *_: print('child was asked', flush=True))\n"
        "    os.write(tell, b'.')\n"
        "    while True: time.sleep(60)\n"
        "signal.signal(signal.SIGINT, bye)\n"
        "os.read(ready, 1)\n"
        "print('both are up', flush=True)\n"
        "time.sleep(60)"
    )

    async def play() -> ProcessGroup:
        group = await scene.python(code)
        await until(lambda: "up" in group.log.read_text(), within=S30, what="both are up")
        await group.stop(grace=S30, polite=(signal.SIGINT,), leader_only=True)
        return group

    group = scene.run(play())
    assert group.exit_code == 0
    assert "child was asked" not in group.log.read_text()


def test_read_line_when_the_program_says_one_then_it_is_given_and_the_log_stays_clean(
    scene: Scene,
) -> None:
    async def play() -> str:
        group = await scene.python(
            "import sys, time; print('hello', flush=True); time.sleep(60)", stdout="pipe"
        )
        line = await group.read_line(within=S30)
        await group.stop(grace=S30)
        return line

    assert scene.run(play()) == "hello"
    assert (scene.folder / "app.log").read_text() == ""


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("raise SystemExit('broken wing')", "broken wing", id="ends"),
        pytest.param("import time; time.sleep(60)", "said nothing within 200 ms", id="silent"),
    ],
)
def test_read_line_when_there_is_none_then_target_error_says_what_happened(
    scene: Scene, code: str, says: str
) -> None:
    async def play() -> None:
        group = await scene.python(code, stdout="pipe")
        try:
            await group.read_line(within=SHORT if "sleep" in code else S30)
        finally:
            await group.stop(grace=S30)

    with pytest.raises(TargetError, match=says):
        scene.run(play())


def test_wait_when_cancelled_then_the_program_goes_on_until_stopped(scene: Scene) -> None:
    async def play() -> bool:
        group = await scene.python("import time; time.sleep(60)")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await group.wait()
        lives = group.running()
        await group.stop(grace=S30)
        return lives

    assert scene.run(play())


def test_mark_when_a_program_starts_then_the_variable_is_the_one_we_look_for() -> None:
    assert MARK == "HARNESS_RUN"


@pytest.mark.parametrize(("code", "expected"), [(0, True), (3, False)])
def test_finish_when_the_program_ends_by_itself_then_that_is_expected_with_code_0(
    scene: Scene, code: int, expected: bool
) -> None:
    async def play() -> int:
        process = await scene.python(f"raise SystemExit({code})")
        return await process.finish()

    assert scene.run(play()) == code
    (ended,) = [event for event in scene.events if isinstance(event, ProcessEnded)]
    assert (ended.exit_code, ended.expected) == (code, expected)


def test_stop_when_many_wait_out_their_grace_then_side_by_side(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the loop has threads of its own for."""
    everyone = threading.Barrier(3)

    def meet(*_: Any, **__: Any) -> list[psutil.Process]:
        everyone.wait(S30.in_s)  # breaks, and fails the test, unless all are waited out at once
        return []

    monkeypatch.setattr(group_module, "end", meet)

    async def play() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        async with asyncio.TaskGroup() as tasks:
            for number in range(everyone.parties):
                process = await scene.start("true", name=f"app-{number}")
                await process.wait()
                tasks.create_task(process.stop(grace=S30), name=process.name)

    scene.run(play())
