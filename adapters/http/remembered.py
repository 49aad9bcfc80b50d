"""What webhooks were answered, remembered in the database."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import override

from adapters.database import Store
from adapters.http.seen import Remembered, Seen
from aftersales.records import AnsweredRequest


class InDatabase(Seen):
    """Remembers in the table of answered requests, for all processes that serve."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @override
    async def first(self, sender: str, id: str) -> Remembered | None:
        found = await self._store.answered(sender, id)
        return Remembered(found.digest, found.status, found.media_type, found.answer) if found else None

    @override
    async def remember(self, sender: str, id: str, answer: Remembered, at: datetime) -> None:
        kept = AnsweredRequest(
            sender=sender,
            id=id,
            digest=answer.digest,
            status=answer.status,
            media_type=answer.media_type,
            answer=answer.body,
            at=at,
        )
        await self._store.keep_answer(kept)

    @override
    async def forget(self, before: datetime) -> None:
        await self._store.forget_answers(before)
