"""The file of ``-config``: the same list that ``POST /populate`` takes, with places for its mistakes."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model.errors import Problem, UserError
from harness.proxy.api.bodies import DECODER, proxy_entry
from harness.proxy.states import ProxySpec, Refused

_BLANK = " \t\r\n"
_LIST = "a JSON list of proxies, as POST /populate takes it"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file asks for. ``offsets`` says where in ``text`` each proxy begins."""

    path: Path
    text: str
    specs: tuple[ProxySpec, ...]
    offsets: tuple[int, ...]

    async def enter(self, populate: Callable[[list[ProxySpec]], Awaitable[object]]) -> None:
        """Makes the proxies.

        Raises:
            UserError: at the place of the one that cannot be had.
        """
        try:
            await populate(list(self.specs))
        except Refused as refused:
            offset = 0 if refused.place is None else self.offsets[refused.place - 1]
            raise _problem(self.path, self.text, offset, str(refused)) from None


def read(path: Path) -> ConfigFile:
    """The file, with every value of the right type.

    Raises:
        UserError: it cannot be read, is no JSON, no list, or an entry has a key of a wrong type.
    """
    text = _text(path)
    specs, offsets = [], []
    try:
        for entry, offset in _entries(text):
            offsets.append(offset)
            specs.append(proxy_entry(entry))
    except _Broken as broken:
        raise _problem(path, text, broken.offset, broken.found, broken.expected) from None
    except Refused as refused:
        reason = str(refused).removeprefix("bad request body: ")
        raise _problem(path, text, offsets[-1], reason) from None
    return ConfigFile(path, text, tuple(specs), tuple(offsets))


class _Broken(Exception):
    def __init__(self, offset: int, found: str, expected: str) -> None:
        self.offset = offset
        self.found = found
        self.expected = expected
        super().__init__(found)


def _entries(text: str) -> Iterator[tuple[Any, int]]:
    """Each entry of the list and where it begins; ``null`` is an empty list."""
    at = _skipped(text, 0)
    if text[at:].strip(_BLANK) == "null":
        return
    if text[at : at + 1] != "[":
        raise _Broken(at, _near(text, at), _LIST)
    at = _skipped(text, at + 1)
    if text[at : at + 1] == "]":
        at = _skipped(text, at + 1)
    else:
        while True:
            value, end = _decoded(text, at)
            yield value, at
            at = _skipped(text, end)
            mark = text[at : at + 1]
            if mark not in {",", "]"}:
                raise _Broken(at, _near(text, at), "a comma or the end of the list")
            at = _skipped(text, at + 1)
            if mark == "]":
                break
    if at != len(text):
        raise _Broken(at, f"{_near(text, at)} behind the list", "the end of the file")


def _decoded(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _Broken(error.pos, f"no JSON: {error.msg[0].lower()}{error.msg[1:]}", "") from None
    except (ValueError, RecursionError) as error:
        raise _Broken(at, f"no JSON: {error}", "") from None
    return value, end


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _near(text: str, at: int) -> str:
    return f"found {text[at : at + 20].splitlines()[0]!r}" if at < len(text) else "the file ends"


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            problems=(
                Problem(
                    file=str(path), line=None, column=None, key="",
                    found=f"cannot be read: {reason}", expected=_LIST,
                ),
            )
        ) from None  # fmt: skip
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        raise _problem(path, before, len(before), f"no UTF-8: {error.reason}") from None


def _problem(path: Path, text: str, offset: int, found: str, expected: str = "") -> UserError:
    before = text[:offset]
    return UserError(
        problems=(
            Problem(
                file=str(path),
                line=before.count("\n") + 1,
                column=offset - (before.rfind("\n") + 1) + 1,
                key="",
                found=found,
                expected=expected,
            ),
        )
    )
