"""The toxics, one file each. A new one is a file here whose class has the file's name as ``kind``."""

from harness.kinds import Registry
from harness.proxy.toxic import Toxic

TOXICS: Registry[Toxic] = Registry(package="harness.proxy.toxics", group="harness.toxics")
