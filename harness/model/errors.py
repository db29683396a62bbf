"""The three families of errors, told apart by whose they are.

``UserError``: their files, command line or machine; a message, no traceback, exit 2.
``TargetError``: what is tested failed in a way that is no verdict; journalled, exit 5.
``HarnessBug``: ours; a traceback, exit 5.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with a file: where, what was found, what was expected, how to go on.

    ``line`` and ``column`` count from 1; both are None when the file could not be read at all.
    ``key`` is the path of the key, such as ``method[0].fault.latency``.
    """

    file: str
    line: int | None
    column: int | None
    key: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        path = f" {self.key}:" if self.key else ""
        hint = f" {self.hint}" if self.hint else ""
        expected = f" {_ended(f'Expected {self.expected}')}" if self.expected else ""
        colon = ":" if self.line is None and not self.key else ""
        return f"{place}{colon}{path} {_ended(self.found)}{expected}{hint}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


class UserError(Exception):
    """Something the user can mend. ``str()`` is the whole message, one problem a line."""

    def __init__(
        self, message: str = "", *, problems: tuple[Problem, ...] = (), hint: str = ""
    ) -> None:
        self.problems = problems
        self.hint = hint
        lines = [str(p) for p in problems] or [message]
        super().__init__("\n".join(lines) + (f"\n{hint}" if hint else ""))


class TargetError(Exception):
    """The target failed: died at start, was never ready, refused the database, broke a probe.

    ``what`` names the service, probe or reset; ``detail`` is the target's own words (untrusted).
    """

    def __init__(self, what: str, detail: str, hint: str = "") -> None:
        self.what = what
        self.detail = detail
        self.hint = hint
        super().__init__(f"{what}: {detail}" + (f"\n{hint}" if hint else ""))


class HarnessBug(Exception):
    """A promise of ours is broken. Report it with the run's folder."""
