"""Reports of figures: made, and compared with their limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

from aftersales.figures import Period
from aftersales.model import Model, Time
from aftersales.ports import ReportMaker
from aftersales.report_runs import Made

HEARTBEAT = timedelta(seconds=30)
"""How long a report may be silent until its worker is taken for dead."""


class MakeRequest(Model):
    """A report that is to be made: of which shop (empty for all) and period, as seen at which moment."""

    shop: str
    period: Period
    as_of: Time


class CompareRequest(Model):
    """The moment at which figures are compared with their limits."""

    at: Time


class Reports:
    """Makes reports."""

    def __init__(self, maker: ReportMaker) -> None:
        self._maker = maker

    @activity.defn(name="list_shops")
    async def shops(self) -> list[str]:
        """Of which shops there are reports, the empty one, for all together, first."""
        return await self._maker.shops()

    @activity.defn(name="make_report")
    async def make(self, request: MakeRequest) -> Made:
        """Make a report, in the place of an earlier one of the same period."""
        async with _alive():
            made = await self._maker.make(request.shop, request.period, request.as_of)
        activity.logger.info("report made", extra={"shop": request.shop, "period": request.period.name})
        return made

    @activity.defn(name="compare_limits")
    async def compare(self, request: CompareRequest) -> None:
        """Write down which limits are crossed; a repeat changes nothing."""
        async with _alive():
            await self._maker.compare(request.at)


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    """Tell the server that this worker lives: the work of one that died is soon taken up by another."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT.total_seconds() / 3)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
