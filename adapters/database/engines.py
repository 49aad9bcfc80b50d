"""The connections to the database: one engine that reads, one that writes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_BUSY_TIMEOUT = 30.0
"""Seconds that a process waits for another one's transaction on the same SQLite file."""
_READERS = 4


class DatabaseUnusable(Exception):
    """The database cannot be opened. The text says which one, why, and what to do."""


@dataclass(frozen=True)
class Engines:
    """`read` commits each statement by itself. `write` has one connection.

    On SQLite only one transaction writes at a time anyway, and waiting for it in the process is fairer and cheaper
    than waiting for the file's lock.
    """

    url: URL
    read: AsyncEngine
    write: AsyncEngine


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Engines]:
    """Engines for a database URL such as `sqlite:////var/lib/aftersales/aftersales.db`; makes a SQLite file's folder.

    Raises:
        DatabaseUnusable: the URL is not one, its driver is missing, or the folder cannot be made or written to.
    """
    url = _url(address)
    options: dict[str, Any] = {"hide_parameters": True}  # errors are logged, what customers wrote is not
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
        # The driver then takes the write lock with a transaction's first change. Without, a transaction that
        # read before it wrote would fail, not wait, while another process writes.
        options["connect_args"] = {"timeout": _BUSY_TIMEOUT, "isolation_level": "IMMEDIATE"}
    try:
        read = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_size=_READERS,
            max_overflow=0,
            **options,
        )
        write = create_async_engine(url, pool_size=1, max_overflow=0, **options)
    except (ImportError, ArgumentError) as error:
        raise DatabaseUnusable(
            f"database {shown(url)}: {error}; install that, or use a SQLite file or PostgreSQL with asyncpg"
        ) from error
    if url.get_backend_name() == "sqlite":
        for engine in (read, write):
            event.listen(engine.sync_engine, "connect", _set_pragmas)
    try:
        yield Engines(url, read, write)
    finally:
        await write.dispose()
        await read.dispose()


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
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
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
