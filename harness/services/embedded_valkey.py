"""embedded-valkey: a Valkey of the run's own, on loopback, that keeps nothing and is gone at the end.

Its program comes from ``valkey_binary.py``. It has a password, as the PostgreSQL has: accounts of this
machine get no further than its port.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import ClassVar

from harness.connections.redis import RedisClient
from harness.kinds import params
from harness.model.address import Address
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration
from harness.processes.group import start
from harness.processes.scratch import make_scratch, remove_scratch
from harness.services.ports import LOOPBACK, free_port
from harness.services.site import Ask, Site, Started
from harness.services.valkey_binary import find_server

_GRACE = Duration.of_s(3)
_PING_LIMIT = Duration.of_s(2)
_SETTING = re.compile(r"[a-z][a-z0-9-]*")

_SETTINGS: Mapping[str, str] = {
    # Neither snapshots nor a log of changes: the data lives as long as the run.
    "save": "",
    "appendonly": "no",
}


class EmbeddedValkey:
    """A server with empty databases and a random password."""

    kind: ClassVar[str] = "embedded-valkey"
    summary: ClassVar[str] = "a Valkey of the run's own, on loopback, removed at the end"

    @params
    class Params:
        settings: dict[str, str] = field(default_factory=dict)

    def __init__(self, params: "EmbeddedValkey.Params") -> None:
        self._params = params

    async def start(self, site: Site) -> Started:
        settings = _checked(site.fill(self._params.settings, {}), site.name)
        server = find_server()
        scratch = make_scratch(site.mark, "valkey", account=None)
        site.on_stop(lambda: _remove(scratch))
        password = secrets.token_urlsafe(24)
        site.hide(password)
        address = Address(LOOPBACK, free_port())
        fixed = {
            "bind": LOOPBACK,
            "port": str(address.port),
            "dir": str(scratch),
            "daemonize": "no",
            "logfile": "",
            "requirepass": password,
        }
        # In a file: arguments may be read by everybody on the machine, and stand in the journal.
        config = _write(scratch / "valkey.conf", {**_SETTINGS, **settings, **fixed})
        process = await start(
            site.name,
            [str(server), str(config)],
            env=site.env,
            cwd=scratch,
            log=site.log,
            mark=site.mark,
            record=site.record,
        )
        site.on_stop(lambda: process.stop(grace=_GRACE))
        url = f"redis://:{password}@{address.text()}/0"
        return Started(
            address=address, url=url, process=process, ask=_pings(url, site.name), port_given=True
        )


def _pings(url: str, service: str) -> Ask:
    """Ready when it answers a PING: it listens before it has read what it keeps."""

    async def ask() -> str | None:
        client = RedisClient(url, what=f"service {service}")
        try:
            await client.call(["PING"], within=_PING_LIMIT)
        except TargetError as error:
            return error.detail
        finally:
            await client.close()
        return None

    return ask


def _write(path: Path, settings: Mapping[str, str]) -> Path:
    path.touch(mode=0o600, exist_ok=False)
    lines = (f'{name} "{_escaped(value)}"\n' for name, value in settings.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


async def _remove(scratch: Path) -> None:
    await asyncio.to_thread(remove_scratch, scratch)


def _checked(settings: Mapping[str, object], service: str) -> dict[str, str]:
    for key, value in settings.items():
        if not _SETTING.fullmatch(key) or re.search(r"[\r\n\0]", str(value)):
            raise UserError(
                f"service {service}: {key!r} is no setting of Valkey, or its value has line breaks.",
                hint="Write its name and value as its configuration has them, such as maxmemory: 64mb.",
            )
    return {key: str(value) for key, value in settings.items()}
