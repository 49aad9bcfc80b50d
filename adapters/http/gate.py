"""What all doors have in common: turns for large bodies, rates, counters, and handing in to the intake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from adapters.http.door import Door
from adapters.http.limits import Rates
from adapters.http.metrics import Metrics
from adapters.http.seen import Repeats
from adapters.outage import Outage
from aftersales.ports import Unavailable
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
        self._outages = dict[type[Unavailable], Outage]()

    def turned_away(self, away: Unavailable) -> None:
        """A sender is told to come again; the log says why once, not for every sender."""
        self._outages.setdefault(type(away), Outage("http.intake")).goes_on(str(away))

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
        for outage in self._outages.values():
            outage.is_over()
        for record in records:
            self.metrics.events.labels(record.status.value).inc()
        return records
