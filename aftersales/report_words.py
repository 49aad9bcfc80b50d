"""How a report says its values in English: money, rates, shares, times, and how they differ from another period.

Few things seen are said as counts with an interval of 95 %, never as a percentage that alarms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from aftersales.figures import LossRate, Mean, Part, Period, Report, wilson

LEAST_OF = 20
"""With fewer cases, letters or messages than these a share is said as a count."""
UNKNOWN = "not known"
EMPTY = "no cases and nothing shipped"
"""Why another period has no figures."""
_LONGEST_NAME = 80
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_CODE_BESIDE_NUMBER = re.compile(r"(?<=[A-Z])(?=[0-9])")
_DAYS_FROM = 2 * 86_400
"""36 hours are said as hours, 48 as two days."""
_WHOLE_FROM = 100
"""From here on money is said in whole units; the table for spreadsheets has all of it."""


class Said(NamedTuple):
    """A value in words: how it is shown, what stands beside it, and whether enough was seen to rely on it."""

    value: str
    note: str = ""
    firm: bool = False


class Words:
    """How the values of one report are said: in its currency, on the clock of its zone."""

    def __init__(self, report: Report) -> None:
        self._currency, self._least = report.currency, report.least_returns
        self._zone = ZoneInfo(report.zone)

    def money(self, amount: Decimal, currency: str | None = None) -> str:
        """An amount in the report's currency, or in another."""
        whole = abs(amount) >= _WHOLE_FROM
        code = self._currency if currency is None else currency
        written = format_currency(amount, code, "¤#,##0" if whole else None, locale="en", currency_digits=not whole)
        return _CODE_BESIDE_NUMBER.sub("\N{NO-BREAK SPACE}", written.replace("-", "−"))

    def moment(self, at: datetime) -> str:
        """A moment on the report's clock, without its zone: the page names that once."""
        return format_datetime(at.astimezone(self._zone), "d MMM y, HH:mm", locale="en")

    def day(self, at: datetime) -> str:
        """The day of a moment in the report's zone."""
        return format_date(at.astimezone(self._zone), "d MMM y", locale="en")

    def month(self, at: datetime) -> str:
        """The month of a moment in the report's zone."""
        return format_date(at.astimezone(self._zone), "MMM y", locale="en")

    def short_month(self, at: datetime) -> str:
        """The month for the axis of a chart: `Nov 26`."""
        return format_date(at.astimezone(self._zone), "MMM yy", locale="en")

    def short_day(self, at: datetime) -> str:
        """The day for the axis of a chart: `22 Nov`."""
        return format_date(at.astimezone(self._zone), "d MMM", locale="en")

    def period(self, period: Period) -> str:
        """A period by its days: `22 November 2026`, `November 2026`, `1 to 15 November 2026`."""
        first = period.start.astimezone(self._zone)
        # An hour may be missing on its last day, a second never is.
        last = (period.end - timedelta(seconds=1)).astimezone(self._zone)
        if period.kind == "month":
            return format_date(first, "MMMM y", locale="en")
        if period.kind == "day" or first.date() >= last.date():
            return format_date(first, "d MMMM y", locale="en")
        begins = "d MMMM y" if first.year != last.year else "d" if first.month == last.month else "d MMMM"
        return f"{format_date(first, begins, locale='en')} to {format_date(last, 'd MMMM y', locale='en')}"

    def returned(self, rate: LossRate, what: str = "return") -> Said:
        """A return rate; with few returns the lines that came back, of those shipped.

        `what` is what one line of goods in its cases is called.
        """
        if rate.rate is None:
            why = "cost of what was shipped not known" if rate.shipped else "nothing shipped"
            return Said("–", f"{count(rate.returns)} returned, {why}" if rate.returns else why)
        if rate.returns > rate.shipped and rate.returns < self._least:
            # Shipped before the period, all of it or some.
            return Said(f"{count(rate.returns)} returned", f"{many(rate.shipped, 'line')} shipped")
        if rate.returns < self._least:
            return Said(f"{count(rate.returns)} of {count(rate.shipped)} lines", interval(rate.returns, rate.shipped))
        return Said(percent(rate.rate), many(rate.returns, what), firm=True)

    def returned_change(self, now: LossRate, then: LossRate) -> str:
        """How a return rate differs from that of another period; empty where one of the two is of too few returns."""
        if now.rate is None or then.rate is None or min(now.returns, then.returns) < self._least:
            return ""
        return _points(now.rate - then.rate)

    def of(self, value: Mean | Part, nothing: str = "none") -> Said:
        """A share, or a mean of seconds; `nothing` is the reason where there is none."""
        return self.part(value, nothing) if isinstance(value, Part) else self.mean(value, nothing)

    def change(self, now: Mean | Part, then: Mean | Part) -> str:
        """How a share or a mean of seconds differs from that of another period; empty where one is of too few."""
        match now, then:
            case Part(), Part():
                return self.part_change(now, then)
            case Mean(), Mean():
                return self.mean_change(now, then)
            case _:
                raise TypeError(f"a {type(now).__name__} cannot be compared with a {type(then).__name__}")

    def part(self, part: Part, nothing: str = "none") -> Said:
        """A share with its counts, of few only these; `nothing` is the reason where there is none."""
        if not part.of:
            return Said("–", nothing)
        counts = f"{count(part.count)} of {count(part.of)}"
        if part.share is None or part.of < LEAST_OF:
            return Said(counts, interval(part.count, part.of))
        return Said(percent(part.share, fine=False), counts, firm=True)

    def part_change(self, now: Part, then: Part) -> str:
        """How a share differs from that of another period; empty where one of the two is of too few."""
        if now.share is None or then.share is None or min(now.of, then.of) < LEAST_OF:
            return ""
        return _points(now.share - then.share, digits=1, chance=_overlap(now.low, now.high, then.low, then.high))

    def mean(self, mean: Mean, nothing: str = "none") -> Said:
        """A mean of seconds with how many it is of."""
        return self._mean(mean, nothing, duration)

    def mean_money(self, mean: Mean) -> Said:
        """A mean of money with how many it is of."""
        return self._mean(mean, "none", self._amount)

    def mean_range(self, mean: Mean, *, money: bool = False) -> str:
        """The interval of a mean; empty where nobody can say."""
        say = self._amount if money else duration
        return "" if mean.low is None or mean.high is None else f"{say(mean.low)} to {say(mean.high)}"

    def mean_change(self, now: Mean, then: Mean) -> str:
        """How a mean of seconds differs from that of another period; empty where one of the two is of too few."""
        if now.value is None or then.value is None or min(now.count, then.count) < LEAST_OF:
            return ""
        chance = ", may be chance" if _overlap(now.low, now.high, then.low, then.high) else ""
        difference = round(now.value) - round(then.value)
        if not difference:
            return "the same"
        return f"{duration(abs(difference))} {'longer' if difference > 0 else 'shorter'}{chance}"

    def _mean(self, mean: Mean, nothing: str, say: Callable[[float], str]) -> Said:
        if mean.value is None:
            return Said("–", nothing)
        firm = mean.count >= LEAST_OF
        note = f"mean of {count(mean.count)}"
        if not firm and mean.low is not None and mean.high is not None:
            note = f"{note}, {say(mean.low)} to {say(mean.high)}"
        return Said(say(mean.value), note, firm)

    def _amount(self, value: float) -> str:
        return self.money(Decimal(str(value)))


def line(text: str) -> str:
    """A text from outside on one line; signs that nobody sees are shown as a square."""
    return "".join("\ufffd" if unicodedata.category(sign) in _HIDDEN else sign for sign in " ".join(text.split()))


def name(text: str) -> str:
    """A name from outside on one line of at most 80 characters."""
    shown = line(text)
    return (shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…") or UNKNOWN


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return format_decimal(number, locale="en").replace("-", "−")


def percent(share: float, *, fine: bool = True) -> str:
    """A share as a percentage; one that is not `fine` in whole percents from 10 on."""
    return f"{_hundredths(share, _digits(share, fine=fine) if share or fine else 0)}\N{NO-BREAK SPACE}%"


def limit(share: float) -> str:
    """A limit as it is written in a policy: without zeros that say nothing."""
    return f"{format_decimal(Decimal(str(round(share * 100, 6))).normalize(), '#,##0.######', locale='en')}\xa0%"


def interval(seen: int, of: int) -> str:
    """The interval of 95 % of a share: `2–19 %`; empty where it is of no whole."""
    if not 0 <= seen <= of or not of:
        return ""
    low, high = wilson(seen, of)
    digits = _digits(high, fine=False)
    return f"{_hundredths(low, digits)}–{_hundredths(high, digits)}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """A time in its two largest units: `3 h 20 min`, `2 d 4 h`, `45 s`."""
    rest, sign = round(abs(seconds)), "−" if round(seconds) < 0 else ""
    units = _UNITS if rest >= _DAYS_FROM else _UNITS[1:]
    first = next((at for at, (size, _) in enumerate(units) if rest >= size), len(units) - 1)
    # Rounded to the smaller of the two.
    smallest = units[min(first + 1, len(units) - 1)][0]
    rest = (rest + smallest // 2) // smallest * smallest
    parts = []
    for size, unit in units[first : first + 2]:
        number, rest = divmod(rest, size)
        parts += [f"{count(number)}\N{NO-BREAK SPACE}{unit}"] if number else []
    return sign + (" ".join(parts) or "0\N{NO-BREAK SPACE}s")


def many(number: int, what: str) -> str:
    """So many of something: `1 line`, `3 lines`."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def _overlap(low: float | None, high: float | None, other_low: float | None, other_high: float | None) -> bool:
    """Whether two intervals have something in common; False where one of them is not known."""
    if low is None or high is None or other_low is None or other_high is None:
        return False
    return low <= other_high and other_low <= high


def _points(difference: float, *, digits: int = 2, chance: bool = False) -> str:
    size = _hundredths(abs(difference), digits)
    if size == _hundredths(0, digits):
        return "the same"
    return f"{size} points {'higher' if difference > 0 else 'lower'}{', may be chance' if chance else ''}"


def _digits(share: float, *, fine: bool) -> int:
    if abs(share) < 0.1:
        return 2 if fine else 1
    return 1 if fine and abs(share) < 1 else 0


def _hundredths(share: float, digits: int) -> str:
    """A share times 100, without a minus before nothing."""
    rounded = round(Decimal(str(share)) * 100, digits)
    written = format_decimal(abs(rounded), f"#,##0.{'0' * digits}" if digits else "#,##0", locale="en")
    return f"−{written}" if rounded < 0 else written
