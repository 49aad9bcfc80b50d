"""Waiting for what happens elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: it did not become so in time.
    """
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what is waited for may be in another process
            await asyncio.sleep(0.005)
