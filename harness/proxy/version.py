"""Which version this is: of the API that clients know, and of the program itself."""

from harness import __version__

# The plain version number that clients look for: what the API is compatible with.
COMPATIBLE_WITH = "2.12.0"


def line() -> str:
    """What ``-version`` prints: what scripts look for, then who says it."""
    return f"toxiproxy-server version {COMPATIBLE_WITH} (harness proxy {__version__})"
