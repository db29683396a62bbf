"""Whole and torn records in a text: pure, and a program of its own for texts that a run reads.

A user's expression may take for ever on a text (``(a+)+b``), and Python's matching neither gives way
to other threads nor can it be told to stop. So ``file.py`` runs this file as a process that the system
ends when its time is over; that is why it imports nothing of the harness. As a program it takes one
JSON object on its input (``file``, ``record``, ``most`` bytes, ``limit`` in seconds) and prints one:
``absent``, ``too_large``, ``refused`` (the system's words), or the fields of ``Records``.
"""

import json
import re
import resource
import sys
from typing import Any, NamedTuple


class Records(NamedTuple):
    """``ids`` has the whole records' ids in the order of the text; empty where they bear none."""

    whole: int
    torn: int
    """Lines that belong to no whole record."""
    lines: int
    ids: list[str]


def scan(text: str, record: "re.Pattern[str]") -> Records:
    """Finds whole records, each from the beginning of a line to the end of one.

    Looks where the last record ended: a line at which none begins is torn, and the next one is tried.
    The last line may lack its line feed. ``id`` is a named group of ``record``, if there is one.
    Where it matches less than a line, because of its alternatives or of repetitions that take as little
    as they can, the other ways are tried that reach this line's end.
    """
    whole = torn = lines = at = 0
    ids: list[str] = []
    bears_id = "id" in record.groupindex
    while at < len(text):
        found = _record_at(text, at, record)
        if found is None:
            feed = text.find("\n", at)
            at = len(text) if feed < 0 else feed + 1
            torn += 1
            lines += 1
            continue
        whole += 1
        end = _end_of_line(text, found.end())
        lines += text.count("\n", at, end) + (text[end - 1] != "\n")
        if bears_id and found["id"] is not None:
            ids.append(found["id"])
        at = end
    return Records(whole=whole, torn=torn, lines=lines, ids=ids)


def _record_at(text: str, at: int, record: "re.Pattern[str]") -> "re.Match[str] | None":
    """The record that begins at ``at`` and ends with a line."""
    found = record.match(text, at)
    if found is None or _is_whole(found, at):
        return found
    feed = text.find("\n", found.end())
    last = len(text) if feed < 0 else feed
    ends = (last, last - 1) if text[last - 1 : last] == "\r" else (last,)
    for end in ends:
        found = record.fullmatch(text, at, end)
        if found is not None and _is_whole(found, at):
            return found
    return None


def _is_whole(found: "re.Match[str]", at: int) -> bool:
    return found.end() > at and _end_of_line(found.string, found.end()) > 0


def _end_of_line(text: str, at: int) -> int:
    """Where the next line begins if one ends at ``at``, with its line feed matched or not; else 0."""
    if at == len(text) or text[at - 1 : at] == "\n":
        return at
    if text.startswith("\n", at):
        return at + 1
    return at + 2 if text.startswith("\r\n", at) else 0


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_CPU, (asked["limit"], asked["limit"]))
    try:
        with open(asked["file"], "rb") as file:  # noqa: PTH123 - pathlib would double the start's time
            content = file.read(asked["most"] + 1)
    except FileNotFoundError:
        return {"absent": True}
    except OSError as error:
        return {"refused": error.strerror or str(error)}
    if len(content) > asked["most"]:
        return {"too_large": True}
    text = content.decode("utf-8", "replace")
    return scan(text, re.compile(asked["record"], re.MULTILINE))._asdict()


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
