"""Group commit: what is written at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Insert, Update, select

from adapters.database.engines import Database
from adapters.database.schema import clean, metadata
from adapters.together import Answer, Asked, Together

T = TypeVar("T")
Rows = Sequence[dict[str, Any]]
Change = tuple[Insert | Update, Rows]
"""A statement with the rows of parameters that it runs for."""

_RANKS = {table.name: rank for rank, table in enumerate(metadata.sorted_tables)}
"""Where a table stands in the order in which rows are locked; a table that others point at comes before them."""
_KEYS_A_QUERY = 500


class _Asked(NamedTuple):
    changes: tuple[Change, ...]
    claims: str | None


class Writer:
    """Writes for many tasks, one transaction at a time.

    While a transaction commits, the writes that come in gather for the next one (`Together`); each caller goes on only
    after the commit that holds all of its changes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._writes = Together(self._commit, turn=self._turn)

    async def write(self, *changes: Change, claims: str | None = None) -> bool:
        """Make changes in one transaction and return when they are committed.

        Tables are written in one order, whatever the order of the changes; those of one row keep theirs. The answer is
        whether the key that is claimed was free: whether one of the statements returned it.

        Raises:
            LookupError: an update found no row for its key; nothing was changed.
            DatabaseAway: the database does not answer.
        """
        return await self._writes.ask(_Asked(changes, claims))

    async def transaction(self, change: Callable[[Connection], T]) -> T:
        """A transaction for what must read and write. Write first: on SQLite that takes the lock."""
        async with self._turn:
            return await self._database.write(change)

    def together(
        self, change: Callable[[Connection, Sequence[Asked]], Sequence[Answer]], most: int
    ) -> Together[Asked, Answer]:
        """A transaction as `transaction` has it, for at `most` so many callers at a time."""

        async def commit(asked: Sequence[Asked]) -> Sequence[Answer]:
            return await self._database.write(lambda connection: change(connection, asked))

        return Together(commit, turn=self._turn, most=most)

    async def close(self) -> None:
        """Wait until everything asked for is written."""
        await self._writes.close()

    async def _commit(self, asked: Sequence[_Asked]) -> list[bool]:
        changes = _merged(asked)
        returned = await self._database.write(lambda connection: _make(connection, changes))
        free: list[bool] = []
        for one in asked:
            free.append(one.claims in returned)
            returned.discard(one.claims)  # of two that claim the same key together, the first has it
        return free


def _make(connection: Connection, changes: Sequence[Change]) -> set[Any]:
    """Make the changes; the keys that their statements return."""
    returned = set[Any]()
    for statement, rows in changes:
        result = connection.execute(statement, rows)
        if result.returns_rows:
            returned.update(result.scalars())
        elif _must_hit(statement) and (missed := _missed(connection, statement, rows, result.rowcount)):
            raise LookupError(
                f"nothing in {statement.table.description} was claimed with the key {', '.join(sorted(missed))}"
            )
    return returned


def _must_hit(statement: Insert | Update) -> bool:
    return statement.is_update and not statement.get_execution_options().get("may_miss")


def _missed(connection: Connection, statement: Insert | Update, rows: Rows, hit: int) -> set[str]:
    """The keys of an update that have no row. For several rows PostgreSQL's driver does not tell how many it hit."""
    if hit == len(rows):
        return set()
    keys = sorted({clean(row["_key"]) for row in rows})
    key = statement.table.c["key"]
    found = set[str]()
    for start in range(0, len(keys), _KEYS_A_QUERY):
        found.update(connection.execute(select(key).where(key.in_(keys[start : start + _KEYS_A_QUERY]))).scalars())
    return set(keys) - found


def _merged(asked: Sequence[_Asked]) -> list[Change]:
    """The rows of all callers, those of a statement together as far as the order of locking allows.

    Rows are locked in one order by every process, table by table and key by key: of two transactions that want the
    same rows, one waits for the other and never each for the other. Claims come first in their table: they only ever
    wait for a claim of the same key that is not committed yet, and of that nothing else can know.
    """
    steps: list[tuple[int, bool, list[str | int], int, Insert | Update, dict[str, Any]]] = []
    for one in asked:
        for statement, rows in one.changes:
            table, waits, columns = _place(statement)
            for row in rows:
                # The number keeps the order in which it was asked for, and the rest out of the comparison.
                steps.append((table, waits, [_sorted_as(row[name]) for name in columns], len(steps), statement, row))
    steps.sort()
    merged: list[tuple[Insert | Update, list[dict[str, Any]]]] = []
    for *_, statement, row in steps:
        if not merged or merged[-1][0] is not statement:
            merged.append((statement, []))
        merged[-1][1].append(row)
    return [*merged]


@lru_cache(maxsize=256)
def _place(statement: Insert | Update) -> tuple[int, bool, tuple[str, ...]]:
    """Where a statement stands among others: its table, whether it waits for rows that are there, and its key."""
    options = statement.get_execution_options()
    key = ("_key",) if statement.is_update else tuple(column.name for column in statement.table.primary_key)
    return _RANKS[statement.table.description], not options.get("claims"), options.get("keys", key)


def _sorted_as(key: str | int) -> str | int:
    return clean(key) if isinstance(key, str) else key
