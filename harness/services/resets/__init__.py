"""Resets: put the target's state back, directly, before every round. One file for each kind."""

from typing import Any

from harness.kinds import Registry

RESETS: Registry[Any] = Registry(package="harness.services.resets", group="harness.resets")
