from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aftersales.deadlines import CALENDAR, Hours, deadline, elapsed, end_of_day, half

WEEK: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "from": "09:00",
    "to": "18:00",
}
OFFICE = Hours.model_validate(WEEK)
# Spring: 2027-03-14, autumn: 2026-11-01; the night of the change is inside the working day.
NIGHT_SHIFT = Hours.model_validate(
    {"timezone": "America/New_York", "days": ["sat", "sun"], "from": "00:00", "to": "24:00"}
)
NEW_YEAR = Hours.model_validate(WEEK | {"holidays": ["2027-01-01"]})
HOURS = st.sampled_from([CALENDAR, OFFICE, NIGHT_SHIFT, NEW_YEAR])
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2028, 1, 1), timezones=st.just(UTC)
) | st.datetimes(
    min_value=datetime(2026, 1, 1),
    max_value=datetime(2028, 1, 1),
    timezones=st.just(ZoneInfo("America/New_York")),
    allow_imaginary=False,
)
WINDOWS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@given(MOMENTS, WINDOWS)
def test_calendar_time_is_exact(start: datetime, window: timedelta) -> None:
    end = deadline(start, window)
    assert end.tzinfo is UTC
    assert end - start.astimezone(UTC) == window


@given(MOMENTS, WINDOWS, HOURS)
def test_business_time_is_never_earlier_than_calendar_time(start: datetime, window: timedelta, hours: Hours) -> None:
    assert deadline(start, window, hours) >= deadline(start, window)


@given(MOMENTS, WINDOWS, WINDOWS, HOURS)
def test_a_longer_window_never_ends_earlier(start: datetime, one: timedelta, other: timedelta, hours: Hours) -> None:
    assert deadline(start, min(one, other), hours) <= deadline(start, max(one, other), hours)


@given(MOMENTS, WINDOWS, WINDOWS, HOURS)
def test_a_later_start_never_ends_earlier(start: datetime, later: timedelta, window: timedelta, hours: Hours) -> None:
    assert deadline(start, window, hours) <= deadline(start.astimezone(UTC) + later, window, hours)


@given(MOMENTS, WINDOWS, HOURS)
def test_elapsed_is_the_inverse_of_deadline(start: datetime, window: timedelta, hours: Hours) -> None:
    assert elapsed(start, deadline(start, window, hours), hours) == window


@given(MOMENTS, WINDOWS, WINDOWS, HOURS)
def test_windows_add_up(start: datetime, one: timedelta, two: timedelta, hours: Hours) -> None:
    assert deadline(deadline(start, one, hours), two, hours) == deadline(start, one + two, hours)


def test_calendar_time_over_the_change_of_clocks_is_real_time() -> None:
    saturday = datetime(2027, 3, 13, 20, 0, tzinfo=ZoneInfo("America/New_York"))
    assert deadline(saturday, timedelta(hours=24)).isoformat() == "2027-03-15T01:00:00+00:00"


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20T10:00", 4, "2026-11-20T14:00"),
        ("2026-11-20T10:00", 8, "2026-11-20T18:00"),
        ("2026-11-20T16:00", 4, "2026-11-23T11:00"),
        ("2026-11-20T20:00", 1, "2026-11-23T10:00"),
        ("2026-11-21T12:00", 9, "2026-11-23T18:00"),
        ("2026-11-21T12:00", 45, "2026-11-27T18:00"),
    ],
)
def test_business_time_waits_for_the_next_working_day(start: str, hours: int, end: str) -> None:
    assert deadline(shanghai(start), timedelta(hours=hours), OFFICE) == shanghai(end)


def test_a_holiday_does_not_count() -> None:
    assert deadline(shanghai("2026-12-31T17:00"), timedelta(hours=2), NEW_YEAR) == shanghai("2027-01-04T10:00")


def test_a_short_and_a_long_night_count_as_long_as_they_were() -> None:
    day = timedelta(days=1)
    zone = ZoneInfo("America/New_York")
    spring = datetime(2027, 3, 14, tzinfo=zone)
    autumn = datetime(2026, 11, 1, tzinfo=zone)
    assert elapsed(spring, end_of_day(spring, "America/New_York"), NIGHT_SHIFT) == timedelta(hours=23)
    assert elapsed(autumn, end_of_day(autumn, "America/New_York"), NIGHT_SHIFT) == timedelta(hours=25)
    assert deadline(spring, timedelta(hours=23), NIGHT_SHIFT) == end_of_day(spring, "America/New_York")
    assert elapsed(spring, spring + 7 * day, NIGHT_SHIFT) == timedelta(hours=47)


def test_nothing_has_elapsed_before_the_start() -> None:
    assert elapsed(shanghai("2026-11-20T10:00"), shanghai("2026-11-20T09:00")) == timedelta(0)


def test_half_of_a_window() -> None:
    start, end = shanghai("2026-11-20T10:00"), shanghai("2026-11-23T10:00")
    assert half(start, end) == shanghai("2026-11-21T22:00")


def test_the_end_of_a_local_day() -> None:
    assert end_of_day(datetime(2026, 11, 20, 17, 0, tzinfo=UTC), "Asia/Shanghai") == shanghai("2026-11-22T00:00")
    assert end_of_day(shanghai("2026-11-20T00:00"), "Asia/Shanghai", 7) == shanghai("2026-11-28T00:00")


def test_a_moment_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its offset"):
        deadline(datetime(2026, 11, 20), timedelta(hours=1))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "business time needs timezone, days, from and to"),
        ({"calendar": True} | WEEK, "write calendar: true alone"),
        (WEEK | {"timezone": "Asia/Peking"}, "is not a time zone"),
        (WEEK | {"timezone": "../etc/passwd"}, "is not a time zone"),
        (WEEK | {"days": ["monday"]}, "'mon', 'tue'"),
        (WEEK | {"days": ["mon", "mon"]}, "each day may stand once"),
        (WEEK | {"days": []}, "business time needs"),
        (WEEK | {"from": "19:00"}, "the day ends"),
        (WEEK | {"to": "25:00"}, "should match pattern"),
        (WEEK | {"holidays": ["CN"]}, "valid date"),
        (WEEK | {"until": "18:00"}, "Extra inputs"),
    ],
)
def test_impossible_hours_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Hours.model_validate(wrong)


@pytest.mark.parametrize("hours", [CALENDAR, OFFICE, NEW_YEAR])
def test_hours_survive_json(hours: Hours) -> None:
    assert Hours.model_validate_json(hours.model_dump_json()) == hours
    assert Hours.model_validate_json(hours.model_dump_json(by_alias=True)) == hours
