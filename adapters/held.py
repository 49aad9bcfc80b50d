"""Messages of a queue that are in hand: the queue is told so every so often, or it would give them to somebody else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from aftersales.ports import Unavailable

Handle = TypeVar("Handle", bound=Hashable)


class Held(Generic[Handle]):
    """An async context manager that extends what is in hand; `extend` tells the queue, for all of it at once.

    What cannot be extended now is tried again the next time. If it comes a second time meanwhile, that is a repeat.
    """

    def __init__(self, extend: Callable[[Sequence[Handle]], Awaitable[None]], *, every: float) -> None:
        """`every` in seconds; it may be changed later."""
        self._extend, self.every = extend, every
        self._in_hand: dict[Handle, None] = {}
        self._task: asyncio.Task[None] | None = None

    def take(self, handle: Handle) -> None:
        """This message is in hand now."""
        self._in_hand[handle] = None

    def leave(self, handle: Handle) -> None:
        """Its end is told."""
        self._in_hand.pop(handle, None)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            if self._in_hand:
                with contextlib.suppress(Unavailable):
                    await self._extend(list(self._in_hand))
