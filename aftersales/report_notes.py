"""What a reader of a report must know before its figures: that there are none, or not all of them yet (`§20`)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from aftersales.figures import Figures


def notes(figures: Figures, as_of: datetime, zone: str) -> tuple[str, ...]:
    """Whole sentences; times are in the report's zone."""
    found = [*_time(figures, as_of, zone), *_amount(figures)]
    for each in figures.unconverted:
        found.append(
            f"There is no rate for {each.currency} at {_shown(each.since, zone)}, so {each.loss} {each.currency} of "
            f"losses and {each.cost} {each.currency} of cost of goods are in no figure; add one to report.rates."
        )
    return tuple(found)


def _time(figures: Figures, as_of: datetime, zone: str) -> list[str]:
    if figures.period.start >= as_of:
        return [f"This period lies in the future: the report looks up to {_shown(as_of, zone)}."]
    if figures.period.end > as_of:
        return [f"This period is not over: it is looked at up to {_shown(as_of, zone)}."]
    return []


def _amount(figures: Figures) -> list[str]:
    shipped = figures.after_sales.shipped or any(each.cost for each in figures.unconverted)
    if not (shipped or figures.opened or figures.closed):
        return ["Nothing happened in this period."]
    found = []
    if figures.closed == 1:
        found.append("Only 1 case closed in this period: its figures are no more than an example.")
    if not shipped:
        found.append("Nothing was shipped in this period, so there is no return rate.")
    return found


def _shown(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
