"""Figures as they are told: what stands in for the database in tests of schedules, files and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from aftersales.figures import Figures, LossRate, Mean, Part, Period, Report, Returned, Warned
from aftersales.reporting import Reporting

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class KnownFigures:
    """`over` is what is over its limit from each moment on, by shop; `asked` what reports were asked for."""

    def __init__(self, *shops: str) -> None:
        self.known = list(shops)
        self.over: dict[str, Mapping[datetime, Sequence[Warned]]] = {}
        self.asked: list[tuple[str, str, datetime]] = []

    async def shops(self) -> list[str]:
        """The shops."""
        return self.known

    async def crossings(self, *, shop: str, at: datetime, terms: Reporting) -> list[Warned]:
        """What is over at a moment."""
        told = [seen for since, seen in sorted(self.over.get(shop, {}).items()) if since <= at]
        return list(told[-1]) if told else []

    async def report(self, *, shop: str, period: Period, as_of: datetime, terms: Reporting) -> Report:
        """An empty report."""
        self.asked.append((shop, period.name, as_of))
        return empty_report(shop, period, as_of, terms)


def warned(subject: str = "", *, shop: str = "", kind: str = "return_rate", at: datetime = NEVER) -> Warned:
    """A limit that is crossed."""
    told = {"shop": shop, "kind": kind, "subject": subject, "since": at}
    return Warned.model_validate({**told, "rate": 0.0412, "limit": 0.035, "count": 12, "of": 310})


def empty_report(shop: str, period: Period, as_of: datetime, terms: Reporting) -> Report:
    """The report of a period in which nothing happened."""
    rate = LossRate(loss=Decimal(0), cost=Decimal(0), returns=0, shipped=0)
    mean, part = Mean(count=0, value=None), Part(count=0, of=0)
    parts = dict.fromkeys(("replied", "reminded", "complaints", "satisfied"), part)
    means = dict.fromkeys(("first_response", "response", "refund_speed"), mean)
    lists: dict[str, tuple[()]] = dict.fromkeys(
        ("by_shop", "by_category", "by_sku", "by_lane", "causes", "letters", "variants", "unconverted"), ()
    )
    counts = dict.fromkeys(("opened", "closed", "still_open"), 0)
    returns = Returned(name="", total=rate, non_quality=rate)
    figures = {"period": period, "returns": returns, "after_sales": rate, **counts, **parts, **means, **lists}
    return Report(
        shop=shop,
        zone=terms.report_zone,
        currency=terms.currency,
        as_of=as_of,
        figures=Figures.model_validate(figures),
        before=None,
        year_ago=None,
        series=(),
        limit=float(terms.return_limit),
        limits={},
        non_quality_limits={},
        least_returns=terms.least_returns,
        warnings=(),
        notes=("nothing has happened in this time",),
    )
