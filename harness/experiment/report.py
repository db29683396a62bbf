"""Collects what is wrong with files: each problem once, at its place, in the order of the files.

The words are the caller's; how a validator's own errors are put into words is ``wording.py``.
"""

import difflib
from collections.abc import Iterable

from harness.experiment.nodes import Mark, Node, Path, Scalar, steps, written
from harness.model.errors import Problem, UserError

# Enough for any honest file, and a bound for a file that is wrong all over.
MAX_PROBLEMS = 200


class Report:
    """All problems of one call of ``load``."""

    def __init__(self) -> None:
        self._problems: dict[tuple[object, ...], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._problems)

    def __len__(self) -> int:
        return len(self._problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._problems.values(), key=_order))[:MAX_PROBLEMS]

    def raise_if_any(self) -> None:
        """Raises:
        UserError: at least one problem was found.
        """
        if self._problems:
            raise UserError(problems=self.problems)

    def file(
        self, file: str, found: str, expected: str = "", hint: str = "", key: str = ""
    ) -> None:
        """A problem of a file as a whole: it is missing, say."""
        self._add(
            Problem(
                file=file,
                line=None,
                column=None,
                key=key,
                found=found,
                expected=expected,
                hint=hint,
            )
        )

    def mark(
        self, mark: Mark, found: str, expected: str = "", hint: str = "", key: str = ""
    ) -> None:
        """A problem at a place."""
        self._add(
            Problem(
                file=mark.file,
                line=mark.line,
                column=mark.column,
                key=key,
                found=found,
                expected=expected,
                hint=hint,
            )
        )

    def at(
        self,
        root: Node,
        path: Path,
        found: str,
        expected: str = "",
        hint: str = "",
        *,
        column: int | None = None,
        at_key: bool = False,
    ) -> None:
        """A problem at ``path``: at its value, ``column`` characters into it, or at its key."""
        along = list(steps(root, path))
        node, key, _ = along[-1] if along else (root, root.mark, "")
        mark = key if at_key else node.mark
        if column is not None and isinstance(node, Scalar) and node.inner is not None:
            mark = Mark(mark.file, mark.line, mark.column + node.inner + column - 1)
        self.mark(mark, found, expected, hint, written(tuple(part for _, _, part in along)))

    def _add(self, problem: Problem) -> None:
        # Two experiments with one target find the same; what else they expected does not matter.
        place = (problem.file, problem.line, problem.column, problem.key, problem.found)
        self._problems.setdefault(place, problem)


def _order(problem: Problem) -> tuple[str, int, int]:
    return (problem.file, problem.line or 0, problem.column or 0)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be."""
    near = difflib.get_close_matches(word, list(known), 1, cutoff=0.6)
    return near[0] if near else None


def unknown(what: str, word: str, known: Iterable[str]) -> tuple[str, str, str]:
    """Found, expected and hint for a word that is none of the known ones."""
    words = list(dict.fromkeys(known))
    near = nearest(word, words)
    listed = ", ".join(words[:20]) + (", …" if len(words) > 20 else "")
    return (
        f"unknown {what} {word!r}",
        f"one of {listed}" if words else f"no {what}: none is declared",
        f"Did you mean {near}?" if near else "",
    )
