"""The figures of a period, as they are computed, shown and kept (`spec/processes.md` §20).

Money is in the report's currency unless a field says otherwise. A part of a whole always says how many of how many.
"""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, computed_field

from aftersales.model import Model, Time

Sum = Annotated[Decimal, PlainSerializer(str, return_type=str)]
"""Money that may be negative: a loss can be a gain, where a carrier paid more than was lost."""
QUALITY = "product"
"""The cause that is left out of the rate without quality causes (`§20`, `004`)."""
COMPLAINTS = ("compensation", "dispute", "review-recovery", "inquiry")
"""Processes that a customer's complaint opens (`003`)."""
SOLVED, UNSOLVED = "solved", "unsolved_escalated"
"""The results of an inquiry whose customer said whether it is solved (`004`)."""
_Z = 1.959963984540054
"""The standard normal's quantile for intervals of 95 %."""


def wilson(count: int, of: int) -> tuple[float, float]:
    """The Wilson score interval of 95 % for a share that was seen `count` times of `of`; 0 to 1 where `of` is 0."""
    if not of:
        return 0.0, 1.0
    share = count / of
    middle = share + _Z**2 / (2 * of)
    reach = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    whole = 1 + _Z**2 / of
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


class Part(Model):
    """`count` of `of` cases, letters or messages; `low` and `high` bound the share with 95 % certainty."""

    count: int
    of: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def low(self) -> float:
        """The least that the share may be, with 95 % certainty."""
        return wilson(self.count, self.of)[0]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def high(self) -> float:
        """The most."""
        return wilson(self.count, self.of)[1]


class Mean(Model):
    """The mean of `count` values; `error` is its standard error, None of fewer than two."""

    count: int
    value: float | None
    error: float | None = None

    @classmethod
    def of(cls, count: int, total: float, squares: float) -> Mean:
        """From how many values there are, their sum and the sum of their squares."""
        if not count:
            return cls(count=0, value=None)
        value = total / count
        if count == 1:
            return cls(count=1, value=value)
        variance = max(0.0, (squares - count * value**2) / (count - 1))
        return cls(count=count, value=value, error=sqrt(variance / count))

    @property
    def low(self) -> float | None:
        """The least that it may be, with 95 % certainty; None where nobody can say."""
        return None if self.value is None or self.error is None else self.value - _Z * self.error

    @property
    def high(self) -> float | None:
        """The most."""
        return None if self.value is None or self.error is None else self.value + _Z * self.error


class LossRate(Model):
    """Loss on returns ÷ cost of goods shipped in the same period (`§20`, `000`).

    `loss` is that of return cases that closed in the period, `returns` on how many lines of goods there was one: a
    return that goes through several cases counts once. `cost` is what the goods that were shipped in it cost the shop,
    `shipped` how many lines of parcels that were.
    """

    loss: Sum
    cost: Sum
    returns: int
    shipped: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        """The rate, 0.035 for 3.5 %; None where nothing was shipped."""
        return float(self.loss / self.cost) if self.cost else None


class Returned(Model):
    """The return rate of everything, or of one shop, category, SKU or lane: whole, and without quality causes."""

    name: str
    total: LossRate
    non_quality: LossRate


class Cause(Model):
    """Cases that closed with this cause, what was lost in them, and where most of it was: (name, cases, loss)."""

    cause: Literal["product", "logistics", "service", "customer"]
    cases: int
    loss: Sum
    skus: tuple[tuple[str, int, Sum], ...]
    carriers: tuple[tuple[str, int, Sum], ...]
    lanes: tuple[tuple[str, int, Sum], ...]


class AfterLetters(Model):
    """What became of letters in the cases that closed in the period.

    `answered` and `accepted` are of those whose answer was awaited, `abandoned` counts cases that ended because no
    answer to it, or to its reminder, came; `claims` those after which a dispute was opened within `report.claim_window`
    and before the report was made.
    """

    sent: int
    answered: Part
    accepted: Part
    abandoned: Part
    claims: Part


class LetterFigures(AfterLetters):
    """A letter of a process in one language and variant."""

    process: str
    letter: str
    language: str
    variant: str


class VariantFigures(AfterLetters):
    """A variant of a letter beside the others, in all languages.

    `loss` is what a case with this variant lost, `answer_time` how many seconds its customers took.
    """

    letter: str
    variant: str
    loss: Mean
    answer_time: Mean
    stopped_at: Time | None = None


class Unconverted(Model):
    """Money in a currency without a rate at its date: it is in no other figure of the report."""

    currency: str
    loss: Sum
    cost: Sum
    since: Time
    """The earliest moment for which a rate is missing."""


class Period(Model):
    """A stretch of time, its end not in it. `name` is `2026-11-22`, `2026-11`, or `2026-11-01 to 2026-11-15`."""

    name: str
    kind: Literal["day", "month", "span"]
    start: Time
    end: Time


class Figures(Model):
    """All figures of one period."""

    period: Period
    opened: int
    """Cases that opened in the period."""
    closed: int
    """Cases that closed in it."""
    still_open: int
    """Cases that had opened before its end and were open at its end: nothing of them is in the figures yet."""
    returns: Returned
    after_sales: LossRate
    """The same of all processes, not only of returns."""
    by_shop: tuple[Returned, ...]
    by_category: tuple[Returned, ...]
    by_sku: tuple[Returned, ...]
    by_lane: tuple[Returned, ...]
    first_response: Mean
    """Seconds from a customer's first message to our first letter (`003`), of cases that closed."""
    response: Mean
    """Seconds from a customer's message to the next letter (`003`), of the messages of cases that closed."""
    replied: Part
    """The reply rate (`003`): messages that a letter followed within `report.reply_within`, of all messages."""
    refund_speed: Mean
    """Seconds from a case's opening to the refund (`003`), of refunds that were accepted in the period."""
    reminded: Part
    """Reminder conversion (`003`): reminders that were answered, of all reminders of cases that closed."""
    complaints: Part
    """Complaint handling (`003`): of the complaints that opened in the period, those that were closed by its end."""
    satisfied: Part
    """Satisfaction (`004`): customers who said that it is solved, of those who were asked and of whom one knows."""
    causes: tuple[Cause, ...]
    letters: tuple[LetterFigures, ...]
    variants: tuple[VariantFigures, ...]
    unconverted: tuple[Unconverted, ...]


class Point(Model):
    """One step of a series in time."""

    start: Time
    rate: LossRate


class Series(Model):
    """Return rates over time: of everything (`name` is empty), or of a category of goods."""

    name: str
    points: tuple[Point, ...]


Kind = Literal["return_rate", "non_quality", "claims"]
"""What a limit is of: the return rate of a category, the same without quality causes, claims after a variant."""


class Warned(Model):
    """A limit that is crossed: since when, what was seen, what is allowed."""

    shop: str
    kind: Kind
    subject: str
    since: Time
    rate: float
    limit: float
    count: int
    """How many returns, or claims, there were."""
    of: int
    """Of how many lines shipped, or letters sent."""
    loss: Sum = Decimal(0)
    """What was lost on these returns."""
    cost: Sum = Decimal(0)
    """What the lines that were shipped cost the shop."""


class Report(Model):
    """A report: the figures of a period beside those of the one before and of the same a year ago.

    The same data gives the same report, whenever it is made: `as_of` is the moment up to which is looked, not that
    of the making.
    """

    shop: str
    """Empty for all shops."""
    zone: str
    currency: str
    as_of: Time
    figures: Figures
    before: Figures | None
    """The period before it; None where nothing happened in it."""
    year_ago: Figures | None
    series: tuple[Series, ...]
    """By month for the 13 months up to the period's end, by day for the 31 days where it is shorter than a month."""
    limit: float
    limits: dict[str, float]
    """The limit of the return rate of a category that has its own."""
    non_quality_limits: dict[str, float]
    least_returns: int
    warnings: tuple[Warned, ...]
    notes: Annotated[tuple[str, ...], Field(default=())]
    """What a reader must know: no data, a period that is not over, currencies without a rate."""
