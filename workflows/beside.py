"""What goes on beside a case's rule, because it must not wait until the rule comes to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from temporalio import workflow


def whenever(holds: Callable[[], bool], do: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Do something each time that something holds, for as long as the case runs; done, it must not hold any more."""

    async def watch() -> None:
        while True:
            await workflow.wait_condition(holds)
            await do()

    return asyncio.create_task(watch())


async def until_not(holds: Callable[[], bool]) -> None:
    """Wait, without a date, until something holds no more."""
    await workflow.wait_condition(lambda: not holds())


async def at_most(effect: Awaitable[None], until: datetime, stage: str) -> bool:
    """Wait for an effect, at most until a moment; False where it is not done by then, and goes on beside the case."""
    task = asyncio.ensure_future(effect)
    left, summary = max(until - workflow.now(), timedelta()), f"{stage}: until {until:%Y-%m-%d %H:%M:%S} UTC"
    try:
        await workflow.wait_condition(task.done, timeout=left, timeout_summary=summary)
    except TimeoutError:
        return False
    await task
    return True
