"""embedded-postgres: a PostgreSQL of the run's own, on loopback, gone with all its data at the end.

Its programs come from ``postgres_binaries.py``. Made afresh each time: initdb takes 0.4 s, and a
kept data folder would be one more thing to trust.
"""

import asyncio
import os
import re
import secrets
import signal
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration
from harness.processes.account import Account, unprivileged
from harness.processes.ending import end
from harness.processes.group import ProcessGroup, start
from harness.processes.log_tail import log_in_words
from harness.processes.marks import Wanted, find
from harness.processes.scratch import make_scratch, remove_scratch
from harness.services.ports import LOOPBACK, free_port
from harness.services.postgres_binaries import Binaries, find_binaries, reachable_by
from harness.services.site import Site, Started

_USER = "postgres"
_GRACE = Duration.of_s(3)
_STEP_LIMIT = Duration.of_s(60)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")

_SETTINGS: Mapping[str, str] = {
    # The data lives as long as the run: nobody recovers it after a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Bursts of a hundred requests, each with a connection, from a few worker processes.
    "max_connections": "200",
    "shared_buffers": "32MB",
    # In the data folder, so that a kill -9 leaves nothing in /dev/shm, and a small one is no limit.
    "dynamic_shared_memory_type": "mmap",
    # TCP alone: a Unix socket needs a path that is short enough and that somebody removes.
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """A fresh cluster with one empty database, owned by a superuser with a random password."""

    kind: ClassVar[str] = "embedded-postgres"
    summary: ClassVar[str] = "a PostgreSQL of the run's own, on loopback, removed at the end"

    @params
    class Params:
        database: str = "app"
        settings: dict[str, str] = field(default_factory=dict)

    def __init__(self, params: "EmbeddedPostgres.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        database = str(site.fill(self._params.database, {}))
        settings = _checked(database, site.fill(self._params.settings, {}), site.name)
        account = unprivileged()
        binaries = find_binaries()
        if account is not None:
            binaries = await asyncio.to_thread(reachable_by, account, binaries)
        scratch = make_scratch(site.mark, "pg", account=account)
        site.on_stop(lambda: _remove(scratch))
        password = secrets.token_urlsafe(24)
        site.hide(password)
        cluster = _Cluster(site, binaries, scratch, account)
        await cluster.create(password)
        await cluster.create_database(database)
        address = Address(LOOPBACK, free_port())
        process = await cluster.serve({**_SETTINGS, **settings, "port": str(address.port)})
        return Started(
            address=address,
            url=f"postgresql://{_USER}:{password}@{address.text()}/{quote(database)}",
            process=process,
            ask=cluster.ask,
            port_given="port" not in settings,
        )


class _Cluster:
    """A data folder and the programs that work on it."""

    def __init__(
        self, site: Site, binaries: Binaries, scratch: Path, account: Account | None
    ) -> None:
        self._site = site
        self._binaries = binaries
        self._scratch = scratch
        self._account = account
        self._data = scratch / "data"

    async def create(self, password: str) -> None:
        """initdb. Accounts of this machine get in over loopback with the password alone."""
        secret = self._write("password", password)
        arguments = [
            f"--pgdata={self._data}",
            f"--username={_USER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]
        if (self._binaries.version or 0) >= 16:
            # Stretching protects weak passwords. Ours is random, and 4096 rounds cost each new
            # connection of a burst 2 ms of CPU.
            arguments.append("--set=scram_iterations=1")
        await self._finish("initdb", arguments)
        secret.unlink()

    async def create_database(self, name: str) -> None:
        """Before the server is there, without a client: 40 ms in single-user mode."""
        if name == _USER:
            return
        arguments = ["--single", "-D", str(self._data), "-F", "template1"]
        await self._finish("postgres", arguments, f'CREATE DATABASE "{name}";\n'.encode())

    async def serve(self, settings: Mapping[str, str]) -> ProcessGroup:
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        process = await self._start("postgres", ["-D", str(self._data), *options], "")
        # "Fast", then "immediate". The children are told by the server, or think it has crashed.
        polite = (signal.SIGINT, signal.SIGQUIT)
        self._site.on_stop(lambda: process.stop(grace=_GRACE, polite=polite, leader_only=True))
        return process

    async def ask(self) -> str | None:
        """Ready when the server says so in its pid file, as ``pg_ctl --wait`` reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return "the server has not begun"
        state = lines[7].strip() if len(lines) > 7 else "starting"
        return None if state == "ready" else f"the server says {state!r}"

    async def _finish(self, program: str, arguments: list[str], text: bytes | None = None) -> None:
        """Runs a program to its end.

        Raises:
            TargetError: it failed, with the end of what it said.
        """
        part = f"-{program}" if text is None else "-createdb"
        process = await self._start(program, arguments, part, text)
        try:
            async with asyncio.timeout(_STEP_LIMIT.in_s):
                code = await process.finish()
        except TimeoutError:
            raise self._failure(program, f"did not end within {_STEP_LIMIT}", process) from None
        finally:
            await process.stop(grace=Duration.of_ms(100))
        if code != 0:
            raise self._failure(program, f"failed with exit code {code}", process)

    async def _start(
        self, program: str, arguments: list[str], part: str, text: bytes | None = None
    ) -> ProcessGroup:
        path = str(self._binaries.folder / program)
        process = await start(
            f"{self._site.name}{part}",
            [path, *arguments],
            env=self._environment(),
            cwd=self._scratch,
            log=self._site.log,
            mark=self._site.mark,
            record=self._site.record,
            user=self._account,
            stdin="null" if text is None else "pipe",
        )
        if text is not None:
            process.end_input(text)
        return process

    def _environment(self) -> dict[str, str]:
        """Ours without what would change the server: PGPORT, PGDATA, LC_ALL, a time zone."""
        kept = {
            key: value
            for key, value in self._site.env.items()
            if not key.startswith(("PG", "LC_", "LANG"))
        }
        return {"PATH": os.defpath, **kept, "HOME": str(self._scratch), "LC_ALL": "C", "TZ": "UTC"}

    def _write(self, name: str, text: str) -> Path:
        path = self._scratch / name
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text, encoding="utf-8")
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)
        return path

    def _failure(self, program: str, what: str, process: ProcessGroup) -> TargetError:
        return TargetError(
            f"service {self._site.name}", f"{program} {what}; {log_in_words(process.log)}"
        )


async def _remove(scratch: Path) -> None:
    """The folder, and whoever works in it: a backend whose server was killed is nobody's child."""

    def remove() -> None:
        end(lambda: find(Wanted(folders=(scratch,))), grace=Duration.ZERO)
        remove_scratch(scratch)

    await asyncio.to_thread(remove)


def _checked(database: str, settings: Mapping[str, object], service: str) -> dict[str, str]:
    if not _NAME.fullmatch(database) or database.startswith("template"):
        raise UserError(
            f"service {service}: {database!r} is no name for the database.",
            hint="Write letters, digits and _, such as app.",
        )
    for key in settings:
        if not _SETTING.fullmatch(key):
            raise UserError(
                f"service {service}: {key!r} is no setting of PostgreSQL.",
                hint="Write its name, such as max_connections.",
            )
    return {key: str(value) for key, value in settings.items()}
