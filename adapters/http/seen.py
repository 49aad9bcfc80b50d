"""Webhooks that come again: the first answer is given again, and nothing is handled twice."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from adapters.http.problems import Problem

_SWEEP = timedelta(hours=1)


@dataclass(frozen=True)
class Remembered:
    """The first answer to a message: a digest of what was signed, then status, media type and body of the answer."""

    digest: str
    status: int
    media_type: str
    body: str


class Seen(Protocol):
    """Where ids of messages are remembered. What is away raises `aftersales.ports.Unavailable`."""

    async def first(self, sender: str, id: str) -> Remembered | None:
        """The answer that a message of this sender was given first; None where it is new."""
        ...

    async def remember(self, sender: str, id: str, answer: Remembered, at: datetime) -> None:
        """Remember an answer; one that is there already stays."""
        ...

    async def forget(self, before: datetime) -> None:
        """Forget what was remembered before a moment."""
        ...


class Repeats:
    """Has every message of a sender handled once.

    Copies that arrive side by side take turns here. Of two processes both may hand the same message in: the intake
    knows events by their own identity, so that it is taken once all the same.
    """

    def __init__(self, seen: Seen, kept: timedelta) -> None:
        self._seen, self._kept = seen, kept
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._swept: datetime | None = None

    async def once(
        self, sender: str, id: str, content: bytes, at: datetime, handle: Callable[[], Awaitable[Remembered]]
    ) -> Remembered:
        """The answer to a message, from `handle` where it is new. What `handle` raises is not remembered.

        Raises:
            Problem: the id came before with another content.
            Unavailable: ids cannot be looked up or remembered now.
        """
        await self._sweep(at)
        turn = self._turns.setdefault((sender, id), asyncio.Lock())
        async with turn:
            digest = hashlib.sha256(content).hexdigest()
            if before := await self._seen.first(sender, id):
                if before.digest != digest:
                    raise Problem("id-reused", f"the webhook-id {id} was used before for another content")
                return before
            new = await handle()
            answer = Remembered(digest, new.status, new.media_type, new.body)
            await self._seen.remember(sender, id, answer, at)
        return answer

    async def _sweep(self, at: datetime) -> None:
        if self._swept is None or at - self._swept >= _SWEEP:
            self._swept = at
            await self._seen.forget(at - self._kept)
