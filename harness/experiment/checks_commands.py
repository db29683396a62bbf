"""Rules of what is started: a command's words and the environment it gets. Nothing is started here."""

import shlex
from collections.abc import Mapping

from harness.experiment.draft import Draft
from harness.experiment.hosts import check_password
from harness.experiment.nodes import Path
from harness.expressions.template import Template, TemplateProblem


def check_command(draft: Draft, path: Path, command: str) -> None:
    """Reports a command that cannot be split, or whose split goes through a placeholder.

    It is split before its placeholders are filled, so that no value becomes a second argument.
    """
    check_password(draft, path, command)
    try:
        words = shlex.split(command)
    except ValueError as problem:
        reason = str(problem).rstrip(".").lower()
        draft.wrong(
            path, f"the command cannot be split into words: {reason}", "", "Close every quote."
        )
        return
    if not words:
        draft.wrong(path, "the command is empty", "a program and its arguments")
    elif _is_template(command) and not all(map(_is_template, words)):
        draft.wrong(
            path,
            "the command is split into words within a placeholder",
            "no space between its braces",
        )


def _is_template(text: str) -> bool:
    try:
        Template.parse(text)
    except TemplateProblem:
        return False
    return True


def check_env(draft: Draft, path: Path, env: Mapping[str, str]) -> None:
    """Reports what is no environment variable, and passwords in plain text."""
    for key, value in env.items():
        check_password(draft, (*path, key), value)
        if "\0" in value or not key or "=" in key or "\0" in key:
            draft.wrong((*path, key), "this is no environment variable", "a name without =")
