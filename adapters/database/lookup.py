"""Finding rows by their key: what is asked for at the same time is asked in one query."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Column, Result, RowMapping, Select, bindparam
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.database.schema import clean

_KEYS_A_QUERY = 500


class Lookup:
    """Looks up single rows for many tasks: while a query runs, the keys that come in gather for the next one."""

    def __init__(self, engine: AsyncEngine, query: Select[Any], key: Column[Any]) -> None:
        self._engine = engine
        self._query = query.where(key.in_(bindparam("keys", expanding=True)))
        self._key = key.name
        self._asked: list[tuple[str, asyncio.Future[RowMapping | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def find(self, key: str) -> RowMapping | None:
        """The row with this key, as it is committed by the time of the call or later."""
        found: asyncio.Future[RowMapping | None] = asyncio.get_running_loop().create_future()
        self._asked.append((key, found))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await found

    async def close(self) -> None:
        """Wait until everything asked for is answered."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._asked:
            asked, self._asked = self._asked[:_KEYS_A_QUERY], self._asked[_KEYS_A_QUERY:]
            try:
                rows = await self._rows([key for key, _ in asked])
            except Exception as error:
                for _, found in asked:
                    if not found.done():
                        found.set_exception(error)
            else:
                for key, found in asked:
                    if not found.done():  # its caller may have been cancelled
                        found.set_result(rows.get(clean(key)))

    async def _rows(self, keys: list[str]) -> dict[str, RowMapping]:
        async with self._engine.connect() as connection:
            result: Result[Any] = await connection.execute(self._query, {"keys": keys})
            return {row[self._key]: row for row in result.mappings()}
