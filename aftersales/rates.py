"""Money of other currencies in the report's own, by rates that hold from a date on (`§20`).

All of it is counted exactly, in whole grains: ten-thousandths of a unit times the finest rate. It is rounded once, to
the currency's smallest unit, when a sum is shown (`Exchange.shown`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from babel.numbers import get_currency_precision

from aftersales.periods import midnight
from aftersales.reporting import Reporting

DIGITS = 4
"""Money is stored in ten-thousandths of a unit."""
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)
"""Sums have more digits than the usual context holds."""


def in_units(stored: int, currency: str) -> Decimal:
    """Stored money in units of its currency, rounded half up to its smallest unit."""
    return _rounded(stored, DIGITS, currency)


class Exchange:
    """The rates of a report, each from midnight of its date in the report's zone until the next."""

    def __init__(self, terms: Reporting) -> None:
        self.currency = terms.currency
        self._digits = max((_decimals(rate) for rates in terms.rates.values() for rate in rates.values()), default=0)
        self._rates = {currency: self._dated(rates, terms.report_zone) for currency, rates in terms.rates.items()}

    @property
    def changes(self) -> set[datetime]:
        """The moments from which on a currency has another rate."""
        return {at for moments, _ in self._rates.values() for at in moments}

    def grains(self, stored: int, currency: str, at: datetime) -> int | None:
        """Money as it is stored, of that moment, in grains of the report's currency; None without a rate for it."""
        if currency == self.currency:
            return stored * int(10**self._digits)
        if currency not in self._rates:
            return None
        moments, rates = self._rates[currency]
        newest = bisect_right(moments, at)
        return stored * rates[newest - 1] if newest else None

    def shown(self, grains: int) -> Decimal:
        """Grains in units of the report's currency, rounded half up to its smallest unit."""
        return _rounded(grains, DIGITS + self._digits, self.currency)

    def units(self, grains: int, power: int = 1) -> float:
        """The same unrounded, for means; `power` 2 for squares of grains."""
        return float(grains / 10 ** ((DIGITS + self._digits) * power))

    def _dated(self, rates: Mapping[date, Decimal], zone: str) -> tuple[list[datetime], list[int]]:
        dated = sorted(rates.items())
        return [midnight(on, zone) for on, _ in dated], [int(rate.scaleb(self._digits, _WIDE)) for _, rate in dated]


def _decimals(rate: Decimal) -> int:
    exponent = rate.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounded(amount: int, digits: int, currency: str) -> Decimal:
    unit = Decimal(1).scaleb(-get_currency_precision(currency))
    return Decimal(amount).scaleb(-digits, _WIDE).quantize(unit, context=_WIDE)
