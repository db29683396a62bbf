"""The probe ``sql``, on SQLite."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ProbePlan
from harness.observe import PROBES
from harness.observe.read import Reading
from harness.observe.sql import Sql
from tests.support.sources import sources_at


def read(folder: Path, sql: str, *, as_list: bool = False, **values: Any) -> Reading:
    params = {"sql": sql, "list": as_list}
    plan = ProbePlan(name="balance", kind="sql", on="db", params=params)

    async def main() -> Reading:
        connections = Connections({"db": f"sqlite:///{folder}/x.db"})
        try:
            return await Sql.make(plan, values, sources_at()).read(connections)
        finally:
            await connections.close()

    return asyncio.run(main())


def test_the_kind_when_looked_up_then_is_found_under_its_word() -> None:
    assert PROBES["sql"] is Sql


def test_a_query_when_read_then_its_placeholders_are_filled(tmp_path: Path) -> None:
    reading = read(tmp_path, "SELECT '{variant}' || '{{}}' || {round}", variant="naive", round=3)
    assert (reading.probe, reading.value) == ("balance", "naive{}3")


def test_a_query_when_it_gives_no_row_then_the_probe_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        TargetError, match=r"^probe balance: gave 0 rows; a probe needs exactly one"
    ):
        read(tmp_path, "SELECT 1 WHERE 1 = 0")


def test_a_query_when_refused_then_the_databases_own_words(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"^probe balance: no such table: accounts$"):
        read(tmp_path, "SELECT balance FROM accounts")


def test_a_brace_when_out_of_place_then_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"probe balance: .*\n.*is written {{ or }}"):
        read(tmp_path, "SELECT '{}'::jsonb")


def test_a_placeholder_when_without_a_value_then_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'account' has no value"):
        read(tmp_path, "SELECT {account}")


def test_a_query_when_a_list_is_wanted_then_all_values_of_its_column_come(tmp_path: Path) -> None:
    seats = "SELECT 3 UNION ALL SELECT '3' UNION ALL SELECT NULL UNION ALL SELECT 3"
    reading = read(tmp_path, seats, as_list=True)
    assert (reading.value, reading.exact) == ([3, "3", None, 3], False)
    assert read(tmp_path, "SELECT 1 WHERE 1 = 0", as_list=True).value == []


def test_a_query_when_a_list_is_wanted_and_columns_are_many_then_says_so(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"^probe balance: gave rows of 2 columns; .*one column"):
        read(tmp_path, "SELECT 1, 2", as_list=True)
