"""A queue in this process, the smallest that `adapters.queues.consume` can take from: the example of CONTRIBUTING."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class MemoryDelivery:
    """A message in hand. Nobody else can get it, so nothing has to be extended while it is."""

    queue: MemoryQueue
    id: str
    body: bytes
    attempt: int = 1

    async def done(self) -> None:
        self.queue.finished.append(self.id)

    async def again(self, seconds: float) -> None:
        later = replace(self, attempt=self.attempt + 1)
        asyncio.get_running_loop().call_later(seconds, self.queue.waiting.put_nowait, later)

    async def bury(self, reason: str) -> None:
        self.queue.dead[self.id] = reason


class MemoryQueue:
    """Messages in the order in which they were put in. They are gone with the process."""

    name = "memory"

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[MemoryDelivery] = asyncio.Queue()
        self.finished: list[str] = []
        self.dead: dict[str, str] = {}

    def put(self, id: str, body: bytes) -> None:
        self.waiting.put_nowait(MemoryDelivery(self, id, body))

    async def take(self, most: int, seconds: float) -> Sequence[MemoryDelivery]:
        try:
            async with asyncio.timeout(seconds):
                taken = [await self.waiting.get()]
        except TimeoutError:
            return []
        while len(taken) < most and not self.waiting.empty():
            taken.append(self.waiting.get_nowait())
        return taken
