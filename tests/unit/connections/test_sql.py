"""SQL clients, on SQLite: exactly one value, whole scripts, the database's own words, and limits."""

import asyncio
import gc
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.connections import sql as sql_module
from harness.connections.sql import SqlClient, database_words
from harness.expressions.plain import Plain
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

S30 = Duration.of_s(30)
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"


def on_sqlite(folder: Path, use: Callable[[SqlClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        url = f"sqlite:///{folder}/test.db"
        client = await SqlClient.open(url, what="service db", limit=S30)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


def value_of(folder: Path, query: str) -> Any:
    return on_sqlite(folder, lambda client: client.fetch_value(query, within=S30))


def test_a_query_when_one_row_with_one_column_then_its_value(tmp_path: Path) -> None:
    assert value_of(tmp_path, "SELECT 7") == Plain(7)
    assert value_of(tmp_path, "SELECT '50 % :of ''x'''") == Plain("50 % :of 'x'")


@pytest.mark.parametrize(
    ("query", "came"),
    [
        pytest.param("SELECT 1 WHERE 1 = 0", "gave 0 rows", id="none"),
        pytest.param("SELECT 1 UNION SELECT 2 UNION SELECT 3", "gave 3 rows", id="several"),
        pytest.param("SELECT 1, 2", "gave a row of 2 columns", id="columns"),
        pytest.param("CREATE TABLE t (a int)", "gave no rows", id="no-query"),
    ],
)
def test_a_query_when_not_one_value_then_says_what_came(
    tmp_path: Path, query: str, came: str
) -> None:
    with pytest.raises(TargetError) as raised:
        value_of(tmp_path, query)
    assert raised.value.detail == f"{came}; a probe needs exactly one row with one column"
    assert raised.value.what == "service db"


def test_a_query_when_refused_then_the_databases_own_words(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as raised:
        value_of(tmp_path, "SELECT * FROM missing")
    assert raised.value.detail == "no such table: missing"


def test_a_query_when_it_hangs_then_ends_in_time_and_the_client_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It must be cut, not left to itself after a while.
    monkeypatch.setattr(sql_module, "_CLOSE_LIMIT", S30)

    async def use(client: SqlClient) -> None:
        began = time.monotonic()
        with pytest.raises(TargetError, match="the query had no answer within 100 ms"):
            await client.fetch_value(ENDLESS, within=Duration.of_ms(100))
        assert time.monotonic() - began < S30.in_s
        assert await client.fetch_value("SELECT 5", within=S30) == Plain(5)

    on_sqlite(tmp_path, use)


def test_a_query_when_cancelled_then_ends_at_once_and_the_client_goes_on(tmp_path: Path) -> None:
    async def use(client: SqlClient) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.fetch_value(ENDLESS, within=Duration.of_s(60))
        assert await client.fetch_value("SELECT 5", within=S30) == Plain(5)

    on_sqlite(tmp_path, use)


def test_queries_when_several_at_once_then_each_has_its_answer(tmp_path: Path) -> None:
    async def use(client: SqlClient) -> list[Any]:
        queries = (client.fetch_value(f"SELECT {n}", within=S30) for n in range(20))
        return [plain.value for plain in await asyncio.gather(*queries)]

    assert on_sqlite(tmp_path, use) == list(range(20))


def test_a_script_when_of_many_statements_then_all_ran(tmp_path: Path) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script("CREATE TABLE t (a); INSERT INTO t VALUES (1), (';'); -- end")
        return await client.fetch_value("SELECT count(*) FROM t", within=S30)

    assert on_sqlite(tmp_path, use) == Plain(2)


def test_a_script_when_a_statement_fails_then_its_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such table: missing"):
        on_sqlite(
            tmp_path,
            lambda client: client.run_script("CREATE TABLE t (a); DELETE FROM missing; SELECT 1"),
        )


def test_a_script_when_it_ends_within_a_transaction_then_is_refused(tmp_path: Path) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script("CREATE TABLE t (a)")
        with pytest.raises(TargetError, match="nothing of it was committed"):
            await client.run_script("BEGIN; INSERT INTO t VALUES (1)")
        return await client.fetch_value("SELECT count(*) FROM t", within=S30)

    assert on_sqlite(tmp_path, use) == Plain(0)


def test_a_script_when_it_changes_its_session_then_the_next_query_has_a_new_one(
    tmp_path: Path,
) -> None:
    async def use(client: SqlClient) -> Any:
        await client.run_script(
            "CREATE TABLE t (a); CREATE TEMP TABLE u (a); INSERT INTO t VALUES (7)"
        )
        with pytest.raises(TargetError, match="no such table: u"):
            await client.fetch_value("SELECT count(*) FROM u", within=S30)
        return await client.fetch_value("SELECT a FROM t", within=S30)

    assert on_sqlite(tmp_path, use) == Plain(7)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_a_script_when_the_database_is_in_memory_then_the_next_query_reads_it(url: str) -> None:
    async def main() -> Any:
        client = await SqlClient.open(url, what="service db", limit=S30)
        try:
            await client.run_script("CREATE TABLE t (a); INSERT INTO t VALUES (7)")
            return await client.fetch_value("SELECT a FROM t", within=S30)
        finally:
            await client.close()

    assert asyncio.run(main()) == Plain(7)


def test_a_reading_when_others_commit_then_sees_it(tmp_path: Path) -> None:
    async def use(reader: SqlClient) -> list[Any]:
        writer = await SqlClient.open(f"sqlite:///{tmp_path}/test.db", what="db", limit=S30)
        seen = []
        await writer.run_script("CREATE TABLE t (a)")
        for _ in range(3):
            await writer.run_script("INSERT INTO t VALUES (1)")
            seen.append((await reader.fetch_value("SELECT count(*) FROM t", within=S30)).value)
        await writer.close()
        return seen

    assert on_sqlite(tmp_path, use) == [1, 2, 3]


def test_a_client_when_closed_twice_then_nothing_happens(tmp_path: Path) -> None:
    on_sqlite(tmp_path, lambda client: client.close())


def test_a_client_when_its_driver_takes_too_long_to_end_then_nobody_complains_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_late(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(sql_module, "_cut", too_late)
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        on_sqlite(tmp_path, lambda client: client.close())
        gc.collect()
    assert [str(each.message) for each in complaints] == []


def test_a_file_when_it_cannot_be_opened_then_says_where(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"could not connect to sqlite:////.*unable to open"):
        on_sqlite(tmp_path / "missing", lambda client: client.close())


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_database_when_nobody_listens_then_says_so_without_the_password(scheme: str) -> None:
    url = f"{scheme}://u:s3cret@127.0.0.1:1/app"
    with pytest.raises(TargetError, match="Connection refused") as raised:
        asyncio.run(SqlClient.open(url, what="service db", limit=S30))
    assert "s3cret" not in str(raised.value)
    assert "Background" not in str(raised.value)


def test_a_driver_when_not_installed_then_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(address: object) -> None:
        raise ModuleNotFoundError("No module named 'asyncmy'", name="asyncmy")

    monkeypatch.setattr("harness.connections.sql._engine", missing)
    with pytest.raises(UserError, match=r"pip install 'harness\[mysql\]'"):
        asyncio.run(SqlClient.open("mysql://u@h/x", what="service db", limit=S30))


def test_database_words_when_wrapped_then_the_innermost() -> None:
    inner = ValueError(1146, "Table 'x' doesn't exist")
    outer = RuntimeError("(sqlalchemy) wrapped (Background on this error at: https://…)")
    outer.orig = inner  # type: ignore[attr-defined]
    assert database_words(outer) == "Table 'x' doesn't exist (error 1146)"
