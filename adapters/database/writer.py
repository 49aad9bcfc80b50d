"""Group commit: what is written at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import Insert, Update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Rows = Sequence[dict[str, Any]]
Change = tuple[Insert | Update, Rows]
"""A statement with the rows of parameters that it runs for."""


class _Asked(NamedTuple):
    changes: tuple[Change, ...]
    done: asyncio.Future[None]


class Writer:
    """Writes for many tasks over one connection.

    While a transaction commits, the writes that come in gather for the next one; each caller goes on only after
    the commit that holds all of its changes. A transaction that fails is undone and its callers are written one by
    one, so that each gets its own error and no other's.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._asked: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, *changes: Change) -> None:
        """Make changes in one transaction, in this order, and return when they are committed.

        Raises:
            LookupError: an update found no row for its key; nothing was changed.
        """
        done = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(changes, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        await done

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for what must read and write. Write first: on SQLite that takes the lock."""
        async with self._turn, self._engine.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Wait until everything asked for is written."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._asked:
            async with self._turn:
                asked, self._asked = self._asked, []
                await self._commit(asked)

    async def _commit(self, asked: Sequence[_Asked]) -> None:
        try:
            async with self._engine.begin() as connection:
                for statement, rows in _merged(asked):
                    result = await connection.execute(statement, rows)
                    if statement.is_update and 0 <= result.rowcount < len(rows):
                        table = statement.table.description
                        keys = ", ".join(str(row["_key"]) for row in rows)
                        raise LookupError(f"nothing in {table} was claimed with the key {keys}")
        except Exception as error:
            if len(asked) > 1:
                for one in asked:
                    await self._commit([one])
            elif not asked[0].done.done():
                asked[0].done.set_exception(error)
        else:
            for one in asked:
                if not one.done.done():  # its caller may have been cancelled
                    one.done.set_result(None)


def _merged(asked: Sequence[_Asked]) -> list[tuple[Insert | Update, list[dict[str, Any]]]]:
    """All rows of a statement together, statements in the order in which they first come.

    That keeps each caller's order, because no statement that needs another's row is ever asked for without it:
    a letter or a command always comes with its case before it.
    """
    merged: dict[int, tuple[Insert | Update, list[dict[str, Any]]]] = {}
    for one in asked:
        for statement, rows in one.changes:
            merged.setdefault(id(statement), (statement, []))[1].extend(rows)
    return list(merged.values())
