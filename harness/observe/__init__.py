"""Probes: questions about the target's state, each answered by one value. One file per kind.

They ask the service directly, never through a hop. Nothing here judges what was read.
"""

from harness.kinds import Described, Registry

PROBES: Registry[Described] = Registry(package="harness.observe", group="harness.probes")
