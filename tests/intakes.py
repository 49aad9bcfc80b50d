"""A hand-made intake that writes down what it is given, for tests of doors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aftersales.ports import Unavailable
from aftersales.records import EventRecord, EventStatus, Unreadable


class NotedIntake:
    """Takes every event; one named in `broken` fails, and while `away` is not empty nothing is taken."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.shops: set[str] = set()
        self.broken: set[str] = set()
        self.away = ""
        self.tries = 0

    @property
    def events(self) -> list[Any]:
        """All that was taken, in its order."""
        return [event for batch in self.batches for event in batch]

    @property
    def ids(self) -> list[str]:
        """The ids of the events taken, in their order."""
        return [event["id"] for event in self.events if not isinstance(event, Unreadable)]

    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        self.tries += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable(self.away)
        for raw in raws:
            if isinstance(raw, dict) and raw["id"] in self.broken:
                raise RuntimeError(f"{raw['id']} cannot be handled")
        self.batches.append(list(raws))
        self.shops.add(shop)
        return [
            EventRecord(source="s", id="i", received_at=datetime.now(UTC), status=EventStatus.STARTED) for _ in raws
        ]
