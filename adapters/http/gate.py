"""What all doors have in common: turns for large bodies, rates, counters, and handing in to the intake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from adapters.http.door import Door
from adapters.http.limits import Rates
from adapters.http.metrics import Metrics
from adapters.http.seen import Repeats
from aftersales.records import EventRecord

AT_A_TIME = 100
"""Events that are handed to the intake together."""


class Gate:
    """The state of one app."""

    def __init__(self, door: Door) -> None:
        settings = door.settings
        self.door, self.metrics = door, Metrics()
        self.rates = Rates(settings.rate, settings.burst)
        self.repeats = Repeats(door.seen, timedelta(days=settings.remembered_days))
        self.bodies = asyncio.Semaphore(settings.at_once)
        self.mails = asyncio.Semaphore(settings.mail_at_once)

    async def hand_in(self, raws: Sequence[object], shop: str) -> list[EventRecord]:
        """Have the intake take events; what became of each.

        Raises:
            Unavailable: it cannot take them now. Those of earlier parts are known when they come again.
        """
        records: list[EventRecord] = []
        for start in range(0, len(raws), AT_A_TIME):
            part = raws[start : start + AT_A_TIME]
            self.metrics.in_flight.inc(len(part))
            try:
                records += await self.door.intake.handle_all(part, shop=shop)
            finally:
                self.metrics.in_flight.dec(len(part))
        for record in records:
            self.metrics.events.labels(record.status.value).inc()
        return records
