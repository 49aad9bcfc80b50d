"""Group commit: what is written at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Insert, Update

from adapters.database.engines import Database

T = TypeVar("T")
Rows = Sequence[dict[str, Any]]
Change = tuple[Insert | Update, Rows]
"""A statement with the rows of parameters that it runs for."""


class _Asked(NamedTuple):
    changes: tuple[Change, ...]
    claims: str | None
    done: asyncio.Future[bool]


class Writer:
    """Writes for many tasks, one transaction at a time.

    While a transaction commits, the writes that come in gather for the next one; each caller goes on only after
    the commit that holds all of its changes. A transaction that fails is undone and its callers are written one by
    one, so that each gets its own error and no other's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._asked: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, *changes: Change, claims: str | None = None) -> bool:
        """Make changes in one transaction, in this order, and return when they are committed.

        The answer is whether the key that is claimed was free: whether one of the statements returned it.

        Raises:
            LookupError: an update found no row for its key; nothing was changed.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(changes, claims, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await done

    async def transaction(self, change: Callable[[Connection], T]) -> T:
        """A transaction for what must read and write. Write first: on SQLite that takes the lock."""
        async with self._turn:
            return await self._database.write(change)

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
        changes = _merged(asked)
        try:
            returned = await self._database.write(lambda connection: _make(connection, changes))
        except Exception as error:
            if len(asked) > 1:
                for one in asked:
                    await self._commit([one])
            elif not asked[0].done.done():
                asked[0].done.set_exception(error)
        else:
            for one in asked:
                free = one.claims in returned
                returned.discard(one.claims)  # of two that claim the same key together, the first has it
                if not one.done.done():  # its caller may have been cancelled
                    one.done.set_result(free)


def _make(connection: Connection, changes: Sequence[Change]) -> set[Any]:
    """Make the changes; the keys that their statements return."""
    returned = set[Any]()
    for statement, rows in changes:
        result = connection.execute(statement, rows)
        if result.returns_rows:
            returned.update(result.scalars())
        elif _must_hit(statement) and 0 <= result.rowcount < len(rows):
            keys = ", ".join(str(row["_key"]) for row in rows)
            raise LookupError(f"nothing in {statement.table.description} was claimed with the key {keys}")
    return returned


def _must_hit(statement: Insert | Update) -> bool:
    return statement.is_update and not statement.get_execution_options().get("may_miss")


def _merged(asked: Sequence[_Asked]) -> list[Change]:
    """All rows of a statement together, statements in the order in which they first come.

    That keeps each caller's order, because no statement that needs another's row is ever asked for without it:
    a letter or a command always comes with its case before it.
    """
    merged: dict[int, tuple[Insert | Update, list[dict[str, Any]]]] = {}
    for one in asked:
        for statement, rows in one.changes:
            merged.setdefault(id(statement), (statement, []))[1].extend(rows)
    return [*merged.values()]
