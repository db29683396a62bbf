"""The limits of our clients: each written once, so that two rooms never wait or take differently."""

import re
from pathlib import Path

import harness
from harness.connections.limits import MOST_BODY, TOO_MUCH

ROOMS = ("connections", "traffic", "observe", "services")


def test_limits_when_searched_for_then_each_is_written_once() -> None:
    folder = Path(harness.__file__).parent
    found = [
        (name, path.relative_to(folder).as_posix())
        for room in ROOMS
        for path in (folder / room).rglob("*.py")
        for name in re.findall(r"^(MOST_BODY|CONNECT_LIMIT)\b.*=", path.read_text(), re.MULTILINE)
    ]
    assert sorted(found) == [
        ("CONNECT_LIMIT", "connections/limits.py"),
        ("MOST_BODY", "connections/limits.py"),
    ]


def test_words_when_said_then_are_of_the_number() -> None:
    assert f"more than {MOST_BODY // 2**20} MiB" == TOO_MUCH
