"""The connections to the database: one that writes, some that read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg"}
_BUSY_TIMEOUT = 30.0
"""Seconds that a process waits for another one's transaction on the same SQLite file."""
_READERS = 4


class DatabaseUnusable(Exception):
    """The database cannot be opened. The text says which one, why, and what to do."""


class Database(Protocol):
    """A database that is open: work is handed to it whole, as a function of a connection."""

    url: URL

    async def read(self, ask: Callable[[Connection], T]) -> T:
        """What `ask` finds. It commits each statement by itself and must not leave rows unfetched."""
        ...

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in one transaction, committed when this returns. One runs at a time."""
        ...


class _File:
    """SQLite. A transaction takes one way to a thread and back; a driver that is async takes one for each call.

    One connection writes: SQLite lets only one do so anyway, and waiting for it in the process is fairer and cheaper
    than waiting for the file's lock.
    """

    def __init__(self, url: URL, read: Engine, write: Engine) -> None:
        self.url, self._read, self._write = url, read, write
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="database-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-write")
        self._connection: Connection | None = None

    async def read(self, ask: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._read.connect() as connection:
                return ask(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def write(self, change: Callable[[Connection], T]) -> T:
        def run() -> T:
            self._connection = connection = self._connection or self._write.connect()
            with connection.begin():
                return change(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    async def close(self) -> None:
        for threads in (self._readers, self._writer):
            await asyncio.to_thread(threads.shutdown)
        if self._connection:
            self._connection.close()
        self._read.dispose()
        self._write.dispose()


class _Server:
    """PostgreSQL."""

    def __init__(self, url: URL, read: AsyncEngine, write: AsyncEngine) -> None:
        self.url, self._read, self._write = url, read, write

    async def read(self, ask: Callable[[Connection], T]) -> T:
        async with self._read.connect() as connection:
            return await connection.run_sync(ask)

    async def write(self, change: Callable[[Connection], T]) -> T:
        async with self._write.begin() as connection:
            return await connection.run_sync(change)

    async def close(self) -> None:
        await self._read.dispose()
        await self._write.dispose()


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Database]:
    """The database at a URL such as `sqlite:////var/lib/aftersales/aftersales.db`; makes a SQLite file's folder.

    Raises:
        DatabaseUnusable: the URL is not one, its driver is missing, or the folder cannot be made or written to.
    """
    url = _url(address)
    try:
        database = _file(url) if url.get_backend_name() == "sqlite" else _server(url)
    except (ImportError, ArgumentError) as error:
        raise DatabaseUnusable(
            f"database {shown(url)}: {error}; install that, or use a SQLite file or PostgreSQL with asyncpg"
        ) from error
    try:
        yield database
    finally:
        await database.close()


# Errors are logged; what customers wrote, which stands in the parameters, is not.
_POOLED: dict[str, Any] = {"hide_parameters": True, "max_overflow": 0}
_READING: dict[str, Any] = {
    **_POOLED,
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_size": _READERS,
}
_WRITING: dict[str, Any] = {**_POOLED, "pool_size": 1}


def _file(url: URL) -> _File:
    _make_folder(url)
    # The driver then takes the write lock with a transaction's first change. Without, a transaction that read before
    # it wrote would fail, not wait, while another process writes.
    options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_TIMEOUT, "isolation_level": "IMMEDIATE"}}
    read, write = (create_engine(url, **options, **kind) for kind in (_READING, _WRITING))
    for engine in (read, write):
        event.listen(engine, "connect", _set_pragmas)
    return _File(url, read, write)


def _server(url: URL) -> _Server:
    # A worker with a SQLite file is spared its memory.
    from sqlalchemy.ext.asyncio import create_async_engine

    return _Server(url, create_async_engine(url, **_READING), create_async_engine(url, **_WRITING))


def away(error: DBAPIError | OSError) -> str:
    """What a failed call to the database, or to a file, means for people."""
    if isinstance(error, DBAPIError):
        return f"the database cannot be used: {error.orig}; check that its disk is there and has room"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def unreachable(url: URL, error: DBAPIError | OSError) -> DatabaseUnusable:
    """What to tell when a database could not be opened."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if url.get_backend_name() == "sqlite":
        remedy = "check that it is a SQLite file of ours and that the disk is there and has room"
    else:
        remedy = "check that the server runs there and that user and password are right"
    return DatabaseUnusable(f"database {shown(url)} cannot be opened: {cause}; {remedy}")


def shown(url: URL) -> str:
    """The database as people are told it: the path of a file, else the URL without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string()


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise DatabaseUnusable(
            f"{address!r} is not a database URL; write sqlite:///folder/aftersales.db or postgresql://user@host/name"
        ) from None
    if url.get_backend_name() not in _DRIVERS:
        raise DatabaseUnusable(f"database {shown(url)}: only sqlite:// and postgresql:// are known; use one of these")
    url = url.set(drivername=_DRIVERS[url.get_backend_name()])
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise DatabaseUnusable(
            f"{address!r} names no file, and a case must outlive its process; write sqlite:///folder/aftersales.db"
        )
    return url


def _make_folder(url: URL) -> None:
    file = Path(str(url.database))
    remedy = "give this user the right to write there, or choose another folder"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(
            f"the folder {file.parent} of the database cannot be made: {error.strerror}; {remedy}"
        ) from error
    if not os.access(file.parent, os.W_OK | os.X_OK):
        # SQLite keeps its log beside the file.
        raise DatabaseUnusable(f"the folder {file.parent} of the database is not writable; {remedy}")
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise DatabaseUnusable(f"the database {file} is not writable; {remedy}")


def _set_pragmas(connection: Any, _record: object) -> None:
    """With NORMAL a commit survives the process, though the last ones may not survive a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
