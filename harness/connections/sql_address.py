"""A database's URL: which driver it means, and how to name it without its password.

No connection is opened here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.connections.secrets import hidden, spellings
from harness.model.errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import URL

Family = Literal["postgresql", "mysql", "sqlite"]

_FAMILIES: dict[str, Family] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+asyncmy",
    "sqlite": "sqlite+aiosqlite",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAddress:
    """``shown`` is the URL as people may see it; ``secrets`` are texts that no message may hold."""

    family: Family
    url: "URL"
    options: dict[str, Any]
    shown: str
    secrets: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, *, what: str) -> "SqlAddress":
        """Reads a URL.

        Raises:
            UserError: it is no URL, or of a database that is not known. The URL itself is not
                shown: a password may stand anywhere in one that cannot be read.
        """
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            url = make_url(text)
        except (ArgumentError, ValueError) as error:
            raise UserError(f"{what}: the database's URL cannot be read. {_HOW}") from error
        family = _FAMILIES.get(url.drivername.partition("+")[0])
        if family is None:
            raise UserError(f"{what}: {url.drivername!r} names no known database. {_HOW}")
        options: dict[str, Any] = {}
        query = dict(url.query)
        if family == "postgresql" and "sslmode" in query:
            # libpq's word; asyncpg takes the same values under another name.
            options["ssl"] = query.pop("sslmode")
        password = str(url.password) if url.password else ""
        return cls(
            family=family,
            url=url.set(drivername=_DRIVERS[family], query=query),
            options=options,
            shown=url.set(drivername=family, password=None, query={}).render_as_string(),
            secrets=spellings(password),
        )

    @property
    def in_memory(self) -> bool:
        """A database of SQLite that is gone with its connection."""
        database = self.url.database or ":memory:"
        memory = ":memory:" in database or self.url.query.get("mode") == "memory"
        return self.family == "sqlite" and memory

    def check_folder(self) -> None:
        """Raises OSError where SQLite could not make its file; its driver leaves a thread behind."""
        database = self.url.database
        if self.family == "sqlite" and database and database != ":memory:":
            folder = Path(database).absolute().parent
            if not folder.is_dir():
                raise OSError(f"unable to open database file: there is no folder {folder}")

    def hide(self, message: str) -> str:
        """``message`` without the password, in whatever spelling it may have got in."""
        return hidden(message, self.secrets)


_HOW = "Write postgresql://user:password@host:port/name, mysql://… or sqlite:///path."
