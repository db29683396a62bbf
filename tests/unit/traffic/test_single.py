"""One operation by itself, against a socket of the test on loopback."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError
from harness.model.outcomes import Acknowledged, Unknown
from harness.model.plan import CommandCall, HttpCall, OperationPlan
from harness.model.units import Duration
from harness.processes.marks import marked
from harness.traffic.answer import Answer
from harness.traffic.operation import Operation
from harness.traffic.single import run, send
from tests.support.programs import programs_in
from tests.support.sources import sources_at

S30 = Duration.of_s(30)
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"token": "t"}'


def operation(timeout: Duration) -> Operation:
    call = HttpCall(method="POST", path="/login", json={"user": "{user}"}, has_json=True)
    plan = OperationPlan(name="login", on="app", http=call, timeout=timeout)
    return Operation.compile(plan, sources=sources_at())


LOGIN = operation(Duration.of_s(30))


def login(answer: bytes | None, what: Operation = LOGIN) -> tuple[Answer, bytes]:
    """The answer to one login, and the request that the server had."""
    received: list[bytes] = []
    done = threading.Event()

    def serve(server: socket.socket) -> None:
        peer, _ = server.accept()
        with peer:
            while not received or not received[-1].endswith(b"}"):
                received.append(peer.recv(65536))
            if answer is None:
                done.wait(30)
            else:
                peer.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            address = Address("127.0.0.1", server.getsockname()[1])
            came = asyncio.run(send(what, address=address, values={"user": "ann"}))
        finally:
            done.set()
            thread.join()
    return came, b"".join(received)


def test_an_operation_when_answered_then_has_its_outcome_and_values() -> None:
    came, request = login(OK)
    assert request.endswith(b'{"user": "ann"}')
    assert came.outcome == Acknowledged()
    assert came.values()["json"] == {"token": "t"}
    assert came.sent <= came.first <= came.last


def test_an_operation_when_answered_by_an_error_then_is_unknown_and_no_exception() -> None:
    came, _ = login(OK.replace(b"200", b"500"))
    assert (came.status, came.outcome) == (500, Unknown("answered 500"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"", "connection closed before the answer", id="closed"),
        pytest.param(OK[:-1], "connection closed within the answer", id="cut"),
        pytest.param(b"no http", "answer is not HTTP", id="no-http"),
    ],
)
def test_an_operation_when_not_answered_then_says_why(answer: bytes, words: str) -> None:
    with pytest.raises(TargetError) as raised:
        login(answer)
    assert (raised.value.what, raised.value.detail) == ("operation login", words)


def test_an_operation_when_its_time_is_over_then_says_so() -> None:
    with pytest.raises(TargetError, match="operation login: no answer within 200 ms"):
        login(None, operation(Duration.of_ms(200)))


def test_an_operation_when_nobody_listens_then_names_the_address() -> None:
    with pytest.raises(TargetError, match=r"operation login: could not connect to 127.0.0.1:1: "):
        asyncio.run(send(LOGIN, address=Address("127.0.0.1", 1), values={"user": "ann"}))


def command(text: str, timeout: Duration = S30, **rules: str) -> Operation:
    plan = OperationPlan(name="night", command=CommandCall(command=text), timeout=timeout, **rules)
    return Operation.compile(plan, sources=sources_at())


def test_a_command_when_run_alone_then_has_its_outcome_and_values(tmp_path: Path) -> None:
    what = command("sh -c 'echo $0; pwd' {word}", acknowledged="'b c' in output")
    programs = programs_in(tmp_path)
    came = asyncio.run(run(what, programs=programs, values={"word": "b c"}))
    assert came.outcome == Acknowledged()
    assert came.output == f"b c\n{tmp_path}"
    assert came.sent < came.last
    assert marked(programs.mark) == []


def test_a_command_when_it_leaves_something_running_then_says_so_and_none_of_it_is_left(
    tmp_path: Path,
) -> None:
    programs = programs_in(tmp_path)
    what = command("sh -c 'sleep 600 & exit 0'")
    with pytest.raises(TargetError, match="operation night: left processes running, which were"):
        asyncio.run(run(what, programs=programs, values={}))
    assert marked(programs.mark) == []


def test_a_command_when_its_time_is_over_then_says_so_and_none_of_it_is_left(
    tmp_path: Path,
) -> None:
    programs = programs_in(tmp_path)
    with pytest.raises(TargetError, match="operation night: no end within 100 ms"):
        asyncio.run(
            run(
                command("sh -c 'sleep 600 & sleep 600'", Duration.of_ms(100)),
                programs=programs,
                values={},
            )
        )
    assert marked(programs.mark) == []
