"""Variants of letters that new cases do not write any more, because too many claims followed them (`§20`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from adapters.database import Store

FRESH = 30.0
"""Seconds for which what the database said is taken as true: cases open by the hundred a second."""


class StoppedVariants:
    """What the ledger of warnings says is stopped, asked once in a while for each shop."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds."""
        self._store, self._clock = store, clock
        self._turn = asyncio.Lock()
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        """By shop: until when it is fresh, and what is stopped."""

    async def of(self, shop: str) -> frozenset[str]:
        """The stopped variants, each `<letter>.<variant>`, for new cases of a shop.

        Raises:
            Unavailable: the database does not answer, and what it said last is too old.
        """
        async with self._turn:
            until, stopped = self._known.get(shop, (float("-inf"), frozenset[str]()))
            if self._clock() >= until:
                stopped = await self._store.warnings.stopped(shop)
                self._known[shop] = self._clock() + FRESH, stopped
        return stopped
