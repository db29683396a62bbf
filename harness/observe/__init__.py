"""Probes: questions about the target's state, each answered by one value. One file per kind.

They ask the service directly, never through a hop. Nothing here judges what was read. A kind says in
``speaks`` what its service must be: "sql", "http", "redis", "process" (started here), or "" for none.
"""

from typing import Any

from harness.kinds import Registry

PROBES: Registry[Any] = Registry(package="harness.observe", group="harness.probes")
