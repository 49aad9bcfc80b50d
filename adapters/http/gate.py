"""What all doors have in common: turns for large bodies, rates, counters, and handing in to the intake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from adapters.http.door import Door
from adapters.http.limits import Rates
from adapters.http.metrics import Metrics
from adapters.http.seen import Repeats
from adapters.outage import Outage
from adapters.together import Together
from aftersales.ports import Unavailable
from aftersales.records import EventRecord

AT_A_TIME = 100
"""Events that are handed to the intake together."""
ABREAST = 4
"""Single events of a shop that are handed in one by one: what comes while so many are under way is so together."""


class Gate:
    """The state of one app."""

    def __init__(self, door: Door) -> None:
        settings = door.settings
        self.door, self.metrics = door, Metrics()
        self.rates = Rates(settings.rate, settings.burst)
        self.repeats = Repeats(door.seen, timedelta(days=settings.remembered_days))
        self.bodies = asyncio.Semaphore(settings.at_once)
        self.mails = asyncio.Semaphore(settings.mail_at_once)
        self._shops = dict[str, Together[object, EventRecord]]()
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
        if len(raws) == 1:
            records += [await self._of_shop(shop).ask(raws[0])]
        else:
            for start in range(0, len(raws), AT_A_TIME):
                records += await self._take(raws[start : start + AT_A_TIME], shop=shop)
        for outage in self._outages.values():
            outage.is_over()
        for record in records:
            self.metrics.events.labels(record.status.value).inc()
        return records

    def _of_shop(self, shop: str) -> Together[object, EventRecord]:
        """Has single events taken together that come in while others are under way: each then costs half."""
        if shop not in self._shops:
            self._shops[shop] = Together(partial(self._take, shop=shop), most=AT_A_TIME, abreast=ABREAST)
        return self._shops[shop]

    async def _take(self, raws: Sequence[object], *, shop: str) -> list[EventRecord]:
        self.metrics.in_flight.inc(len(raws))
        try:
            return await self.door.intake.handle_all(raws, shop=shop)
        finally:
            self.metrics.in_flight.dec(len(raws))
