"""The periods of reports: days, months and spans of days, as they begin and end in a time zone (`§20`).

Bounds are midnights in the zone as moments in UTC. A midnight that clocks leave out is the moment of the change, one
that comes twice is the first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from aftersales.figures import Period

MONTHS_SHOWN = 13
"""Steps of a series of months: the last one stands beside the same of a year ago."""
DAYS_SHOWN = 31
"""Steps of a series of days."""
_SHORT = 62
"""A span of fewer days is shown by day."""
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


def day(on: date, zone: str) -> Period:
    """A day.

    Raises:
        ValueError: the year is one that no report is of.
    """
    _reportable(on, "--from")
    return _day(on, zone)


def month(written: str, zone: str) -> Period:
    """A month, written as `2026-11`.

    Raises:
        ValueError: it is not written so, or the year is one that no report is of.
    """
    match = _MONTH.fullmatch(written)
    if match is None:
        raise ValueError(f"--month: write a month as 2026-11, not {written[:40]!r}")
    first = date(max(int(match[1]), 1), int(match[2]), 1)
    _reportable(first, "--month")
    return _month(first, zone)


def span(first: date, last: date, zone: str) -> Period:
    """The days from the first to the last, both in it; of a single day that day.

    Raises:
        ValueError: the first is after the last, or a year is one that no report is of.
    """
    _reportable(first, "--from")
    _reportable(last, "--to")
    if first > last:
        raise ValueError(f"--from: {first} is after --to {last}; give the earlier day first")
    return _span(first, last, zone)


def before(period: Period, zone: str) -> Period | None:
    """The month before a month, the day before a day, as many days before a span; None where the calendar ends."""
    first, last = days(period, zone)
    try:
        if period.kind == "month":
            return _month((first - _DAY).replace(day=1), zone)
        return _span(first - (last - first + _DAY), first - _DAY, zone)
    except OverflowError:
        return None


def year_ago(period: Period, zone: str) -> Period:
    """The same dates a year earlier; the 28th of February for the 29th."""
    first, last = (_year_before(each) for each in days(period, zone))
    return _month(first, zone) if period.kind == "month" else _span(first, last, zone)


def last_day(at: datetime, zone: str) -> Period:
    """Yesterday, as seen at that moment."""
    return _day(at.astimezone(ZoneInfo(zone)).date() - _DAY, zone)


def last_month(at: datetime, zone: str) -> Period:
    """The month before the one in which that moment is."""
    return _month(_month_before(at.astimezone(ZoneInfo(zone)).date()), zone)


def steps(period: Period, zone: str) -> list[Period]:
    """The steps of a series up to the period's end: 31 days for a day or a short span, else 13 months.

    The last month ends with the period.
    """
    first, last = days(period, zone)
    if period.kind == "day" or (period.kind == "span" and (last - first).days + 1 < _SHORT):
        return [_day(last - _DAY * back, zone) for back in reversed(range(DAYS_SHOWN))]
    months = [_month(last.replace(day=1), zone)]
    while len(months) < MONTHS_SHOWN:
        months.append(_month(_month_before(days(months[-1], zone)[0]), zone))
    months[0] = months[0].model_copy(update={"end": period.end})
    return months[::-1]


def days(period: Period, zone: str) -> tuple[date, date]:
    """The first and the last day of a period in its zone."""
    there = ZoneInfo(zone)
    return period.start.astimezone(there).date(), (period.end - _MOMENT).astimezone(there).date()


def midnight(on: date, zone: str) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(on, time(), ZoneInfo(zone)).astimezone(UTC)


def _day(on: date, zone: str) -> Period:
    return Period(name=str(on), kind="day", start=midnight(on, zone), end=midnight(on + _DAY, zone))


def _month(first: date, zone: str) -> Period:
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(name=f"{first:%Y-%m}", kind="month", start=midnight(first, zone), end=midnight(following, zone))


def _span(first: date, last: date, zone: str) -> Period:
    if first == last:
        return _day(first, zone)
    name = f"{first} to {last}"
    return Period(name=name, kind="span", start=midnight(first, zone), end=midnight(last + _DAY, zone))


def _month_before(on: date) -> date:
    return (on.replace(day=1) - _DAY).replace(day=1)


def _year_before(on: date) -> date:
    try:
        return on.replace(year=on.year - 1)
    except ValueError:
        return on.replace(year=on.year - 1, day=28)


def _reportable(on: date, field: str) -> None:
    if not _FIRST_YEAR <= on.year <= _LAST_YEAR:
        raise ValueError(f"{field}: {on} is in no year of a shop; give a year such as 2026")
