"""The services of a target: bring up, wire through hops, wait until ready, reset, stop.

Programs are started by ``processes/``, hops are made through ``proxy/client.py``. When any of it
happens is decided by ``runner/``.
"""

from typing import Any

from harness.kinds import Registry

SERVICES: Registry[Any] = Registry(package="harness.services", group="harness.services")
