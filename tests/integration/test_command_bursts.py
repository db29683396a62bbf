"""Bursts of commands, alone and beside requests: let go together, recorded, and ended with the burst."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.model.address import Address
from harness.model.errors import HarnessBug, UserError
from harness.model.events import (
    BurstReleased,
    BurstWritten,
    OperationReturned,
    OperationSent,
    ProcessEnded,
    ProcessStarted,
)
from harness.model.outcomes import Acknowledged, Unknown
from harness.model.plan import BurstPart, BurstStep, CommandCall, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.processes.marks import is_living, marked
from harness.processes.programs import Programs
from harness.traffic import gate
from harness.traffic.burst import run_burst
from harness.traffic.operation import Operation
from tests.support.programs import programs_in
from tests.support.sources import sources_at
from tests.support.waiting import until

S30 = Duration.of_s(30)


def operation(name: str, command: str | None, **changes: Any) -> Operation:
    call = None if command is None else CommandCall(command=command)
    http = HttpCall(method="GET", path="/{n}") if command is None else None
    given = {"name": name, "on": "app" if http else "", "timeout": S30, **changes}
    return Operation.compile(OperationPlan(command=call, http=http, **given), sources=sources_at())


def step(*parts: tuple[str, int]) -> BurstStep:
    return BurstStep(
        id="burst",
        parts=tuple(BurstPart(operation=name, concurrency=many) for name, many in parts),
        hold=Duration.of_ms(30),
    )


async def burst(
    what: BurstStep,
    *operations: Operation,
    programs: Programs | None,
    events: list[Any],
    address: Address | None = None,
) -> None:
    await run_burst(
        what,
        round=3,
        operations={each.name: each for each in operations},
        address_of=lambda _service: address or pytest.fail("a command asks no service"),
        values={"run": "r1", "folder": str(programs.folder) if programs else ""},
        record=events.append,
        numbers=itertools.count(1),
        warm={},
        programs=programs,
    )


def of(kind: type, events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_commands_when_in_a_burst_then_told_like_requests(tmp_path: Path) -> None:
    events: list[Any] = []
    programs = programs_in(tmp_path, events.append)
    night = operation("night", "sh -c 'echo $0 >>{folder}/log' {n}", key="{rid}")
    asyncio.run(burst(step(("night", 5)), night, programs=programs, events=events))
    (written,), (released,) = of(BurstWritten, events), of(BurstReleased, events)
    assert (written.requests, written.warmed, released.requests) == (5, 0, 5)
    sent, returned = of(OperationSent, events), of(OperationReturned, events)
    assert (
        [each.key for each in sent]
        == [each.rid for each in sent]
        == [f"r1-3-{n}" for n in range(1, 6)]
    )
    assert released.first == min(each.sent for each in sent)
    for out, back in zip(sent, returned, strict=True):
        assert (back.op, back.status, back.outcome) == (out.op, None, Acknowledged())
        assert out.sent <= back.first == back.last
    assert sorted((tmp_path / "log").read_text().split()) == list("12345")
    assert len(of(ProcessStarted, events)) == len(of(ProcessEnded, events)) == 5


def test_commands_when_all_have_to_be_there_at_once_then_all_are(tmp_path: Path) -> None:
    """Each waits until it sees five of them: had one to end before another begins, none would end."""
    code = "touch {folder}/$0; until [ $(ls {folder} | grep -c ^on) = 5 ]; do :; done"
    night = operation("night", f"sh -c '{code}' on{{n}}")
    events: list[Any] = []
    asyncio.run(burst(step(("night", 5)), night, programs=programs_in(tmp_path), events=events))
    assert [each.outcome for each in of(OperationReturned, events)] == [Acknowledged()] * 5


def test_a_burst_when_of_commands_and_requests_then_all_leave_in_turn_and_come_back(
    tmp_path: Path,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
            await burst(
                step(("night", 2), ("get", 4), ("late", 1)),
                operation("night", "true"),
                operation("get", None),
                operation("late", "sleep 600", timeout=Duration.of_ms(300)),
                programs=programs,
                events=events,
                address=address,
            )

    events: list[Any] = []
    programs = programs_in(tmp_path, events.append)
    asyncio.run(main())
    sent = of(OperationSent, events)
    assert [each.operation for each in sent] == [
        "get", "night", "get", "late", "get", "night", "get"
    ]  # fmt: skip
    assert [each.sent for each in sent] == sorted(each.sent for each in sent)
    outcomes = {each.operation: each.outcome for each in of(OperationReturned, events)}
    assert outcomes == {
        "night": Acknowledged(),
        "get": Acknowledged(),
        "late": Unknown("no end within 300 ms"),
    }
    assert marked(programs.mark) == []


def test_commands_when_they_go_on_behind_their_end_then_what_they_do_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An effect that we cut off would look like one that the target lost."""
    monkeypatch.setattr(gate, "_MOMENT", S30)
    behind = "while kill -0 $$ 2>&-; do :; done; sleep 0.1; echo $0 >>{folder}/log"
    night = operation("night", f"sh -c '({behind}) >&- 2>&- & exit 0' {{n}}")
    events: list[Any] = []
    programs = programs_in(tmp_path)
    asyncio.run(burst(step(("night", 3)), night, programs=programs, events=events))
    assert [each.outcome for each in of(OperationReturned, events)] == [Acknowledged()] * 3
    assert sorted((tmp_path / "log").read_text().split()) == list("123")


def test_a_command_when_it_leaves_something_running_then_is_unknown_and_told_after_its_end(
    tmp_path: Path,
) -> None:
    class Looking(list[Any]):
        def append(self, event: Any) -> None:
            super().append(event)
            if isinstance(event, OperationReturned):
                running.append(len(marked(programs.mark)))

    running: list[int] = []
    events = Looking()
    programs = programs_in(tmp_path, events.append)
    night = operation("night", "sh -c 'if [ $0 = 2 ]; then sleep 600 & fi; exit 0' {n}")
    asyncio.run(burst(step(("night", 3)), night, programs=programs, events=events))
    assert [each.outcome for each in of(OperationReturned, events)] == [
        Acknowledged(),
        Unknown("left processes running, which were ended"),
        Acknowledged(),
    ]
    assert running == [0, 0, 0]


def test_a_burst_when_cancelled_then_its_commands_are_ended_and_stay_without_an_end(
    tmp_path: Path,
) -> None:
    programs = programs_in(tmp_path)
    events: list[Any] = []

    async def main() -> None:
        left = 'setsid sh -c "touch $0; sleep 600" $0'
        night = operation("night", f"sh -c '{left}; true' {{folder}}/on")
        async with asyncio.TaskGroup() as group:
            running = group.create_task(
                burst(step(("night", 3)), night, programs=programs, events=events)
            )
            await until((tmp_path / "on").exists, within=S30, what="one of them runs")
            running.cancel()

    asyncio.run(main())
    assert len(of(OperationSent, events)) == 3
    assert of(OperationReturned, events) == []
    assert marked(programs.mark) == []


def test_a_burst_when_cancelled_in_its_hold_then_no_command_has_begun(tmp_path: Path) -> None:
    programs = programs_in(tmp_path)
    events: list[Any] = []

    async def main() -> None:
        what = BurstStep(id="burst", parts=(BurstPart(operation="night", concurrency=3),), hold=S30)
        night = operation("night", "touch {folder}/on")
        async with asyncio.TaskGroup() as group:
            running = group.create_task(burst(what, night, programs=programs, events=events))
            await until(lambda: of(BurstWritten, events), within=S30, what="all are held")
            running.cancel()

    asyncio.run(main())
    assert not (tmp_path / "on").exists()
    assert marked(programs.mark) == []


def test_a_burst_when_a_command_is_missing_then_says_which(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="operation night: the command 'no-such' was not found"):
        asyncio.run(
            burst(
                step(("night", 2)),
                operation("night", "no-such"),
                programs=programs_in(tmp_path),
                events=[],
            )
        )


def test_a_burst_when_not_told_what_commands_are_run_with_then_that_is_our_bug() -> None:
    with pytest.raises(HarnessBug, match="was not told"):
        asyncio.run(burst(step(("night", 1)), operation("night", "true"), programs=None, events=[]))


def test_a_command_when_it_ends_in_the_hold_then_it_was_never_let_go(tmp_path: Path) -> None:
    class Killing(list[Any]):
        def append(self, event: Any) -> None:
            super().append(event)
            if isinstance(event, BurstWritten):
                second = psutil.Process(of(ProcessStarted, self)[1].pid)
                second.kill()
                while is_living(second):
                    pass

    events = Killing()
    programs = programs_in(tmp_path, events.append)
    asyncio.run(
        burst(step(("night", 3)), operation("night", "true"), programs=programs, events=events)
    )
    (released,) = of(BurstReleased, events)
    assert released.requests == 2
    assert [each.outcome for each in of(OperationReturned, events)] == [
        Acknowledged(),
        Unknown("ended before it was let go"),
        Acknowledged(),
    ]
    sent, returned = of(OperationSent, events)[1], of(OperationReturned, events)[1]
    assert sent.sent <= returned.last
    assert returned.first is None
