"""What a report shows of return rates: everything, by shop, category, SKU and lane, over time; marked over a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup

from aftersales.figures import Figures, LossRate, Point, Report, Returned, Series
from aftersales.report_charts import Dot, Line, Scale, over_time
from aftersales.report_words import EMPTY, Said, Words, limit, many, name, percent

_ROWS, _CHARTS = 15, 12
_MONTH = 27
"""Steps of at least so many days are months."""
_ABOUT = {
    "shop": "",
    "category": "A category may have a limit of its own.",
    "SKU": "Compared with the general limit, whatever the limit of its category.",
    "lane": "Compared with the general limit: a lane carries goods of all categories.",
}


_NOT_LISTED = Said("–", "not listed")
"""Nothing was shipped or returned in the other period, or too little was lost to be listed."""


class Other(NamedTuple):
    """A value in another period, and how the one of this period differs from it."""

    title: str
    said: Said
    change: str


class Card(NamedTuple):
    """A rate at a glance; `beside` says where it lies beside the limit, and it is `over` it or not."""

    title: str
    now: Said
    loss: Decimal
    cost: Decimal
    beside: str
    over: bool
    others: Sequence[Other]


class GroupRow(NamedTuple):
    """One shop, category, SKU or lane."""

    name: str
    loss: Decimal
    cost: Decimal
    total: Said
    over: str
    non_quality: Said
    non_quality_over: str
    others: Sequence[Said]


class Group(NamedTuple):
    """A table of return rates, and how many rows are left out."""

    id: str
    title: str
    head: str
    about: str
    rows: Sequence[GroupRow]
    more: int


class ChartPoint(NamedTuple):
    """A value of a chart in words."""

    label: str
    said: Said
    loss: Decimal


class Chart(NamedTuple):
    """A rate over time, as a picture and in words."""

    title: str
    summary: str
    step: str
    picture: Markup
    points: Sequence[ChartPoint]


class Groups:
    """The return rates of one report, in its words. `others` are the figures of the other periods by their titles."""

    def __init__(self, report: Report, words: Words, others: Mapping[str, Figures | None]) -> None:
        self._report, self._words, self._others = report, words, others

    def headline(self) -> list[Card]:
        """The rates of everything, beside the other periods."""
        now, report = self._report.figures, self._report
        own = ", ".join(
            f"{name(category)} {limit(most)}" for category, most in sorted(report.non_quality_limits.items())
        )
        return [
            self._card(
                "Return rate", lambda figures: figures.returns.total, self._beside(now.returns.total), most=True
            ),
            self._card("Without quality causes", lambda figures: figures.returns.non_quality, own and f"Limits: {own}"),
            self._card("All after-sales cases", lambda figures: figures.after_sales, "", what="line"),
        ]

    def tables(self) -> list[Group]:
        """The tables, those by shop only where there is more than one."""
        now = self._report.figures
        tables = [
            self._group("category", lambda figures: figures.by_category),
            self._group("SKU", lambda figures: figures.by_sku),
            self._group("lane", lambda figures: figures.by_lane),
        ]
        if len(now.by_shop) > 1 or not self._report.shop:
            tables.insert(0, self._group("shop", lambda figures: figures.by_shop))
        return tables

    def charts(self) -> tuple[list[Chart], int]:
        """The rates over time, all on one scale, and how many series are left out."""
        shown = [series for series in self._report.series if series.points][:_CHARTS]
        rates = [
            point.rate.rate
            for series in shown
            for point in series.points
            if point.rate.rate is not None and point.rate.returns >= self._report.least_returns
        ]
        scale = Scale.over(rates, [self._limit(series.name) for series in shown])
        left_out = sum(bool(series.points) for series in self._report.series) - len(shown)
        return [self._chart(f"series-{number}", series, scale) for number, series in enumerate(shown, 1)], left_out

    def lead(self, period: str) -> str:
        """The report in two sentences."""
        total = self._report.figures.returns.total
        said = self._words.returned(total)
        loss, cost = self._words.money(total.loss), self._words.money(total.cost)
        if total.rate is None:
            lost = f" Returns that closed in it lost {loss}." if total.returns else ""
            return f"No return rate for {period}: {said.note}.{lost}"
        if not said.firm:
            return (
                f"Too few returns in {period} for a rate: {many(total.returns, 'line')} returned, "
                f"{many(total.shipped, 'line')} shipped. The returns lost {loss}; what was shipped cost {cost}."
            )
        at = "on" if self._report.figures.period.kind == "day" else "in"
        first = (
            f"Returns that closed {at} {period} lost {loss}: {said.value} of the {cost} that the shipped goods cost."
        )
        beside = self._beside(total)
        changes = [
            f"{change} than {at} {title}" if change != "the same" else f"the same as {at} {title}"
            for title, figures in self._others.items()
            if figures and (change := self._words.returned_change(total, figures.returns.total))
        ]
        return f"{first} That is {' and '.join([beside[0].lower() + beside[1:], *changes])}."

    def _card(
        self, title: str, of: Callable[[Figures], LossRate], beside: str, *, most: bool = False, what: str = "return"
    ) -> Card:
        """A rate at a glance; `most` where the general limit holds for it."""
        now, words = of(self._report.figures), self._words
        return Card(
            title,
            words.returned(now, what),
            now.loss,
            now.cost,
            beside,
            most and bool(self._over(now, self._report.limit)),
            [
                Other(period, words.returned(of(then), what), _now(words.returned_change(now, of(then))))
                if then
                else Other(period, Said("–", EMPTY), "")
                for period, then in self._others.items()
            ],
        )

    def _beside(self, rate: LossRate) -> str:
        """Where a rate lies beside the general limit."""
        most = self._report.limit
        if rate.rate is None or rate.returns < self._report.least_returns:
            return f"Limit {limit(most)}"
        away = percent(abs(rate.rate - most)).removesuffix("\N{NO-BREAK SPACE}%").replace(",", "")
        away = "just" if not Decimal(away) else f"{away} points"
        return f"{away} {'over' if rate.rate > most else 'under'} the limit of {limit(most)}"

    def _group(self, head: str, of: Callable[[Figures], Sequence[Returned]]) -> Group:
        rows = of(self._report.figures)
        others = [{row.name: row for row in of(then)} if then else {} for then in self._others.values()]
        made = [self._row(head, row, others) for row in sorted(rows, key=lambda row: (-row.total.loss, row.name))]
        shown = [row for at, row in enumerate(made) if at < _ROWS or row.over or row.non_quality_over]
        return Group(head.lower(), head, head[0].upper() + head[1:], _ABOUT[head], shown, len(made) - len(shown))

    def _row(self, head: str, row: Returned, others: Sequence[Mapping[str, Returned]]) -> GroupRow:
        own = self._report.non_quality_limits.get(row.name) if head == "category" else None
        return GroupRow(
            name(row.name),
            row.total.loss,
            row.total.cost,
            self._words.returned(row.total),
            self._over(row.total, self._limit(row.name) if head == "category" else self._report.limit),
            self._words.returned(row.non_quality),
            self._over(row.non_quality, own),
            [self._words.returned(other[row.name].total) if row.name in other else _NOT_LISTED for other in others],
        )

    def _limit(self, category: str) -> float:
        return self._report.limits.get(category, self._report.limit)

    def _over(self, rate: LossRate, most: float | None) -> str:
        """The limit that a rate is over; empty where it is not, or where too little was seen to say so."""
        if most is None or rate.rate is None or rate.returns < self._report.least_returns or rate.rate <= most:
            return ""
        return limit(most)

    def _chart(self, chart_id: str, series: Series, scale: Scale) -> Chart:
        title = name(series.name) if series.name else "Everything"
        monthly = self._monthly(series.points)
        label = self._words.month if monthly else self._words.day
        points = [
            ChartPoint(label(point.start), self._words.returned(point.rate), point.rate.loss) for point in series.points
        ]
        dots = [
            Dot(
                self._words.short_month(point.start) if monthly else self._words.short_day(point.start),
                point.rate.rate,
                " ".join((one.said.value, f"({one.said.note})" if one.said.note and not one.said.firm else "")).strip(),
                one.said.firm,
            )
            for point, one in zip(series.points, points, strict=True)
        ]
        firm = [(point.rate.rate, one) for point, one in zip(series.points, points, strict=True) if one.said.firm]
        known = [(rate, one) for rate, one in firm if rate is not None]
        most = self._limit(series.name)
        summary = f"limit {limit(most)}; too few returns at any time for a rate"
        if known:
            low, high = min(known, key=lambda pair: pair[0])[1], max(known, key=lambda pair: pair[0])[1]
            summary = f"from {low.said.value} ({low.label}) to {high.said.value} ({high.label})"
        line = Line(chart_id, f"Return rate over time: {title}", dots, most, limit(most))
        return Chart(title, summary, "month" if monthly else "day", over_time(line, scale), points)

    def _monthly(self, points: Sequence[Point]) -> bool:
        if len(points) < 2:
            return self._report.figures.period.kind == "month"
        return (points[1].start - points[0].start).days >= _MONTH


def _now(change: str) -> str:
    return f"now {change}" if change else ""
