"""Ready checks against small servers of this loop."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.plan import HttpCall
from harness.model.units import Duration
from harness.processes.group import start
from harness.services import ready
from harness.services.ports import free_port
from harness.services.ready import EndedEarly, accepts, answers, wait_until_ready
from harness.services.site import Ask
from tests.support import virtual_time

S30 = Duration.of_s(30)
SHORT = Duration.of_ms(60)
HEALTH = HttpCall(method="GET", path="/healthz", headers={"X-Token": "t"})


@asynccontextmanager
async def server(*answers: bytes, heard: list[bytes] | None = None) -> AsyncIterator[Address]:
    """Gives each connection the next answer, the last one again and again."""
    left = list(answers)
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            if heard is not None:
                heard.append(request)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    made = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with made:
        yield Address("127.0.0.1", made.sockets[0].getsockname()[1])
        await asyncio.gather(*handlers)


def http(status: int) -> bytes:
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode()


def play(*replies: bytes) -> None:
    async def run() -> None:
        async with server(*replies) as address:
            await wait_until_ready("app", health(address), limit=S30, process=None)

    asyncio.run(run())


def health(address: Address) -> Ask:
    return answers(address, HEALTH, what="service app")


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_answers_when_status_is_below_400_then_ready(status: int) -> None:
    play(http(status))


def test_answers_when_the_service_first_fails_then_it_is_asked_again() -> None:
    play(http(503), b"", http(200))


def test_answers_when_asked_then_it_is_the_request_of_the_plan() -> None:
    heard: list[bytes] = []

    async def run() -> None:
        async with server(http(200), heard=heard) as address:
            ask = answers(address, HEALTH, what="service app")
            assert await ask() is None

    asyncio.run(run())
    assert heard[0].startswith(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-Token: t\r\n" in heard[0]


@pytest.mark.parametrize("headers", [{"X-Token": "t\r\nHost: x"}, {"X\nY": "t"}, {"X": "\0"}])
def test_answers_when_a_header_would_end_its_line_then_user_error_and_nothing_is_asked(
    headers: dict[str, str],
) -> None:
    call = HttpCall(method="GET", path="/healthz", headers=headers)
    with pytest.raises(UserError, match=r"service app: the header .* holds a line break"):
        answers(Address("127.0.0.1", 1), call, what="service app")


def test_answers_when_the_path_holds_what_no_line_can_then_it_is_encoded() -> None:
    heard: list[bytes] = []

    async def run() -> None:
        async with server(http(200), heard=heard) as address:
            call = HttpCall(method="GET", path="/a b\r\n%20?x=1")
            assert await answers(address, call, what="service app")() is None

    asyncio.run(run())
    assert heard[0].startswith(b"GET /a%20b%0D%0A%20?x=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        pytest.param(http(404), "answered 404", id="404"),
        pytest.param(http(500), "answered 500", id="500"),
        pytest.param(b"", "closed without an answer", id="closed"),
        pytest.param(b"SSH-2.0-whatever\r\n", "the answer is no HTTP", id="no-http"),
        pytest.param(b"x" * 100_000, "", id="endless-line"),
    ],
)
def test_answers_when_the_service_is_not_ready_then_says_why(reply: bytes, says: str) -> None:
    async def run() -> str | None:
        async with server(reply) as address:
            return await health(address)()

    said = asyncio.run(run())
    assert said is not None
    assert said.startswith("GET /healthz at 127.0.0.1:")
    assert says in said


def test_accepts_when_nobody_listens_then_refused() -> None:
    address = Address("127.0.0.1", free_port())
    assert asyncio.run(accepts(address)()) == f"{address} refused the connection"


async def hang() -> str | None:
    await asyncio.Event().wait()
    return None


def test_wait_until_ready_when_never_then_target_error_says_how_long_and_what_last() -> None:
    async def no() -> str | None:
        return "answered 503"

    with pytest.raises(TargetError) as raised:
        asyncio.run(wait_until_ready("app", no, limit=SHORT, process=None))
    assert raised.value.what == "service app"
    assert raised.value.detail == "was not ready within 60 ms; the last attempt: answered 503"


def test_wait_until_ready_when_the_end_cuts_an_attempt_short_then_the_answer_before_it_is_told() -> (
    None
):
    asked = 0

    async def first_no_then_hang() -> str | None:
        nonlocal asked
        asked += 1
        return "answered 503" if asked == 1 else await hang()

    with pytest.raises(TargetError, match=r"the last attempt: answered 503$"):
        asyncio.run(wait_until_ready("app", first_no_then_hang, limit=SHORT, process=None))


def test_wait_until_ready_when_the_service_hangs_then_the_limit_is_kept() -> None:
    with pytest.raises(TargetError, match="the last attempt: no answer within"):
        asyncio.run(wait_until_ready("app", hang, limit=SHORT, process=None))


def test_wait_until_ready_when_there_is_no_limit_then_one_attempt_has_its_whole_time() -> None:
    """A service that is there already, on a machine so busy that accepting takes a second."""

    async def slow() -> str | None:
        await asyncio.sleep(1)  # noqa: TID251 - virtual time
        return None

    virtual_time.run(wait_until_ready("db", slow, limit=Duration.ZERO, process=None))


def test_wait_until_ready_when_there_is_no_limit_then_it_is_asked_once() -> None:
    with pytest.raises(TargetError) as raised:
        virtual_time.run(wait_until_ready("db", hang, limit=Duration.ZERO, process=None))
    assert raised.value.detail == "is not there; the last attempt: no answer within 5 s"


def test_wait_until_ready_when_the_process_ends_then_its_code_and_log_are_told(
    tmp_path: Path,
) -> None:
    async def no() -> str | None:
        return "no"

    async def run() -> None:
        process = await start(
            "app",
            [
                sys.executable,
                "-c",
                "import sys; print('no such table', file=sys.stderr); sys.exit(4)",
            ],
            env={},
            cwd=tmp_path,
            log=tmp_path / "app.log",
            mark=uuid.uuid4().hex,
            record=lambda _event: None,
        )
        await wait_until_ready("app", no, limit=S30, process=process)

    with pytest.raises(EndedEarly) as raised:
        asyncio.run(run())
    assert "ended with exit code 4 before it was ready" in str(raised.value)
    assert "no such table" in str(raised.value)
    assert raised.value.log_text == "no such table"


def test_wait_until_ready_when_the_process_ends_during_a_question_then_that_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "_ATTEMPT", Duration.of_s(60))

    async def run() -> None:
        process = await start(
            "app",
            [sys.executable, "-c", "raise SystemExit(3)"],
            env={},
            cwd=tmp_path,
            log=tmp_path / "app.log",
            mark=uuid.uuid4().hex,
            record=lambda _event: None,
        )
        # Less than one attempt may take.
        async with asyncio.timeout(S30.in_s):
            await wait_until_ready("app", hang, limit=Duration.of_s(60), process=process)

    with pytest.raises(EndedEarly, match="exit code 3 before it was ready; its log is empty"):
        asyncio.run(run())
