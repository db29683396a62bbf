"""Which version this is: of the API that clients know, and of the program itself."""

from harness import __version__

# The plain version number that clients look for: what the API is compatible with.
COMPATIBLE_WITH = "2.12.0"


def line() -> str:
    """What ``-version`` prints."""
    return f"harness proxy version {COMPATIBLE_WITH} (harness {__version__})"
