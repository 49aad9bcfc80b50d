"""Return rates by shop and category, of periods and of the steps of a series.

Return rate = loss on returns that closed in the period ÷ cost of goods that were shipped in it (`§20`, `000`), with all
causes and without `product`. Lines whose money has no rate are in none of it, neither money nor count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from adapters.database.figures.asked import Asked, rows
from adapters.database.figures.exact import added
from adapters.database.figures.slices import Slices, Stretch, holding
from adapters.database.figures.tallies import Rates, Tally, Without, lost_lines, money
from adapters.database.schema import case_goods, shipped_goods
from aftersales.figures import QUALITY, Period, Point, Series

CATEGORIES_SHOWN = 11
"""Categories that have a series of their own, beside that of everything."""


@dataclass
class Goods:
    """The goods of one period: what was shipped in it, and what was lost on them in cases that closed in it."""

    returns: Rates = field(default_factory=Rates)
    after_sales: Tally = field(default_factory=Tally)
    by_shop: dict[str, Rates] = field(default_factory=dict)
    by_category: dict[str, Rates] = field(default_factory=dict)
    without: Without = field(default_factory=Without)

    def ship(self, row: RowMapping, cost: int | None) -> None:
        """Add goods that were shipped; `cost` is None without a rate."""
        if cost is None:
            self.without.ship(row["currency"], added("money", row), row["since"])
            return
        self.after_sales.ship(cost, row["lines"])
        for rates in self._all(row):
            rates.ship(cost, row["lines"])

    def lose(self, row: RowMapping, loss: int | None) -> None:
        """Add what was lost on goods."""
        if loss is None:
            self.without.lose(row["currency"], added("money", row), row["since"])
            return
        self.after_sales.lose(loss, row["lines"])
        if row["returned"]:
            for rates in self._all(row):
                rates.lose(loss, row["lines"], quality=row["quality"])

    def _all(self, row: RowMapping) -> tuple[Rates, Rates, Rates]:
        shop = self.by_shop.setdefault(row["shop"], Rates())
        return self.returns, shop, self.by_category.setdefault(row["category"], Rates())


class Over:
    """The return rates of the steps of a series, of everything and by category."""

    def __init__(self, steps: Sequence[Period]) -> None:
        self.steps = steps
        self._total = [Tally() for _ in steps]
        self._by_category: dict[str, list[Tally]] = {}

    def ship(self, steps: Sequence[int], row: RowMapping, cost: int) -> None:
        """Add goods that were shipped to the steps of these numbers."""
        for tally in self._at(steps, row):
            tally.ship(cost, row["lines"])

    def lose(self, steps: Sequence[int], row: RowMapping, loss: int) -> None:
        """Add what was lost on returns."""
        for tally in self._at(steps, row):
            tally.lose(loss, row["lines"])

    def shown(self, asked: Asked) -> tuple[Series, ...]:
        """Of everything, then of the categories whose goods cost most in all steps."""

        def by_cost(category: str) -> tuple[int, str]:
            return -sum(tally.cost for tally in self._by_category[category]), category

        largest = sorted((name for name in self._by_category if name), key=by_cost)[:CATEGORIES_SHOWN]
        each = [("", self._total), *((name, self._by_category[name]) for name in largest)]
        return tuple(Series(name=name, points=tuple(self._points(tallies, asked))) for name, tallies in each)

    def _at(self, steps: Sequence[int], row: RowMapping) -> Iterator[Tally]:
        of_category = self._by_category.setdefault(row["category"], [Tally() for _ in self.steps])
        for step in steps:
            yield self._total[step]
            yield of_category[step]

    def _points(self, tallies: list[Tally], asked: Asked) -> Iterator[Point]:
        for step, tally in zip(self.steps, tallies, strict=True):
            yield Point(start=step.start, rate=tally.shown(asked.exchange))


def read(connection: Connection, asked: Asked, periods: Sequence[Period], over: Over | None = None) -> list[Goods]:
    """The goods of each period; those of the steps of a series are added to it.

    Each row is read once, whatever overlaps.
    """
    found = [Goods() for _ in periods]
    seen = [asked.seen(period) for period in periods]
    steps = [asked.seen(step) for step in over.steps] if over else []
    slices = Slices([*seen, *steps], asked.exchange.changes)
    for piece in slices.pieces():
        places, points = holding(seen, piece.start), holding(steps, piece.start)
        for row in rows(connection, _shipped(asked, piece)):
            cost = asked.exchange.grains(added("money", row), row["currency"], piece.start)
            for place in places:
                found[place].ship(row, cost)
            if over and cost is not None:
                over.ship(points, row, cost)
        for row in rows(connection, _lost(asked, piece)):
            loss = asked.exchange.grains(added("money", row), row["currency"], piece.start)
            for place in places:
                found[place].lose(row, loss)
            if over and loss is not None and row["returned"]:
                over.lose(points, row, loss)
    return found


def _shipped(asked: Asked, stretch: Stretch) -> Select[Any]:
    of = shipped_goods.c
    by = (of.shop, of.category, of.currency)
    query = select(*by, *money(of.cost, of.shipped_at, func.count())).group_by(*by)
    return query.where(stretch.holds(of.shipped_at), asked.of_shop(shipped_goods))


def _lost(asked: Asked, stretch: Stretch) -> Select[Any]:
    of = case_goods.c
    flat = (
        select(of.shop, of.category, of.currency, of.loss, of.closed_at.label("at"))
        .add_columns(asked.is_return(of.process).label("returned"), (of.cause == QUALITY).label("quality"))
        .where(stretch.holds(of.closed_at), asked.of_shop(case_goods))
        .subquery()
    )
    by = (flat.c.shop, flat.c.category, flat.c.currency, flat.c.returned, flat.c.quality)
    return select(*by, *money(flat.c.loss, flat.c.at, lost_lines(flat.c.loss))).group_by(*by)
