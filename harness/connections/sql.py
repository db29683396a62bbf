"""SQL on PostgreSQL, MySQL and SQLite: one connection that commits each statement by itself.

Every query sees what is committed at that moment; no transaction stays open from one to the next.
The database's own words come out as ``TargetError``, never SQLAlchemy's, and never a password.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any

from harness.connections.sql_address import Family, SqlAddress
from harness.expressions.plain import Plain, plain
from harness.model.errors import TargetError, UserError
from harness.model.units import Duration

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

SCRIPT_LIMIT = Duration.of_s(60)
# What a driver may take to say good-bye; after that the socket is left to the system.
_CLOSE_LIMIT = Duration.of_s(2)
_ONE_VALUE = "a probe needs exactly one row with one column"
_ONE_COLUMN = "a probe with list: true needs rows with one column"


class SqlClient:
    """A client for one database. Callers may share it: what it does is done one after the other."""

    def __init__(self, address: SqlAddress, *, what: str, limit: Duration) -> None:
        self._address = address
        self._what = what
        self._limit = limit
        self._turn = asyncio.Lock()
        self._engine: AsyncEngine | None = None
        self._connection: AsyncConnection | None = None
        self._driver: Any = None

    @classmethod
    async def open(cls, url: str, *, what: str, limit: Duration) -> "SqlClient":
        """Connects; ``what`` names the service in errors.

        Raises:
            UserError: the URL cannot be read, or its driver is not installed.
            TargetError: the database refused, or said nothing within ``limit``.
        """
        client = cls(SqlAddress.parse(url, what=what), what=what, limit=limit)
        async with client._turn:
            await client._connected()
        return client

    async def fetch_value(self, query: str, *, within: Duration) -> Plain:
        """The one value that ``query`` gives.

        Raises:
            TargetError: the database's error, no answer within ``within``, or not one value.
        """
        rows, columns = await self._rows(query, within, _ONE_VALUE)
        if len(rows) != 1:
            raise TargetError(self._what, f"gave {len(rows)} rows; {_ONE_VALUE}")
        if columns != 1:
            raise TargetError(self._what, f"gave a row of {columns} columns; {_ONE_VALUE}")
        return plain(rows[0][0])

    async def fetch_list(self, query: str, *, within: Duration) -> Plain:
        """The values of the one column that ``query`` gives, in its order; none is an empty list.

        Raises:
            TargetError: the database's error, no answer within ``within``, or not one column.
        """
        rows, columns = await self._rows(query, within, _ONE_COLUMN)
        if columns != 1:
            raise TargetError(self._what, f"gave rows of {columns} columns; {_ONE_COLUMN}")
        return plain([row[0] for row in rows])

    async def _rows(self, query: str, within: Duration, expected: str) -> tuple[list[Any], int]:
        async with self._asking(within, "the query"):
            rows, columns = await _ask(self._address.family, self._driver, query)
        if rows is None:
            raise TargetError(self._what, f"gave no rows; {expected}")
        return rows, columns

    async def run_script(self, script: str, *, within: Duration = SCRIPT_LIMIT) -> None:
        """Runs all statements of ``script``. What it set for its session alone ends with it.

        PostgreSQL takes a script without BEGIN of its own as one transaction; the others keep what
        went before a failing statement.

        Raises:
            TargetError: a statement failed, the script did not end within ``within``, or it left a
                transaction open, whose changes nobody else would ever see.
        """
        async with self._asking(within, "the script"):
            driver = self._driver
            match self._address.family:
                case "postgresql":
                    await driver.execute(script)
                    left_open = driver.is_in_transaction()
                case "sqlite":
                    await driver.executescript(script)
                    left_open = driver.in_transaction
                case "mysql":
                    left_open = await _run_on_mysql(driver, script)
            if left_open:
                await self._drop()
                raise TargetError(
                    self._what,
                    "the script ended within a transaction, so nothing of it was committed",
                    "End it with COMMIT.",
                )
            await self._begin_session()

    async def _begin_session(self) -> None:
        """``SET search_path``, ``USE`` or a temporary table must not change what probes read."""
        if self._address.in_memory:
            return  # the connection is the database
        if self._address.family == "postgresql":
            # The cheaper way where there is one: to connect takes 15 ms, and 2 ms for the others.
            with contextlib.suppress(Exception):
                await self._driver.execute("DISCARD ALL")
                return
        await self._drop()
        await self._connected()

    async def close(self) -> None:
        """Closes the connection, within seconds whatever the database does."""
        async with self._turn:
            await self._drop()

    @contextlib.asynccontextmanager
    async def _asking(self, within: Duration, asked: str) -> AsyncIterator[None]:
        """The driver's connection, alone, for at most ``within``. After a failure the next one is new."""
        deadline = time.monotonic() + within.in_s
        try:
            async with asyncio.timeout(within.in_s):
                await self._turn.acquire()
        except TimeoutError:
            raise self._late(within, asked) from None
        try:
            await self._connected()
            async with asyncio.timeout(deadline - time.monotonic()):
                yield
        except TargetError:
            raise
        except TimeoutError:
            await self._drop()
            raise self._late(within, asked) from None
        except asyncio.CancelledError:
            await asyncio.shield(self._drop())
            raise
        except Exception as error:
            await self._drop()
            raise TargetError(self._what, self._words(error)) from None
        finally:
            self._turn.release()

    def _late(self, within: Duration, asked: str) -> TargetError:
        return TargetError(self._what, f"{asked} had no answer within {within}")

    async def _connected(self) -> None:
        if self._connection is not None:
            return
        try:
            self._address.check_folder()
            async with asyncio.timeout(self._limit.in_s):
                self._engine = _engine(self._address)
                self._connection = await self._engine.connect()
                raw = await self._connection.get_raw_connection()
                self._driver = raw.driver_connection
        except ModuleNotFoundError as error:
            raise UserError(
                f"{self._what}: the driver for {self._address.family} is not installed ({error.name}).",
                hint=f"Install it with: pip install 'harness[{self._address.family}]'",
            ) from None
        except TimeoutError:
            await self._drop()
            detail = f"no connection to {self._address.shown} within {self._limit}"
            raise TargetError(self._what, detail) from None
        except Exception as error:
            await self._drop()
            detail = f"could not connect to {self._address.shown}: {self._words(error)}"
            raise TargetError(self._what, detail) from None

    async def _drop(self) -> None:
        """Ends the connection, and with it whatever still runs on it."""
        connection, self._connection = self._connection, None
        engine, self._engine = self._engine, None
        if connection is not None:
            await _bounded(_cut(self._address.family, self._driver))
            # Also when the cut took too long: SQLAlchemy complains of what nobody gave back.
            await _bounded(connection.invalidate())
            await _bounded(connection.close())
        if engine is not None:
            await _bounded(engine.dispose())

    def _words(self, error: BaseException) -> str:
        return self._address.hide(database_words(error))


async def _bounded(closing: Awaitable[object]) -> None:
    """A connection that is given up may fail in any way while it is; there is nobody to tell."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CLOSE_LIMIT.in_s):
            await closing


def _engine(address: SqlAddress) -> "AsyncEngine":
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    options = dict(address.options)
    if address.family == "postgresql":
        # Scripts replace tables; a plan kept from before would fail the next query once.
        options |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return create_async_engine(
        address.url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args=options,
    )


async def _ask(family: Family, driver: Any, query: str) -> tuple[list[Any] | None, int]:
    """The rows of a query, None if it gives none, and the number of their columns.

    Asked past SQLAlchemy: it parses what we mean literally, and after a time-out it would first
    wait for the database to say good-bye (2 s for PostgreSQL, the statement's end for SQLite).
    """
    match family:
        case "postgresql":
            statement = await driver.prepare(query)
            columns = len(statement.get_attributes())
            rows = await statement.fetch()
            return (list(rows), columns) if columns else (None, 0)
        case "mysql" | "sqlite":
            cursor = driver.cursor() if family == "mysql" else await driver.cursor()
            await cursor.execute(query)
            columns = len(cursor.description or ())
            rows = await cursor.fetchall() if columns else ()
            # Only now: closing a cursor whose query still runs would wait for it.
            await cursor.close()
            return (list(rows), columns) if columns else (None, 0)


async def _cut(family: Family, driver: Any) -> None:
    """Ends what runs on a connection without asking the database, which may be past answering."""
    match family:
        case "postgresql":
            driver.terminate()
        case "mysql":
            driver.close()
        case "sqlite":
            # Its thread would finish the statement first; close() waits for the thread.
            await driver.interrupt()
            await driver.close()


async def _run_on_mysql(driver: Any, script: str) -> bool:
    """Runs the statements one by one and returns whether a transaction is left open."""
    cursor = driver.cursor()
    await cursor.execute(script)
    # Each statement's error waits at its own result.
    while await cursor.nextset():
        pass
    await cursor.close()
    return bool(driver.get_transaction_status())


def database_words(error: BaseException) -> str:
    """What the database itself said, out of the wrappers that a driver and SQLAlchemy put around it."""
    original = getattr(error, "orig", None) or error
    inner = original.__cause__ if original is not error and original.__cause__ else original
    arguments: tuple[Any, ...] = getattr(inner, "args", ())
    if isinstance(inner, OSError) and inner.errno:
        words = os.strerror(inner.errno)
    elif len(arguments) == 2 and isinstance(arguments[0], int) and isinstance(arguments[1], str):
        words = f"{arguments[1]} (error {arguments[0]})"
    else:
        words = str(inner)
    extra = [
        f"{label}: {text}"
        for label in ("detail", "hint")
        if isinstance(text := getattr(inner, label, None), str) and text not in words
    ]
    return " ".join([words.strip() or type(inner).__name__, *extra])
