"""Probes: questions about the target's state, each answered by one value. One file per kind.

They ask the service directly, never through a hop. Nothing here judges what was read.
"""

from typing import Any

from harness.kinds import Registry

PROBES: Registry[Any] = Registry(package="harness.observe", group="harness.probes")
