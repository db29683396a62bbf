"""The last lines of a log, for error messages. A log may be huge, or hold anything but text."""

from pathlib import Path

# Enough for a dozen long lines of a traceback, whatever the size of the log.
_TAIL_BYTES = 16 * 1024
_LINE_LENGTH = 500


def last_lines(log: Path, count: int = 12, *, after: int = 0) -> str:
    """The last ``count`` lines that are not blank, each at most 500 characters; ``""`` if none.

    ``after`` so many bytes: what stands before them was written by somebody else.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            begin = file.seek(max(after, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines()]
    if begin > after:
        lines = lines[1:] or lines  # the first one begins in its middle
    kept = [line for line in lines if line][-count:]
    return "\n".join(
        line if len(line) <= _LINE_LENGTH else line[: _LINE_LENGTH - 1] + "…" for line in kept
    )


def log_in_words(log: Path) -> str:
    """``last_lines`` as the end of a sentence, which may be that there are none."""
    tail = last_lines(log)
    return f"the last lines of its log:\n{tail}" if tail else "its log is empty"
