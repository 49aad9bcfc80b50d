"""Calendar time and business time (`spec/processes.md`, rules in every case §10).

Everything is counted between moments in UTC, so that a night when the clocks change is as long as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from aftersales.model import Model

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


def _zone(name: str) -> str:
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write one such as Asia/Shanghai or UTC") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone in the IANA database, such as `Europe/Berlin`."""

Clock = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""A time of day as `09:00`; `24:00` is the end of the day."""


Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")]
"""A country as ISO 3166 code, with a subdivision where holidays differ (`DE-BY`); empty for none."""


class Hours(Model):
    """When windows run: always (`calendar`), or only while the shop works (all the other fields).

    The public holidays of `country` are filled in when a policy is loaded, so that a running case keeps the days it
    began with; `holidays` are the shop's own besides, `workdays` those on which it works although its week does not.
    """

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    calendar: bool = False
    timezone: TimeZone = "UTC"
    days: tuple[Weekday, ...] = ()
    opens: Clock = Field(default="00:00", alias="from")
    closes: Clock = Field(default="24:00", alias="to")
    country: Country = ""
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()

    @field_validator("days", "holidays", "workdays")
    @classmethod
    def _once(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(values)) != len(values):
            raise ValueError("each day may stand once")
        return values

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Hours:
        worked = (self.timezone, self.days, self.opens, self.closes, self.country, self.holidays, self.workdays)
        if self.calendar and worked != ("UTC", (), "00:00", "24:00", "", (), ()):
            raise ValueError("write calendar: true alone, or timezone, days, from and to for business time")
        given = {"timezone", "days", "opens", "closes"} <= self.model_fields_set
        if not self.calendar and not (given and self.days):
            raise ValueError("business time needs timezone, days, from and to; or write calendar: true")
        if not self.calendar and self.opens >= self.closes:
            raise ValueError(f"the day ends ({self.closes}) before it starts ({self.opens})")
        return self


CALENDAR = Hours(calendar=True)
"""Every hour of every day."""


def deadline(start: datetime, window: timedelta, hours: Hours = CALENDAR) -> datetime:
    """The moment (UTC) when `window` has passed since `start`, counting working hours only in business time.

    Raises ValueError for a moment without an offset.
    """
    begin = _utc(start)
    if hours.calendar or not window:
        return begin + window
    left = window
    for opens, closes in _sessions(begin, hours):
        open_for = closes - max(opens, begin)
        if left <= open_for:
            return closes - (open_for - left)
        left -= open_for
    raise AssertionError("working days never end")


def elapsed(start: datetime, end: datetime, hours: Hours = CALENDAR) -> timedelta:
    """The time that counts between two moments, the inverse of `deadline`; none when `end` comes first.

    Raises ValueError for a moment without an offset.
    """
    begin, finish = _utc(start), _utc(end)
    if finish <= begin:
        return timedelta(0)
    if hours.calendar:
        return finish - begin
    total = timedelta(0)
    for opens, closes in _sessions(begin, hours):
        if opens >= finish:
            break
        total += min(closes, finish) - max(opens, begin)
    return total


def half(start: datetime, end: datetime) -> datetime:
    """The moment (UTC) halfway between two moments: when a reminder is due."""
    begin = _utc(start)
    return begin + (_utc(end) - begin) / 2


def end_of_day(moment: datetime, timezone: str, days: int = 0) -> datetime:
    """The moment (UTC) when the local day of `moment`, or the one `days` later, is over."""
    day = moment.astimezone(zone(timezone)).date() + timedelta(days=days)
    return _at(day, "24:00", zone(timezone))


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises KeyError or ValueError for an unknown one."""
    return ZoneInfo(name)


def _sessions(begin: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """Opening and closing (UTC) of every working day that is not over at `begin`, without an end."""
    place = zone(hours.timezone)
    holidays, workdays = frozenset(hours.holidays), frozenset(hours.workdays)
    day = begin.astimezone(place).date()
    while True:
        if day in workdays or (_WEEKDAYS[day.weekday()] in hours.days and day not in holidays):
            opens, closes = _at(day, hours.opens, place), _at(day, hours.closes, place)
            if closes > max(opens, begin):
                yield opens, closes
        day += timedelta(days=1)


def _at(day: date, clock: str, place: ZoneInfo) -> datetime:
    hour, minute = int(clock[:2]), int(clock[3:])
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return datetime.combine(day, time(hour, minute), place).astimezone(UTC)


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"a moment needs its offset, got {moment.isoformat()}")
    return moment.astimezone(UTC)
