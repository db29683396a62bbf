"""Values that templates take from outside the files: ``{env:NAME}`` and ``{file:PATH}``.

Each one is reported, so that the journal hides it wherever it turns up again.
"""

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import quote

from harness.connections.secrets import Sources, file_text
from harness.model.errors import UserError
from harness.model.plan import Plan

# Shorter ones would blot out parts of ordinary words, and protect nothing.
_SHORTEST_SECRET = 4
_PORT = re.compile(r"\d{1,5}")
# What undoing reads in the journal: a DB_HOST of 127.0.0.1 hidden there would leave a fault standing.
_UNDO_WORDS = frozenset({"harness-", "http://127.0.0.1:", "localhost", "toxic", "proxy"})


class Outside:
    """``words`` stand in events: a user called ``bank`` must not hide the target ``bank``."""

    def __init__(
        self,
        env: Mapping[str, str],
        folder: Path,
        hide: Callable[[str], None],
        words: Collection[str],
    ) -> None:
        self._env = env
        self._file = file_text(folder)
        self._hide = hide
        self._words = words

    def env(self, name: str) -> str:
        """The value of an environment variable.

        Raises:
            UserError: it is not set.
        """
        value = self._env.get(name)
        if value is None:
            raise UserError(
                f"The environment variable {name} is not set; {{env:{name}}} asks for it.",
                hint=f"Set it for the harness: export {name}=…",
            )
        self.hide(value)
        return value

    def file(self, path: str) -> str:
        """The text of a file, relative to the target's folder, without its line end.

        Raises:
            UserError: it cannot be read.
        """
        value = self._file(path)
        self.hide(value)
        return value

    @property
    def sources(self) -> Sources:
        """For those who fill templates later: probes, resets, operations."""
        return Sources(self.env, self.file)

    def hide(self, value: str) -> None:
        """Hides ``value`` from the journal, unless that would blot out what the journal must say."""
        if len(value) < _SHORTEST_SECRET or _PORT.fullmatch(value):
            return
        # In a path it stands encoded.
        for form in dict.fromkeys((value, quote(value, safe=""))):
            if not any(form in word for word in self._words):
                self._hide(form)


def words_of(plan: Plan) -> set[str]:
    """Texts that stand in events, of which no hidden value may blot out a part."""
    target = plan.target
    parts = (target.services, target.hops, target.operations, target.probes, plan.invariants)
    names = {part.name for group in parts for part in group}
    names |= {step.id for step in plan.method} | {fault.kind for fault in plan.faults}
    return {*_UNDO_WORDS, *names} | {plan.experiment, target.name, plan.variant or ""}
