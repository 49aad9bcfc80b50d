"""Days, months and spans begin at midnight in their zone, whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales import periods

ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Asia/Beirut", "Pacific/Auckland")


def test_a_month_is_named_and_begins_in_its_zone() -> None:
    november = periods.month("2026-11", "Europe/Berlin")
    assert (november.name, november.kind) == ("2026-11", "month")
    assert november.start == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert november.end == datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(("on", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_day_on_which_clocks_change_is_shorter_or_longer(on: date, hours: int) -> None:
    day = periods.day(on, "Europe/Berlin")
    assert day.end - day.start == timedelta(hours=hours)


def test_a_midnight_that_clocks_leave_out_is_when_they_change() -> None:
    day = periods.day(date(2018, 11, 4), "America/Sao_Paulo")
    assert day.start == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert day.start == periods.day(date(2018, 11, 3), "America/Sao_Paulo").end


@given(first=st.dates(date(1980, 1, 1), date(2060, 1, 1)), more=st.integers(0, 800), zone=st.sampled_from(ZONES))
def test_a_period_follows_the_one_before_it(first: date, more: int, zone: str) -> None:
    period = periods.span(first, first + timedelta(days=more), zone)
    earlier = periods.before(period, zone)
    assert earlier
    assert earlier.end == period.start
    assert periods.days(period, zone) == (first, first + timedelta(days=more))
    begins, ends = periods.days(earlier, zone)
    assert (ends - begins).days == more
    steps = periods.steps(period, zone)
    assert steps[-1].end == period.end
    assert all(one.end == following.start for one, following in pairwise(steps))
    assert len(steps) == (31 if more + 1 < 62 else 13)


def test_the_month_before_january_is_december() -> None:
    earlier = periods.before(periods.month("2026-01", "UTC"), "UTC")
    assert earlier == periods.month("2025-12", "UTC")


def test_a_year_before_a_leap_day_is_the_day_before_it() -> None:
    leap = periods.day(date(2028, 2, 29), "UTC")
    assert periods.year_ago(leap, "UTC").name == "2027-02-28"
    assert periods.year_ago(periods.month("2028-02", "UTC"), "UTC") == periods.month("2027-02", "UTC")
    assert periods.year_ago(periods.span(date(2028, 2, 1), date(2028, 2, 29), "UTC"), "UTC").name == (
        "2027-02-01 to 2027-02-28"
    )


def test_yesterday_and_last_month_are_those_of_the_zone() -> None:
    at = datetime(2026, 11, 1, 6, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert periods.last_day(at, "Asia/Tokyo").name == "2026-10-31"
    assert periods.last_day(at, "UTC").name == "2026-10-30"
    assert periods.last_month(at, "Asia/Tokyo").name == "2026-10"
    assert periods.last_month(at, "UTC").name == "2026-09"


def test_errors_name_the_field_and_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"--month: write a month as 2026-11, not '2026-13'"):
        periods.month("2026-13", "UTC")
    with pytest.raises(ValueError, match=r"--from: 2026-11-02 is after --to 2026-11-01; give the earlier day first"):
        periods.span(date(2026, 11, 2), date(2026, 11, 1), "UTC")
    with pytest.raises(ValueError, match=r"--to: 9999-12-31 is in no year of a shop"):
        periods.span(date(2026, 11, 2), date(9999, 12, 31), "UTC")
    with pytest.raises(ValueError, match=r"--month: 0001-01-01 is in no year"):
        periods.month("0000-01", "UTC")
