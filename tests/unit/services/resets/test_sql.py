"""The SQL reset, on a database that is only pretended."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from harness.connections.pool import Connections
from harness.model.errors import TargetError, UserError
from harness.model.plan import ResetPlan
from harness.processes.programs import Programs
from harness.services.resets import RESETS
from harness.services.resets.sql import SqlReset
from tests.support.sources import sources_at


class Database:
    """Both the connections and their only client."""

    def __init__(self, failure: TargetError | None = None) -> None:
        self.asked: list[str] = []
        self._failure = failure

    async def sql(self, service: str) -> "Database":
        self.asked.append(service)
        return self

    async def run_script(self, script: str) -> None:
        self.asked.append(script)
        if self._failure is not None:
            raise self._failure


def reset(**params: Any) -> SqlReset:
    plan = ResetPlan(kind="sql", on="postgres", params=params)
    return SqlReset.make(plan, {"account": 1}, sources_at(), cast("Programs", None))


def run(what: SqlReset, database: Database) -> list[str]:
    asyncio.run(what.run(cast("Connections", database)))
    return database.asked


def test_run_when_the_script_is_written_out_then_it_runs_as_it_is() -> None:
    script = "UPDATE t SET doc = '{\"a\": {account}}'"
    assert run(reset(script=script), Database()) == ["postgres", script]


def test_run_when_the_script_is_a_file_then_its_text_runs(tmp_path: Path) -> None:
    file = tmp_path / "reset.sql"
    file.write_text("DELETE FROM é;")
    assert run(reset(file=str(file)), Database()) == ["postgres", "DELETE FROM é;"]


def test_run_when_the_file_is_gone_then_user_error_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"reset on postgres: .*gone\.sql cannot be read"):
        run(reset(file=str(tmp_path / "gone.sql")), Database())


def test_run_when_the_database_refuses_then_its_own_words() -> None:
    refusal = TargetError("service postgres", 'relation "accounts" does not exist')
    with pytest.raises(TargetError) as raised:
        run(reset(script="DELETE FROM accounts"), Database(refusal))
    assert str(raised.value) == 'reset on postgres: relation "accounts" does not exist'


def test_registry_when_listed_then_all_kinds_are_there_and_say_what_they_speak() -> None:
    spoken = {name: kind.speaks for name, kind in RESETS.items()}
    assert spoken == {"command": "", "http": "http", "redis": "redis", "sql": "sql"}
