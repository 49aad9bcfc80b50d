"""Moving all data from one database into another, and proving that it arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from adapters.database.addresses import DatabaseUnusable, parse, shown
from adapters.database.engines import EACH, connect, sqlite_engine
from adapters.database.outages import FAILURES
from adapters.database.postgresql import APPLICATION, connecting
from adapters.database.revisions import revision_of
from adapters.database.schema import REVISION, metadata
from adapters.database.settings import DatabaseSettings
from adapters.database.tally import Tally
from adapters.database.upgrade import bring_up_to_date

BATCH = 1_000
"""Rows that are in memory at a time."""
_LONG = 24 * 3600.0
"""Seconds that moving may take."""
_OTHERS_WAIT = 2.0
"""Seconds in which another process may let go of a SQLite file."""
_STOP_THEM = "stop worker and starter, and every other process of ours that uses it, until the data is moved"

Told = Callable[[str, int], None]
"""Told a table and how many of its rows have been copied."""


class Fact(NamedTuple):
    """A figure about a table, as it is in the source and as it arrived."""

    table: str
    name: str
    source: str
    target: str


async def move(source: DatabaseSettings, target: DatabaseSettings, told: Told) -> list[Fact]:
    """Copy all tables into an empty database, in one transaction; the figures of both sides.

    Where a figure differs the target is left empty. The source cannot be changed meanwhile, and is never changed.

    Raises:
        DatabaseUnusable: a database cannot be opened, the source is in use or at another revision, or the target holds
            something already. The target is left as empty as it was.
    """
    from_url, to_url = parse(source.url.get_secret_value()), parse(target.url.get_secret_value())
    if shown(from_url) == shown(to_url):
        raise DatabaseUnusable(f"database {shown(from_url)} cannot be moved into itself; name another one")
    require_file(from_url)
    try:
        async with _opened(from_url, source, "REPEATABLE READ") as read:
            await greenlet_spawn(_keep_still, read, from_url)
            async with connect(target) as empty:
                await bring_up_to_date(empty)
            async with _opened(to_url, target, "READ COMMITTED") as write:
                facts: list[Fact] = await greenlet_spawn(_copy, read, write, to_url, told)
                return facts
    except FAILURES as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseUnusable(
            f"moving {shown(from_url)} to {shown(to_url)} failed, and nothing was moved: {cause}; "
            "check that both are there and have room, and that their users may read, write and lock the tables"
        ) from error


def require_file(url: URL) -> None:
    """A SQLite file must be there, as opening it would make it.

    Raises:
        DatabaseUnusable: it is not.
    """
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise DatabaseUnusable(f"there is no database {shown(url)}; check its path")


@asynccontextmanager
async def _opened(url: URL, settings: DatabaseSettings, isolation: str) -> AsyncIterator[Connection]:
    """A connection for one long transaction. That of PostgreSQL works within `greenlet_spawn` only."""
    if url.get_backend_name() == "sqlite":
        engine = sqlite_engine(url, _OTHERS_WAIT, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
        return
    from sqlalchemy.ext.asyncio import create_async_engine

    plain, options = connecting(url, settings.model_copy(update={"statement_timeout": _LONG}))
    engine_there = create_async_engine(plain, **options, **EACH, poolclass=NullPool, isolation_level=isolation)
    async with engine_there.connect() as there:
        assert there.sync_connection
        yield there.sync_connection


def _keep_still(source: Connection, url: URL) -> None:
    """Begin the transaction, with locks that let nobody write before its end."""
    if source.dialect.name == "sqlite":
        try:
            # In this mode it is to be had only while no other process has the file open.
            source.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
            source.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            raise DatabaseUnusable(f"database {shown(url)} is in use ({error.orig}); {_STOP_THEM}") from error
    else:
        try:
            # The first statement: what it waited for must be in what the later ones see.
            source.execute(text(f"LOCK TABLE {_tables()} IN SHARE MODE NOWAIT"))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") == "42P01":
                raise DatabaseUnusable(f"database {shown(url)} lacks our tables; run ./dev db upgrade on it") from error
            raise DatabaseUnusable(f"database {shown(url)} is in use ({error.orig}); {_STOP_THEM}") from error
        others = source.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND application_name = :ours"
            ),
            {"ours": APPLICATION},
        ).scalar_one()
        if others:
            raise DatabaseUnusable(f"database {shown(url)} is in use by {others} connections of ours; {_STOP_THEM}")
    found = revision_of(source)
    if found != REVISION:
        raise DatabaseUnusable(
            f"database {shown(url)} is at revision {found or 'none'}, not {REVISION}; run ./dev db upgrade on it first"
        )


def _copy(source: Connection, target: Connection, url: URL, told: Told) -> list[Fact]:
    if target.dialect.name == "sqlite":
        target.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        target.execute(text(f"LOCK TABLE {_tables()} IN EXCLUSIVE MODE"))
    filled = [table.name for table in metadata.sorted_tables if target.execute(select(table).limit(1)).first()]
    if filled:
        raise DatabaseUnusable(
            f"database {shown(url)} holds something already ({', '.join(filled)}); give an empty one"
        )
    facts = []
    for table in metadata.sorted_tables:
        sent, arrived = Tally(table.name), Tally(table.name)
        query = select(table).execution_options(yield_per=BATCH)
        for part in source.execute(query).mappings().partitions():
            rows = [dict(row) for row in part]
            for row in rows:
                sent.add(row)
            target.execute(insert(table), rows)
            told(table.name, sent.rows)
        for row_there in target.execute(query).mappings():
            arrived.add(dict(row_there))
        pair = ((source, sent), (target, arrived))
        here, there = ({"counted": str(_count(side, table)), **tally.facts()} for side, tally in pair)
        facts += _facts(table.name, here, there)
    if differing(facts):
        target.rollback()
    else:
        target.commit()
    return facts


def differing(facts: Sequence[Fact]) -> list[Fact]:
    """The figures that are not the same on both sides."""
    return [fact for fact in facts if fact.source != fact.target]


def _facts(table: str, source: dict[str, str], target: dict[str, str]) -> list[Fact]:
    names = dict.fromkeys([*source, *target])
    return [Fact(table, name, source.get(name, "-"), target.get(name, "-")) for name in names]


def _count(connection: Connection, table: Table) -> int:
    """As the database counts: a second opinion beside the rows that were read."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _tables() -> str:
    return ", ".join(table.name for table in metadata.sorted_tables)
