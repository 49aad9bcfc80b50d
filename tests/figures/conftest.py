"""Databases in which the figures of reports are looked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Table

from adapters.database import DatabaseSettings
from adapters.database.engines import Database, connect
from adapters.database.figures import FiguresView
from adapters.database.schema import metadata
from tests.postgres import PostgresServer

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by the name of their table."""


class Filled(Protocol):
    """Makes a database with these rows."""

    def __call__(
        self, kind: str, tables: Tables, fill: Callable[[Connection], None] | None = None
    ) -> AbstractAsyncContextManager[FiguresView]:
        """The figures of a new database of this kind; `fill` puts more into it."""
        ...


@pytest.fixture
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Filled:
    """Makes databases with rows."""

    @asynccontextmanager
    async def make(
        kind: str, tables: Tables, fill: Callable[[Connection], None] | None = None
    ) -> AsyncIterator[FiguresView]:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path}/{len(list(tmp_path.iterdir()))}.db"
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            url = server.url(server.new_database(upgraded=False))
        async with connect(DatabaseSettings(url=SecretStr(url), statement_timeout=300)) as database:
            await put(database, tables)
            if fill:
                await database.write(fill)
            yield FiguresView(database)

    return make


async def put(database: Database, tables: Tables) -> None:
    """Write rows into tables, which are made where they are not there."""
    await database.write(metadata.create_all)
    for table in metadata.sorted_tables:
        if rows := [dict(row) for row in tables.get(table.name, ())]:
            await database.write(partial(_insert, table, rows))


def _insert(table: Table, rows: list[dict[str, Any]], connection: Connection) -> None:
    connection.execute(table.insert(), rows)
