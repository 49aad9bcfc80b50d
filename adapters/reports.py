"""Reports of figures as files: a page, a table and JSON.

`<folder>/<shop>/<period>.html`, `.csv`, `.json`; the folder of all shops together is `all-shops`. The folder of a shop
whose name does not suit a file system ends in a short hash of the name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import structlog
from typing_extensions import override

from adapters.files import write_whole
from aftersales.figures import Period, Report
from aftersales.policies import Policies
from aftersales.ports import FiguresSource, ReportMaker, WarningLedger
from aftersales.report_runs import Made
from aftersales.reporting import Reporting

ALL_SHOPS = "all-shops"
_LONGEST = 60
_PLAIN = re.compile(rf"(?!{ALL_SHOPS}$)(?!.*-[0-9a-f]{{8}}$)[a-z0-9_-]{{1,{_LONGEST}}}")
"""Names that are told apart by any disk, also by one that ignores case, and from those with a hash."""

Writers = Mapping[str, Callable[[Report], str]]
"""How a report is written, by the ending of the file."""

_log = structlog.get_logger(__name__)


class ReportsFolder(ReportMaker):
    """Makes reports below a folder."""

    def __init__(
        self, figures: FiguresSource, ledger: WarningLedger, policies: Policies, folder: Path, writers: Writers
    ) -> None:
        """`folder` is made with the first report."""
        self._figures, self._ledger, self._policies = figures, ledger, policies
        self._folder, self._writers = folder, writers

    @override
    async def shops(self) -> list[str]:
        return ["", *sorted(set(await self._figures.shops()) - {""})]

    async def report(self, shop: str, period: Period, as_of: datetime) -> Report:
        """The figures of a period as they were at a moment, under the terms of the shop."""
        return await self._figures.report(shop=shop, period=period, as_of=as_of, terms=self.terms(shop))

    @override
    async def make(self, shop: str, period: Period, as_of: datetime) -> Made:
        return await self.write(await self.report(shop, period, as_of))

    async def write(self, report: Report) -> Made:
        """Write a report; the same report gives the same bytes.

        Raises:
            OSError: the folder cannot be made or written; the text says what to do.
        """
        home, name = self._folder / folder_name(report.shop), report.figures.period.name.replace(" ", "_")
        try:
            files = await asyncio.to_thread(self._write, home, name, report)
        except OSError as error:
            raise OSError(
                error.errno,
                f"reports cannot be written to {home}: {error.strerror}; make room, or give leave to write there",
            ) from error
        return Made(shop=report.shop, period=report.figures.period.name, files=files)

    @override
    async def compare(self, at: datetime) -> None:
        """What holds for all shops together is compared apart where there are several."""
        shops = await self.shops()
        for shop in shops if len(shops) != 2 else shops[1:]:
            terms = self.terms(shop)
            seen = await self._figures.crossings(shop=shop, at=at, terms=terms)
            await self._ledger.settle(shop, at, seen)
            if seen:
                _log.info("limits.crossed", shop=shop, over=[f"{each.kind} {each.subject}".strip() for each in seen])

    @override
    def shelf(self, shop: str) -> str:
        return str(self._folder / folder_name(shop))

    def terms(self, shop: str) -> Reporting:
        """The terms of a shop's report. Days begin at the same moment in the reports of all shops."""
        terms = self._policies.of(shop).report
        return terms.model_copy(update={"report_zone": self._policies.default.report.report_zone})

    def _write(self, home: Path, name: str, report: Report) -> dict[str, str]:
        home.mkdir(parents=True, exist_ok=True)
        files = {}
        for kind, written in self._writers.items():
            path = home / f"{name}.{kind}"
            write_whole(path, written(report).encode())
            files[kind] = str(path)
        return files


def folder_name(shop: str) -> str:
    """The name of the folder of a shop's reports; different ones for different shops, on any disk."""
    if not shop:
        return ALL_SHOPS
    if _PLAIN.fullmatch(shop):
        return shop
    safe = re.sub(r"[^a-z0-9_-]+", "_", shop.lower())[:_LONGEST]
    return f"{safe}-{sha256(shop.encode(errors='surrogatepass')).hexdigest()[:8]}"
