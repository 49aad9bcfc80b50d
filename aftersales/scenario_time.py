"""When a scenario plays, and what its dates become.

A story has a calendar of its own, and must come out the same on whatever day it is played. Dates in it may be relative
to its beginning (`delivered_at: -5d`), or absolute. Absolute ones are moved together, so that what lies between them
stays as it was written; the beginning, the moment at which `at` is 0, is found in them by the first of these:

1. the `time` of an event, less the event's `at`;
2. the `received_at` or `at` in an event's data, less the event's `at`;
3. the last of `placed_at`, `dispatched_at` and `delivered_at` in the first order snapshot.

It plays then, where that lies in the future, else at the same hour of the same weekday as soon as possible: the virtual
clock can go forward only. A story without any absolute date begins on a Monday at 09:00 UTC. So business hours and
weekdays mean the same every time; a public holiday does when the story gives a date in the future.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from aftersales.scenario import Scenario
from aftersales.units import parse_duration

_MONDAY = datetime(2024, 1, 1, 9, tzinfo=UTC)
_WEEK = timedelta(weeks=1)
_HAPPENED = ("placed_at", "dispatched_at", "delivered_at")
_KEYS = re.compile(r"at|time|until|.+_(at|by|until|deadline)")
_RELATIVE = re.compile(r"([+-]?)\s*((?:\d+\s*[a-z]+\s*)+|P[0-9A-Z]+)")
_ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d([Tt ].+)?")


class Calendar:
    """Where a story's dates lie when it is played: its beginning is at `begins` (aware), not before `now`."""

    def __init__(self, scenario: Scenario, now: datetime) -> None:
        """Raises ValueError for a date that is none, saying where it stands."""
        anchor = next(_anchors(scenario), None)
        self.begins = _same_hour(anchor or _MONDAY, now)
        self._shift = self.begins - anchor if anchor else timedelta()

    def moment(self, text: str) -> datetime:
        """A date of the story, `+3h`, `-5d` or RFC 3339, as the moment at which it is played.

        Raises ValueError for anything else.
        """
        if relative := _RELATIVE.fullmatch(text):
            span = parse_duration(relative[2])
            return self.begins + (-span if relative[1] == "-" else span)
        return _absolute(text) + self._shift

    def placed(self, value: Any, key: str = "") -> Any:
        """Data of the story with its dates in played time; everything else as it is."""
        if isinstance(value, dict):
            return {name: self.placed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.placed(item, key) for item in value]
        if not (isinstance(value, str) and _KEYS.fullmatch(key)):
            return value
        if not (_RELATIVE.fullmatch(value) or _ABSOLUTE.fullmatch(value)):
            return value
        try:
            return rfc3339(self.moment(value))
        except ValueError:
            # Left as it is: the event is then refused with its own reason, as it would be in production.
            return value


def rfc3339(moment: datetime) -> str:
    """A moment as events carry it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _absolute(text: str) -> datetime:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write 2026-11-20T09:30:00Z, or +3h since the story began")
    return moment


def _anchors(scenario: Scenario) -> Iterator[datetime]:
    events = sorted(scenario.story.events, key=lambda event: event.at)
    for event in events:
        yield from (moment - event.at for moment in _read(event.time))
    for event in events:
        yield from (moment - event.at for key in ("received_at", "at") for moment in _read(event.data.get(key)))
    for event in events:
        order = scenario.data_of(event).get("order")
        if isinstance(order, dict) and (moments := [m for key in _HAPPENED for m in _read(order.get(key))]):
            yield max(moments) - event.at


def _read(value: object) -> Iterator[datetime]:
    """The absolute date in a value, if it is one."""
    if isinstance(value, str) and _ABSOLUTE.fullmatch(value):
        try:
            yield _absolute(value)
        except ValueError:
            return


def _same_hour(anchor: datetime, now: datetime) -> datetime:
    """The anchor itself where it lies ahead, else the next moment at the same hour of its weekday."""
    return anchor if anchor >= now else anchor + _WEEK * -((anchor - now) // _WEEK)
