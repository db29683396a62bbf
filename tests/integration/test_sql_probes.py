"""SQL clients and probes on real databases: PostgreSQL, and MariaDB or MySQL where there is one."""

import asyncio
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.connections.pool import Connections
from harness.connections.sql import SqlClient
from harness.expressions.plain import Plain
from harness.model.errors import TargetError
from harness.model.plan import ProbePlan
from harness.model.units import Duration
from harness.observe.sql import Sql
from tests.support.engines import mysql, postgres_binaries
from tests.support.sources import sources_at
from tests.support.waiting import until_sync

PASSWORD = "p@ss/w:rd"
QUOTED = "p%40ss%2Fw%3Ard"
S30 = Duration.of_s(30)

Use = Callable[[SqlClient], Awaitable[Any]]


def account() -> str | None:
    """Databases refuse to run as root; None: we are not root."""
    if os.geteuid() != 0:
        return None
    return "nobody"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the databases' account may enter; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="sql-probes-") as made:
        path = Path(made)
        if (name := account()) is not None:
            os.chown(path, pwd.getpwnam(name).pw_uid, -1)
        path.chmod(0o755)
        yield path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def serving(command: list[str], url: str, log: Path, ending: signal.Signals) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            user=account(),
            extra_groups=[] if account() else None,
        )
    try:
        until_sync(
            lambda: process.poll() is not None or _answers(url),
            within=Duration.of_s(30),
            what=f"{command[0]} answers",
        )
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.send_signal(ending)
        try:
            process.wait(60)
        finally:
            process.kill()


def _answers(url: str) -> bool:
    """A server that accepts may still be starting up."""
    try:
        return bool(value_of(url, "SELECT 1") == Plain(1))
    except TargetError:
        return False


def _run(command: list[str], given: str = "") -> None:
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        user=account(),
        extra_groups=[] if account() else None,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[str]:
    binaries, port, data = postgres_binaries(), free_port(), folder / "postgres"
    password = folder / "password"
    password.write_text(PASSWORD)
    _run(
        [
            *(str(binaries / "initdb"), "--no-sync", "--username=harness", "--encoding=UTF8"),
            *("--auth=scram-sha-256", f"--pwfile={password}", f"--pgdata={data}"),
        ]
    )
    command = [
        *(str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-c", "fsync=off"),
        *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
    ]
    url = f"postgresql://harness:{QUOTED}@127.0.0.1:{port}/postgres"
    with serving(command, url, folder / "postgres.log", signal.SIGINT):
        yield url


@pytest.fixture(scope="module")
def mariadb(folder: Path) -> Iterator[str]:
    server, port, data = mysql(), free_port(), folder / "mysql"
    tables = [
        table
        for name in ("system_tables", "performance_tables", "system_tables_data")
        if (table := server.parents[1] / "share" / "mysql" / f"mysql_{name}.sql").is_file()
    ]
    start = folder / "start.sql"
    start.write_text(
        # One statement a line, or the server refuses it.
        "CREATE DATABASE app;\n"
        f"CREATE USER harness@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON app.* TO harness@'127.0.0.1';\n"
    )
    if server.name == "mysqld" and not tables:
        _run([str(server), "--no-defaults", "--initialize-insecure", f"--datadir={data}"])
    else:
        # What mariadb-install-db does; that script is in a package of the clients.
        script = "CREATE DATABASE mysql;\nUSE mysql;\n" + "\n".join(t.read_text() for t in tables)
        data.mkdir()
        if (name := account()) is not None:
            os.chown(data, pwd.getpwnam(name).pw_uid, -1)
        _run(
            [
                str(server),
                "--no-defaults",
                "--bootstrap",
                f"--datadir={data}",
                f"--tmpdir={folder}",
            ],
            script,
        )
    command = [
        *(str(server), "--no-defaults", f"--datadir={data}", f"--port={port}"),
        *("--bind-address=127.0.0.1", f"--socket={folder}/my.sock", f"--init-file={start}"),
        *("--skip-name-resolve", f"--pid-file={folder}/my.pid", f"--tmpdir={folder}"),
        *("--character-set-server=utf8mb4",),
    ]
    url = f"mysql://harness:{QUOTED}@127.0.0.1:{port}/app?charset=utf8mb4"
    with serving(command, url, folder / "mysql.log", signal.SIGTERM):
        yield url


DATABASES = [
    pytest.param("postgres", marks=pytest.mark.engine("postgres")),
    pytest.param("mariadb", marks=pytest.mark.engine("mysql")),
]
SLEEP = {"postgres": "SELECT pg_sleep(30)", "mariadb": "SELECT sleep(30)"}


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The database's name and URL."""
    return request.param, request.getfixturevalue(request.param)


def on(url: str, use: Use) -> Any:
    async def main() -> Any:
        client = await SqlClient.open(url, what="service db", limit=S30)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


def value_of(url: str, query: str) -> Any:
    return on(url, lambda client: client.fetch_value(query, within=S30))


def test_a_query_when_one_value_then_exact_and_literal(database: tuple[str, str]) -> None:
    _, url = database
    assert value_of(url, "SELECT 7") == Plain(7)
    assert value_of(url, "SELECT CAST('1.50' AS DECIMAL(10, 2))") == Plain("1.50", exact=True)
    assert value_of(url, "SELECT '50 % :of x'") == Plain("50 % :of x")
    assert value_of(url, "SELECT NULL") == Plain(None)
    assert value_of(url, "SELECT DATE '2026-11-25'") == Plain("2026-11-25")


@pytest.mark.parametrize(
    ("query", "came"),
    [
        ("SELECT 1 WHERE 1 = 0", "gave 0 rows; "),
        ("SELECT 1 UNION SELECT 2 UNION SELECT 3", "gave 3 rows; "),
        ("SELECT 1, 2", "gave a row of 2 columns; "),
        ("CREATE TABLE no_query (a int)", "gave no rows; "),
    ],
)
def test_a_query_when_not_one_value_then_says_what_came(
    database: tuple[str, str], query: str, came: str
) -> None:
    with pytest.raises(TargetError) as raised:
        value_of(database[1], query)
    assert raised.value.detail == came + "a probe needs exactly one row with one column"


def list_of(url: str, query: str) -> Any:
    return on(url, lambda client: client.fetch_list(query, within=S30))


def test_a_query_when_a_list_is_asked_for_then_all_values_of_its_column(
    database: tuple[str, str],
) -> None:
    _, url = database
    assert list_of(url, "SELECT 'b' UNION ALL SELECT 'a' ORDER BY 1") == Plain(["a", "b"])
    assert list_of(url, "SELECT 1 WHERE 1 = 0") == Plain([])
    for query, came in (
        ("SELECT 1, 2", "gave rows of 2 columns; "),
        ("CREATE TABLE no_list (a int)", "gave no rows; "),
    ):
        with pytest.raises(TargetError) as raised:
            list_of(url, query)
        assert raised.value.detail == came + "a probe with list: true needs rows with one column"


def test_an_error_when_in_a_query_then_in_the_databases_own_words(
    database: tuple[str, str],
) -> None:
    name, url = database
    words = {
        "postgres": 'relation "missing" does not exist',
        "mariadb": "Table 'app.missing' doesn't exist (error 1146)",
    }
    with pytest.raises(TargetError) as raised:
        value_of(url, "SELECT * FROM missing")
    assert raised.value.detail == words[name]


def test_a_password_when_wrong_then_refused_without_showing_it(database: tuple[str, str]) -> None:
    url = database[1].replace(QUOTED, "wr0ng-s3cret")
    with pytest.raises(
        TargetError, match=r"(?i)could not connect to .*(authentication|denied)"
    ) as raised:
        value_of(url, "SELECT 1")
    assert "wr0ng-s3cret" not in str(raised.value)
    assert "Background" not in str(raised.value)


def test_a_query_when_it_hangs_then_ends_in_time_and_the_client_goes_on(
    database: tuple[str, str],
) -> None:
    name, url = database

    async def use(client: SqlClient) -> None:
        began = time.monotonic()
        with pytest.raises(TargetError, match="the query had no answer within 200 ms"):
            await client.fetch_value(SLEEP[name], within=Duration.of_ms(200))
        assert time.monotonic() - began < 2
        assert await client.fetch_value("SELECT 5", within=S30) == Plain(5)

    on(url, use)


def test_readings_when_others_commit_then_see_it_each_time(database: tuple[str, str]) -> None:
    async def use(reader: SqlClient) -> list[Any]:
        writer = await SqlClient.open(database[1], what="db", limit=S30)
        await writer.run_script("DROP TABLE IF EXISTS seen; CREATE TABLE seen (a int)")
        counts = []
        for _ in range(3):
            await writer.run_script("INSERT INTO seen VALUES (1)")
            counts.append(await reader.fetch_value("SELECT count(*) FROM seen", within=S30))
        await writer.close()
        return [count.value for count in counts]

    assert on(database[1], use) == [1, 2, 3]


def test_a_script_when_of_many_statements_then_all_ran(database: tuple[str, str]) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script(
            "DROP TABLE IF EXISTS many; CREATE TABLE many (a varchar(9)); -- one; two\n"
            "INSERT INTO many VALUES (';'), ('%'), ('it''s'); /* ; */ DELETE FROM many WHERE a = '%';"
        )
        return await client.fetch_value("SELECT count(*) FROM many", within=S30)

    assert on(database[1], use) == Plain(2)


def test_a_script_when_a_later_statement_fails_then_its_error(database: tuple[str, str]) -> None:
    with pytest.raises(TargetError, match=r"(?i)missing.*(not|n't) exist"):
        on(database[1], lambda client: client.run_script("SELECT 1; DELETE FROM missing; SELECT 2"))


def test_a_script_when_it_ends_within_a_transaction_then_is_refused(
    database: tuple[str, str],
) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script("DROP TABLE IF EXISTS half; CREATE TABLE half (a int)")
        with pytest.raises(TargetError, match="nothing of it was committed"):
            await client.run_script("BEGIN; INSERT INTO half VALUES (1)")
        return await client.fetch_value("SELECT count(*) FROM half", within=S30)

    assert on(database[1], use) == Plain(0)


SESSION = {
    "postgres": "CREATE SCHEMA IF NOT EXISTS other; SET search_path = other; SET lock_timeout = 7; "
    "CREATE TEMP TABLE own (a int)",
    "mariadb": "USE information_schema; SET @own = 7",
}
ASKED = {
    "postgres": "SELECT concat(current_schema(), current_setting('lock_timeout'), to_regclass('own'))",
    "mariadb": "SELECT concat(database(), if(@own IS NULL, '0', '7'))",
}


def test_a_script_when_it_changes_its_session_then_queries_are_as_before(
    database: tuple[str, str],
) -> None:
    """As the first lines of a dump do: it empties the search path."""
    name, url = database

    async def use(client: SqlClient) -> None:
        for _ in range(3):
            before = await client.fetch_value(ASKED[name], within=S30)
            await client.run_script(SESSION[name])
            assert await client.fetch_value(ASKED[name], within=S30) == before
        assert before == Plain({"postgres": "public0", "mariadb": "app0"}[name])

    on(url, use)


@pytest.mark.engine("postgres")
def test_a_script_when_discarding_is_refused_then_the_next_query_has_another_connection(
    postgres: str,
) -> None:
    async def use(client: SqlClient) -> None:
        before = await client.fetch_value("SELECT pg_backend_pid()", within=S30)
        driver = client._driver
        execute = driver.execute

        async def refusing(script: str) -> Any:
            return await execute("SELEKT" if script == "DISCARD ALL" else script)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(driver), "execute", lambda _, script: refusing(script))
            await client.run_script("SET search_path = ''")
        assert await client.fetch_value("SELECT pg_backend_pid()", within=S30) != before
        assert await client.fetch_value("SELECT current_schema()", within=S30) == Plain("public")

    on(postgres, use)


def test_a_table_when_replaced_between_readings_then_the_next_one_reads_it(
    database: tuple[str, str],
) -> None:
    async def use(client: SqlClient) -> list[Any]:
        values = []
        for kind, value in (("int", "1"), ("varchar(9)", "'x'"), ("int", "2")):
            await client.run_script(
                f"DROP TABLE IF EXISTS again; CREATE TABLE again (a {kind});"
                f"INSERT INTO again VALUES ({value})"
            )
            values.append(await client.fetch_value("SELECT a FROM again", within=S30))
        return [plain.value for plain in values]

    assert on(database[1], use) == [1, "x", 2]


def test_a_probe_when_read_through_a_pool_then_has_its_value(database: tuple[str, str]) -> None:
    plan = ProbePlan(name="sum", kind="sql", on="db", params={"sql": "SELECT {a} + 1"})

    async def main() -> Any:
        connections = Connections({"db": database[1]})
        try:
            return await Sql.make(plan, {"a": 41}, sources_at()).read(connections)
        finally:
            await connections.close()

    reading = asyncio.run(main())
    assert (reading.probe, reading.value) == ("sum", 42)


@pytest.mark.engine("postgres")
def test_a_server_when_it_stands_still_then_the_query_ends_in_time(postgres: str) -> None:
    async def use(client: SqlClient) -> None:
        backend = await client.fetch_value("SELECT pg_backend_pid()", within=S30)
        os.kill(backend.value, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(TargetError, match="had no answer within 200 ms"):
                await client.fetch_value("SELECT 1", within=Duration.of_ms(200))
            assert time.monotonic() - began < 2
        finally:
            os.kill(backend.value, signal.SIGCONT)
        assert await client.fetch_value("SELECT 5", within=S30) == Plain(5)

    on(postgres, use)


@pytest.mark.engine("postgres")
def test_a_script_when_it_fails_on_postgres_then_nothing_of_it_stays(postgres: str) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script("DROP TABLE IF EXISTS whole; CREATE TABLE whole (a int)")
        with pytest.raises(TargetError, match='relation "missing" does not exist'):
            await client.run_script("INSERT INTO whole VALUES (1); DELETE FROM missing")
        return await client.fetch_value("SELECT count(*) FROM whole", within=S30)

    assert on(postgres, use) == Plain(0)


@pytest.mark.engine("postgres")
def test_values_when_of_postgres_own_types_then_plain(postgres: str) -> None:
    cases = {
        "SELECT 'NaN'::numeric": Plain("NaN"),
        "SELECT 'Infinity'::float8": Plain("Infinity"),
        "SELECT '\\x00ff'::bytea": Plain("00ff"),
        "SELECT true": Plain(True),
        "SELECT array[1, 2]": Plain([1, 2]),
        "SELECT '{\"a\": 1}'::jsonb": Plain({"a": 1}),
        "SELECT sum(x) FROM generate_series(1, 3) x": Plain(6),
        "SELECT 9223372036854775808": Plain("9223372036854775808", exact=True),
    }
    for query, expected in cases.items():
        assert value_of(postgres, query) == expected, query
