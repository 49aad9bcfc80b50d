"""Money is converted by the rate of its day, exactly, and rounded once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from aftersales.rates import Exchange
from aftersales.reporting import Reporting

BERLIN = ZoneInfo("Europe/Berlin")
TERMS = Reporting.model_validate(
    {
        "currency": "USD",
        "report_zone": "Europe/Berlin",
        "rates": {"EUR": {date(2026, 1, 1): "1.08", date(2026, 2, 1): "1.0512345678"}},
    }
)


def converted(stored: int, currency: str, at: datetime) -> Decimal | None:
    exchange = Exchange(TERMS)
    grains = exchange.grains(stored, currency, at)
    return None if grains is None else exchange.shown(grains)


def test_a_rate_holds_from_midnight_in_the_reports_zone() -> None:
    assert converted(1_000_000, "EUR", datetime(2026, 1, 31, 23, 59, tzinfo=BERLIN)) == Decimal("108.00")
    assert converted(1_000_000, "EUR", datetime(2026, 2, 1, tzinfo=BERLIN)) == Decimal("105.12")


def test_money_before_the_first_rate_and_of_other_currencies_is_not_converted() -> None:
    assert converted(1, "EUR", datetime(2025, 12, 31, 23, 59, tzinfo=BERLIN)) is None
    assert converted(1, "CHF", datetime(2026, 6, 1, tzinfo=BERLIN)) is None
    assert converted(12_345, "USD", datetime(1999, 1, 1, tzinfo=BERLIN)) == Decimal("1.23")


@given(st.lists(st.integers(-(10**17), 10**17), max_size=20))
def test_sums_are_rounded_once(amounts: list[int]) -> None:
    exchange, at = Exchange(TERMS), datetime(2026, 3, 1, tzinfo=BERLIN)
    grains = [exchange.grains(amount, "EUR", at) or 0 for amount in amounts]
    exact = Fraction(sum(amounts), 10_000) * Fraction("1.0512345678")
    assert abs(Fraction(exchange.shown(sum(grains))) - exact) <= Fraction(1, 200)
