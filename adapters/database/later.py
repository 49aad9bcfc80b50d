"""A database that was away when it was opened: it is brought up to date with its first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection

from adapters.database.addresses import DatabaseUnusable
from adapters.database.engines import Database
from adapters.database.upgrade import bring_up_to_date
from adapters.outage import Outage
from aftersales.ports import Unavailable

T = TypeVar("T")


class Later:
    """A database as `Database` says. Until it is as it has to be, all that is asked of it raises `Unavailable`."""

    def __init__(self, database: Database, *, allowed: bool) -> None:
        """`allowed` is whether it may be upgraded."""
        self.url: URL = database.url
        self._database, self._allowed = database, allowed
        self._turn, self._prepared = asyncio.Lock(), False
        self._outage = Outage("database")

    def away(self, error: DatabaseUnusable) -> Unavailable:
        """What to raise for who asks; the log says once what is wrong."""
        self._outage.goes_on(str(error))
        return Unavailable(str(error))

    async def read(self, ask: Callable[[Connection], T]) -> T:
        """See `Database`."""
        await self._prepare()
        return await self._database.read(ask)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """See `Database`."""
        await self._prepare()
        return await self._database.write(change)

    async def _prepare(self) -> None:
        if self._prepared:
            return
        async with self._turn:
            if self._prepared:
                return
            try:
                await bring_up_to_date(self._database, allowed=self._allowed)
            except DatabaseUnusable as error:
                raise self.away(error) from error
            self._prepared = True
            self._outage.is_over()
