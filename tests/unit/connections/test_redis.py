"""Redis clients, against a server on loopback that says what it was told to."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from harness.connections import redis as redis_module
from harness.connections.redis import RedisClient, Reply, words_of
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration
from tests.support.waiting import until

S30 = Duration.of_s(30)
SHORT = Duration.of_ms(100)
OK = b"+OK\r\n"


@dataclass
class Server:
    """Answers a command by its first word; one without an answer is never answered."""

    answers: Mapping[str, bytes]
    asked: list[list[str]] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def url(self, *, credentials: str = "", database: str = "") -> str:
        return f"redis://{credentials}127.0.0.1:{self.port}{database}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readline():
                words = [await _word(reader) for _ in range(int(head[1:]))]
                if words[0] == "CLIENT":
                    writer.write(OK)  # the library tells who it is
                    continue
                self.asked.append(words)
                if words[0] == "QUIT":
                    break
                writer.write(self.answers.get(words[0], b""))
        except ConnectionError:
            return  # a client that gave up is what some tests are about
        finally:
            writer.close()


async def _word(reader: asyncio.StreamReader) -> str:
    length = int((await reader.readline())[1:])
    return (await reader.readexactly(length + 2))[:-2].decode()


@asynccontextmanager
async def serving(**answers: bytes) -> AsyncIterator[Server]:
    server = Server(answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def reply_to(answer: bytes) -> Reply:
    async def play() -> Reply:
        async with serving(ASK=answer) as server:
            client = RedisClient(server.url(), what="service cache")
            try:
                return await client.call(["ASK", "me"], within=S30)
            finally:
                await client.close()
                await client.close()

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        pytest.param(b"+OK\r\n", "OK", id="status"),
        pytest.param(b":42\r\n", 42, id="integer"),
        pytest.param(b"$2\r\n42\r\n", "42", id="digits-stay-text"),
        pytest.param(b"$-1\r\n", None, id="nil"),
        pytest.param(b"*-1\r\n", None, id="nil-array"),
        pytest.param("$3\r\n✓\r\n".encode(), "✓", id="utf-8"),
        pytest.param(b"$2\r\n\xff\x00\r\n", "ff00", id="bytes"),
        pytest.param(
            b"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n*0\r\n", [1, ["x", None], []], id="nested"
        ),
    ],
)
def test_call_when_answered_then_the_reply_is_plain(answer: bytes, reply: Reply) -> None:
    assert reply_to(answer) == reply
    assert type(reply_to(answer)) is type(reply)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"-WRONGTYPE Operation against a list\r\n", id="alone"),
        pytest.param(b"*2\r\n:1\r\n-WRONGTYPE Operation against a list\r\n", id="in-a-transaction"),
    ],
)
def test_call_when_refused_then_target_error_in_the_server_s_words(answer: bytes) -> None:
    with pytest.raises(TargetError) as raised:
        reply_to(answer)
    assert str(raised.value) == "service cache: ASK: WRONGTYPE Operation against a list"


def test_call_when_refused_then_the_connection_goes_on() -> None:
    async def play() -> None:
        async with serving(bad=b"-ERR no\r\n", GOOD=OK) as server:
            client = RedisClient(server.url(), what="service cache")
            with pytest.raises(TargetError, match="BAD: no"):
                await client.call(["bad"], within=S30)
            assert await client.call(["GOOD"], within=S30) == "OK"
            assert server.connections == 1
            await client.close()

    asyncio.run(play())


@pytest.mark.parametrize("cancelled", [False, True], ids=["late", "cancelled"])
def test_call_when_given_up_then_the_late_reply_is_not_taken_for_the_next(
    cancelled: bool,
) -> None:
    async def play() -> None:
        async with serving(GOOD=OK) as server:
            client = RedisClient(server.url(), what="service cache")
            if cancelled:
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(client.call(["SLOW"], within=S30))
                    await until(lambda: server.asked, within=S30, what="it was asked")
                    task.cancel()
            else:
                with pytest.raises(TargetError, match="SLOW had no reply within 100 ms"):
                    await client.call(["SLOW"], within=SHORT)
            assert await client.call(["GOOD"], within=S30) == "OK"
            assert server.connections == 2
            await client.close()

    asyncio.run(play())


def test_call_when_another_is_not_done_then_its_limit_counts_the_wait() -> None:
    async def play() -> None:
        async with serving() as server, asyncio.TaskGroup() as group:
            client = RedisClient(server.url(), what="service cache")
            first = group.create_task(client.call(["SLOW"], within=S30))
            await until(lambda: server.asked, within=S30, what="it was asked")
            with pytest.raises(TargetError, match="GET had no reply within 100 ms"):
                await client.call(["GET", "x"], within=SHORT)
            first.cancel()
            assert server.asked == [["SLOW"]]

    asyncio.run(play())


def test_call_when_the_url_has_a_password_and_a_database_then_both_are_used() -> None:
    async def play() -> list[list[str]]:
        async with serving(AUTH=OK, SELECT=OK, PING=b"+PONG\r\n") as server:
            url = server.url(credentials="us%40er:se%2Fcret@", database="/3")
            client = RedisClient(url, what="service cache")
            assert await client.call(["PING"], within=S30) == "PONG"
            await client.close()
            return server.asked

    assert asyncio.run(play()) == [["AUTH", "us@er", "se/cret"], ["SELECT", "3"], ["PING"]]


def test_call_when_the_server_repeats_the_password_then_it_is_hidden() -> None:
    async def play() -> None:
        async with serving(AUTH=b"-WRONGPASS not se/cret\r\n") as server:
            client = RedisClient(server.url(credentials=":se%2Fcret@"), what="service cache")
            await client.call(["PING"], within=S30)

    with pytest.raises(TargetError) as raised:
        asyncio.run(play())
    assert "could not connect to redis://127.0.0.1:" in str(raised.value)
    assert "not •••" in str(raised.value)
    assert "cret" not in str(raised.value)


def test_call_when_nobody_listens_then_target_error_says_refused() -> None:
    client = RedisClient("redis://:secret@127.0.0.1:1", what="service cache")
    with pytest.raises(TargetError) as raised:
        asyncio.run(client.call(["PING"], within=S30))
    expected = "service cache: could not connect to redis://127.0.0.1:1/0: Connection refused"
    assert str(raised.value) == expected


def test_call_when_the_server_never_greets_then_says_how_long_it_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_module, "CONNECT_LIMIT", SHORT)

    async def play() -> None:
        async with serving() as server:
            client = RedisClient(server.url(database="/1"), what="service cache")
            await client.call(["PING"], within=S30)

    with pytest.raises(TargetError, match=r"could not connect to .*/1: no answer within 100 ms"):
        asyncio.run(play())


def test_call_when_the_server_hangs_up_then_the_next_call_connects_anew() -> None:
    async def play() -> None:
        async with serving(GOOD=OK) as server:
            client = RedisClient(server.url(), what="service cache")
            with pytest.raises(TargetError, match=r"QUIT: .*[Cc]lose"):
                await client.call(["QUIT"], within=S30)
            assert await client.call(["GOOD"], within=S30) == "OK"
            await client.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    "url",
    ["http://h", "redis:///0", "redis://h:99999", "redis://h/cache", "rediss://h", "redis://[::1"],
)
def test_a_client_when_the_url_is_none_then_user_error_that_does_not_show_it(url: str) -> None:
    with pytest.raises(UserError, match=r"^service cache: ") as raised:
        RedisClient(url.replace("://h", "://:s3cret@h"), what="service cache")
    assert "s3cret" not in str(raised.value)


def test_words_of_when_quoted_then_words_stay_whole() -> None:
    assert words_of("SET 'a key' \"{n} x\"", what="probe p") == ["SET", "a key", "{n} x"]


@pytest.mark.parametrize(
    ("command", "says"), [("", "is empty"), ("GET 'x", "cannot be split"), ("  ", "is empty")]
)
def test_words_of_when_it_is_no_command_then_user_error(command: str, says: str) -> None:
    with pytest.raises(UserError, match=f"probe p: the command {says}"):
        words_of(command, what="probe p")
