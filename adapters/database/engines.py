"""The connections to the database: one that writes, some that read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError

from adapters.database.addresses import DatabaseUnusable, make_folder, parse, shown
from adapters.database.cleaning import json_text
from adapters.database.outages import FAILURES, DatabaseAway, is_away, is_conflict, is_lost
from adapters.database.settings import DatabaseSettings
from adapters.outage import Outage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

_CONFLICTS = 5
"""How often a transaction is repeated that another one was in the way of."""
_CONFLICT_PAUSE = 0.02
"""Seconds until it is repeated, at most; twice as many each time."""


class Database(Protocol):
    """A database that is open: work is handed to it whole, as a function of a connection.

    What it is handed may run more than once: after a lost connection, or when another transaction was in its way. A
    commit whose answer was lost may then be made twice, so every change must be one that a repeat leaves as it is.
    """

    url: URL

    async def read(self, ask: Callable[[Connection], T]) -> T:
        """What `ask` finds. It commits each statement by itself and must not leave rows unfetched.

        Raises:
            DatabaseAway: the database does not answer.
        """
        ...

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in one transaction, committed when this returns. One runs at a time.

        Raises:
            DatabaseAway: the database does not answer; nothing was changed, or all of it.
        """
        ...


class _Watched:
    """Says in the log that the database goes away and is back. Of one that never answered, whoever opens it tells."""

    url: URL
    _outage: Outage | None = None

    def _away(self, error: BaseException) -> DatabaseAway:
        away = DatabaseAway(self.url, error)
        if self._outage:
            self._outage.goes_on(str(away))
        return away

    def _answers(self) -> None:
        if self._outage is None:
            self._outage = Outage("database")
        self._outage.is_over()


class _File(_Watched):
    """SQLite. A transaction takes one way to a thread and back; a driver that is async takes one for each call.

    One connection writes: SQLite lets only one do so anyway, and waiting for it in the process is fairer and cheaper
    than waiting for the file's lock.
    """

    def __init__(self, url: URL, read: Engine, write: Engine, readers: int) -> None:
        self.url, self._read, self._write = url, read, write
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="database-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-write")
        self._connection: Connection | None = None

    async def read(self, ask: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._read.connect() as connection:
                return ask(connection)

        return await self._in(self._readers, run)

    async def write(self, change: Callable[[Connection], T]) -> T:
        def run() -> T:
            self._connection = connection = self._connection or self._write.connect()
            with connection.begin():
                return change(connection)

        return await self._in(self._writer, run)

    async def close(self) -> None:
        for threads in (self._readers, self._writer):
            await asyncio.to_thread(threads.shutdown)
        if self._connection:
            self._connection.close()
        self._read.dispose()
        self._write.dispose()

    async def _in(self, threads: ThreadPoolExecutor, run: Callable[[], T]) -> T:
        try:
            done = await asyncio.get_running_loop().run_in_executor(threads, run)
        except FAILURES as error:
            if is_away(error):
                raise self._away(error) from error
            raise
        self._answers()
        return done


class _Server(_Watched):
    """PostgreSQL.

    Connections are not tried before they are used, which would cost each read a way to the server and back: one that
    turns out to be lost is replaced, and what it was to do is done by the new one.
    """

    def __init__(self, url: URL, read: AsyncEngine, write: AsyncEngine) -> None:
        self.url, self._read, self._write = url, read, write

    async def read(self, ask: Callable[[Connection], T]) -> T:
        async def once() -> T:
            async with self._read.connect() as connection:
                return await connection.run_sync(ask)

        return await self._until_done(once)

    async def write(self, change: Callable[[Connection], T]) -> T:
        async def once() -> T:
            async with self._write.begin() as connection:
                return await connection.run_sync(change)

        return await self._until_done(once)

    async def close(self) -> None:
        await self._read.dispose()
        await self._write.dispose()

    async def _until_done(self, once: Callable[[], Awaitable[T]]) -> T:
        lost, conflicts = False, 0
        while True:
            try:
                done = await once()
            except FAILURES as error:
                if is_conflict(error) and conflicts < _CONFLICTS:
                    await asyncio.sleep(random.uniform(0, _CONFLICT_PAUSE * 2**conflicts))
                    conflicts += 1
                elif is_lost(error) and not lost:
                    lost = True
                elif is_away(error):
                    raise self._away(error) from error
                else:
                    raise
            else:
                self._answers()
                return done


@asynccontextmanager
async def connect(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """The database of these settings; makes a SQLite file's folder.

    Raises:
        DatabaseUnusable: the URL is not one, its driver is missing, or the folder cannot be made or written to.
    """
    url = parse(settings.url.get_secret_value())
    try:
        database = _file(url, settings) if url.get_backend_name() == "sqlite" else _server(url, settings)
    except (ImportError, ArgumentError) as error:
        raise DatabaseUnusable(
            f"database {shown(url)}: {error}; install that, or use a SQLite file or PostgreSQL with asyncpg"
        ) from error
    try:
        yield database
    finally:
        await database.close()


# Errors are logged; what customers wrote, which stands in the parameters, is not.
EACH: dict[str, Any] = {"hide_parameters": True, "json_serializer": json_text}
"""Options of every engine."""
_READING: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}


def sqlite_engine(url: URL, timeout: float, **options: Any) -> Engine:
    """An engine for a SQLite file, which waits `timeout` seconds for other processes."""
    # The driver then takes the write lock with a transaction's first change. Without, a transaction that read before
    # it wrote would fail, not wait, while another process writes.
    arguments: dict[str, Any] = {"timeout": timeout, "isolation_level": "IMMEDIATE"}
    engine = create_engine(url, connect_args=arguments, **EACH, **options)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _file(url: URL, settings: DatabaseSettings) -> _File:
    make_folder(url)
    pool = {"max_overflow": 0}
    read = sqlite_engine(url, settings.statement_timeout, pool_size=settings.readers, **pool, **_READING)
    write = sqlite_engine(url, settings.statement_timeout, pool_size=1, **pool)
    return _File(url, read, write, settings.readers)


def _server(url: URL, settings: DatabaseSettings) -> _Server:
    # A worker with a SQLite file is spared its memory.
    from sqlalchemy.ext.asyncio import create_async_engine

    from adapters.database.postgresql import connecting

    plain, options = connecting(url, settings)
    pool = {"max_overflow": 0, "pool_timeout": settings.statement_timeout, **EACH}
    read = create_async_engine(plain, **options, **pool, pool_size=settings.readers, **_READING)
    # The order's money is added up after a lock was waited for, which must see what was committed meanwhile.
    write = create_async_engine(plain, **options, **pool, pool_size=1, isolation_level="READ COMMITTED")
    return _Server(url, read, write)


def _set_pragmas(connection: Any, _record: object) -> None:
    """With NORMAL a commit survives the process, though the last ones may not survive a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
