"""Faults: who turns a disturbance on and off, and reads from the wire whether it was there.

What happens to the bytes is ``proxy/toxics/``. When to act is the runner's decision.
"""

from harness.kinds import Described, Registry

FAULTS: Registry[Described] = Registry(package="harness.faults", group="harness.faults")
"""The kinds of faults that are no toxics, one file each, named like its ``kind``."""
