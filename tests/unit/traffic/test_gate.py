"""Commands at their gates: nothing runs before it is let go, and nothing is left behind."""

import asyncio
import contextlib
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from harness.model.errors import UserError
from harness.model.events import AnyEvent, ProcessEnded, ProcessIntended, ProcessStarted
from harness.model.units import Duration
from harness.processes.marks import is_living, marked
from harness.processes.programs import Programs
from harness.processes.scratch import scratch_of
from harness.traffic import gate as gate_module
from harness.traffic.answer import Ended, Failure
from harness.traffic.command import Command
from harness.traffic.gate import LEFT_RUNNING, Gate, Gates
from tests.support.programs import programs_in
from tests.support.waiting import until

S30 = Duration.of_s(30)


def sh(code: str, *arguments: str, timeout: Duration = S30, **env: str) -> Command:
    return Command(operation="night", argv=("sh", "-c", code, *arguments), env=env, timeout=timeout)


def open_all(gates: Gates) -> None:
    for gate in gates:
        gate.sent = time.monotonic_ns()
        gate.open()


async def go(gates: Gates) -> None:
    open_all(gates)
    await gates.wait()


def play(
    programs: Programs,
    *commands: Command,
    what: Callable[[Gates], Awaitable[object]] = go,
) -> list[Ended | Failure | None]:
    async def main() -> list[Ended | Failure | None]:
        gates = Gates(commands, programs)
        try:
            await gates.start()
            await what(gates)
        finally:
            gates.close()
            await gates.end()
        return [gate.result() for gate in gates]

    results = asyncio.run(main())
    assert marked(programs.mark) == [], "something was left running"
    assert scratch_of(programs.mark) == []
    return results


def only(results: list[Ended | Failure | None]) -> Ended:
    (result,) = results
    assert isinstance(result, Ended)
    return result


def test_a_command_when_let_go_then_its_end_its_texts_and_its_environment_are_there(
    tmp_path: Path,
) -> None:
    code = 'echo "$0 $1 $OWN $OURS"; pwd; echo bad >&2; exit 3'
    programs = programs_in(tmp_path, OURS="x", OWN="ours")
    result = only(play(programs, sh(code, "a b", "c", OWN="own")))
    assert result.exit_code == 3
    assert result.output == f"a b c own x\n{tmp_path}"
    assert result.errors == "bad"
    assert result.sent < result.last


def test_a_command_when_held_then_has_not_begun(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    async def look(gates: Gates) -> None:
        (gate,) = gates
        process = psutil.Process(gate.group.pid)
        # At its `read` the shell has both outputs open, and waits.
        await until(
            lambda: process.status() == psutil.STATUS_SLEEPING and process.num_fds() >= 5,
            within=S30,
            what="the shell is at its gate",
        )
        assert not begun.exists()
        assert not gate.look()
        await go(gates)
        assert begun.exists()

    play(programs_in(tmp_path), sh(f"touch {begun}"), what=look)


def test_a_command_when_it_runs_then_it_has_no_input_and_nothing_of_its_gate(
    tmp_path: Path,
) -> None:
    code = "cat; for each in 3 4; do (echo >&$each) 2>/dev/null || echo $each is closed; done"
    result = only(play(programs_in(tmp_path), sh(code)))
    assert result.output == "3 is closed\n4 is closed"


def test_a_command_when_it_writes_without_end_then_only_the_beginning_is_kept(
    tmp_path: Path,
) -> None:
    result = only(play(programs_in(tmp_path), sh("yes | head -c 3000000; echo no >&2")))
    assert len(result.output) == 64 * 1024 - 1
    assert result.cut == {"output"}


def test_a_command_when_its_time_is_over_then_its_whole_group_is_ended(tmp_path: Path) -> None:
    async def over(gates: Gates) -> None:
        await go(gates)
        assert [gate.group.running() for gate in gates] == [False, False]

    slow = sh("sleep 600 & sleep 600", timeout=Duration.of_ms(100))
    results = play(programs_in(tmp_path), slow, sh("exit 0"), what=over)
    assert isinstance(results[0], Failure)
    assert results[0].because == "no end within 100 ms"
    assert isinstance(results[1], Ended)


def test_a_command_when_it_leaves_something_running_then_that_is_ended_too(tmp_path: Path) -> None:
    """One that stays in its group, and one that left it and knows no parent any more."""
    written = tmp_path / "pids"
    code = f"sleep 600 & echo $! >>{written}; (setsid sleep 600 & echo $! >>{written}); exit 0"
    (result,) = play(programs_in(tmp_path), sh(code))
    assert isinstance(result, Failure)
    assert result.because == LEFT_RUNNING
    pids = [int(line) for line in written.read_text().split()]
    assert len(pids) == 2
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            assert not is_living(psutil.Process(pid))


def test_a_command_when_what_it_left_ends_in_a_moment_then_it_ended_and_all_it_said_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on behind its end, as half a pipeline does, and writes once that was seen."""
    monkeypatch.setattr(gate_module, "_MOMENT", S30)
    on = tmp_path / "on"
    behind = f"while kill -0 $$ 2>&-; do :; done; echo late; echo late >&2; touch {on}"
    result = only(play(programs_in(tmp_path), sh(f"({behind}) & echo now")))
    assert (result.exit_code, result.output, result.errors) == (0, "now\nlate", "late")
    assert on.exists()


@pytest.mark.parametrize(("leaves", "left"), [("", 1), ("setsid ", 2)])
def test_a_command_when_it_leaves_something_running_then_only_those_it_may_be_of_are_in_doubt(
    tmp_path: Path, leaves: str, left: int
) -> None:
    """What left its session may be of any run of its operation, but of no other operation."""
    other = Command(operation="day", argv=("true",), env={}, timeout=S30)
    leaving = sh(f"{leaves}sleep 600 & exit 0")
    results = play(programs_in(tmp_path), leaving, sh("exit 0"), other)
    in_doubt = [isinstance(each, Failure) and each.because == LEFT_RUNNING for each in results]
    assert in_doubt == [at < left for at in range(3)]


def test_commands_when_whoever_holds_them_dies_then_none_begins(tmp_path: Path) -> None:
    """The end of a gate's input is all that it sees of that."""
    begun = tmp_path / "begun"

    async def died(gates: Gates) -> None:
        (gate,) = gates
        gate.group.end_input()
        assert await gate.group.wait() == 125

    play(programs_in(tmp_path), sh(f"touch {begun}"), what=died)
    assert not begun.exists()


def test_commands_when_never_let_go_then_end_without_having_begun(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    async def nothing(gates: Gates) -> None:
        assert len(list(gates)) == 3

    results = play(programs_in(tmp_path), *[sh(f"touch {begun}")] * 3, what=nothing)
    assert results == [None] * 3
    assert not begun.exists()


def test_commands_when_cancelled_while_they_run_then_all_are_ended(tmp_path: Path) -> None:
    programs = programs_in(tmp_path)

    async def main() -> None:
        gates = Gates([sh("sleep 600 & touch $0; wait", str(tmp_path / "on"))] * 2, programs)

        async def burst() -> None:
            try:
                await gates.start()
                await go(gates)
            finally:
                gates.close()
                await gates.end()

        async with asyncio.TaskGroup() as group:
            running = group.create_task(burst())
            await until((tmp_path / "on").exists, within=S30, what="one of them runs")
            running.cancel()

    asyncio.run(main())
    assert marked(programs.mark) == []
    assert scratch_of(programs.mark) == []


def test_a_command_when_it_is_missing_then_nothing_is_left_and_the_operation_is_named(
    tmp_path: Path,
) -> None:
    missing = Command(operation="night", argv=("no-such-command",), env={}, timeout=S30)
    with pytest.raises(UserError, match="operation night: the command 'no-such-command'"):
        play(programs_in(tmp_path), sh("exit 0"), missing)


def test_a_command_when_run_then_its_life_is_in_the_journal(tmp_path: Path) -> None:
    events: list[AnyEvent] = []
    play(programs_in(tmp_path, events.append), sh("exit 0"))
    intended, started, ended = events
    assert isinstance(intended, ProcessIntended)
    assert isinstance(started, ProcessStarted)
    assert isinstance(ended, ProcessEnded)
    assert (intended.name, ended.exit_code) == ("operation night", 0)
    assert stat.S_ISREG((tmp_path / "logs/operation-night.log").stat().st_mode)


def test_an_end_when_nobody_looked_since_the_release_then_is_stamped_with_the_earliest_moment(
    tmp_path: Path,
) -> None:
    async def late(gates: Gates) -> None:
        (gate,) = gates
        open_all(gates)
        await gate.group.ended()
        assert gate.look(first_unseen=True)
        assert gate.look()

    result = only(play(programs_in(tmp_path), sh("exit 0"), what=late))
    assert result.last == result.sent


def test_an_end_when_before_the_release_then_is_no_end_of_the_command(tmp_path: Path) -> None:
    async def killed(gates: Gates) -> None:
        (gate,) = gates
        psutil.Process(gate.group.pid).kill()
        await gate.group.ended()
        assert gate.look()
        gate.sent = time.monotonic_ns()
        gate.give_up("ended before it was let go", gate.sent)
        await gates.wait()

    (result,) = play(programs_in(tmp_path), sh("exit 0"), what=killed)
    assert isinstance(result, Failure)
    assert result.because == "ended before it was let go"


def test_a_gate_when_opened_after_its_end_then_nothing_is_raised(tmp_path: Path) -> None:
    async def opened(gates: Gates) -> None:
        gate: Gate
        (gate,) = gates
        psutil.Process(gate.group.pid).kill()
        await gate.group.ended()
        gate.open(b"")
        gate.open(b"")

    play(programs_in(tmp_path), sh("exit 0"), what=opened)
