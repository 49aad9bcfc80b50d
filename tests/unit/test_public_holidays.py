"""Windows over public holidays: a 72-hour window over Chinese New Year is no lost parcel (rule 10)."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aftersales.deadlines import Hours, deadline
from aftersales.policy import load_policy
from aftersales.public_holidays import with_public_holidays
from aftersales.yamlfile import BadFile

POLICIES = Path(__file__).parents[2] / "policies"
ALL_DAY: dict[str, Any] = {"from": "00:00", "to": "24:00"}
WEEK = ["mon", "tue", "wed", "thu", "fri"]


def hours(timezone: str, country: str, days: list[str] | None = None, **other: Any) -> Hours:
    given = {"timezone": timezone, "country": country, "days": days or WEEK, **ALL_DAY, **other}
    return with_public_holidays(Hours.model_validate(given), [2026, 2027])


def test_three_working_days_over_chinese_new_year() -> None:
    # New Year's Eve is Monday 16 February 2026; the days off end on Monday the 23rd.
    china = hours("Asia/Shanghai", "CN")
    friday = datetime.fromisoformat("2026-02-13T12:00:00+08:00")
    # Saturday the 14th is worked instead of the Friday after; then Tuesday the 24th.
    assert deadline(friday, timedelta(hours=72), china) == datetime.fromisoformat("2026-02-25T12:00:00+08:00")


def test_three_working_days_over_christmas() -> None:
    germany = hours("Europe/Berlin", "DE")
    wednesday = datetime.fromisoformat("2026-12-23T12:00:00+01:00")
    # Friday and Saturday are holidays, Sunday is a Sunday.
    assert deadline(wednesday, timedelta(hours=72), germany) == datetime.fromisoformat("2026-12-29T12:00:00+01:00")


def test_holidays_of_a_part_of_a_country() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in hours("Europe/Berlin", "DE-BY").holidays
    assert epiphany not in hours("Europe/Berlin", "DE").holidays


def test_days_of_the_shop_win_over_worked_weekends() -> None:
    assert date(2026, 2, 14) in hours("Asia/Shanghai", "CN").workdays
    assert date(2026, 2, 14) not in hours("Asia/Shanghai", "CN", holidays=["2026-02-14"]).workdays


def test_a_policy_carries_the_days_and_not_only_the_country() -> None:
    given = {"timezone": "Asia/Shanghai", "country": "CN", "days": WEEK, **ALL_DAY}
    policy = load_policy(POLICIES / "default.yaml", POLICIES / "law", {"operators": {"hours": given}})
    assert {day.month for day in policy.operators.hours.holidays} >= {1, 5, 10}
    assert type(policy).model_validate_json(policy.model_dump_json()) == policy


def test_an_unknown_country_is_refused_with_its_place() -> None:
    given = {"timezone": "UTC", "country": "XX", "days": WEEK, **ALL_DAY}
    with pytest.raises(BadFile, match=r"operators\.hours\.country.*'XX'.*ISO 3166"):
        load_policy(POLICIES / "default.yaml", POLICIES / "law", {"operators": {"hours": given}})
