"""What is behind the rates: SKUs and lanes with their rates, and the SKUs, carriers and lanes of each cause (`004`).

A line went by the first parcel of the same shop and order that held it; its lane and carrier are empty where none is
known. SKUs and lanes are listed where there were returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, case, exists, func, literal, select, union_all

from adapters.database.figures.asked import Asked, rows
from adapters.database.figures.exact import added, total
from adapters.database.figures.slices import Slices, Stretch
from adapters.database.figures.tallies import Largest, Rates, lost_lines
from adapters.database.ordering import by_code_point
from adapters.database.schema import case_goods, shipped_goods
from aftersales.figures import QUALITY, Returned

MOST = 50
"""SKUs, and lanes, that are listed: those with the largest loss."""
BEHIND = 5
"""SKUs, carriers and lanes that are named behind a cause."""
_KINDS = ("carrier", "lane", "sku")
_Named = tuple[str, int, int]


@dataclass
class Places:
    """SKUs and lanes by their loss on returns; and by kind and cause (name, cases, loss in grains)."""

    rates: dict[str, dict[str, Rates]] = field(default_factory=dict)
    behind: dict[tuple[str, str], Largest[_Named]] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)

    def returned(self, kind: str, asked: Asked) -> tuple[Returned, ...]:
        """The rates of a kind, that of the largest loss first."""
        return tuple(rates.shown(name, asked.exchange) for name, rates in self.rates.get(kind, {}).items())

    def named(self, kind: str, cause: str) -> list[_Named]:
        """Where most was lost by a cause."""
        return self.behind[kind, cause].items() if (kind, cause) in self.behind else []


def read(connection: Connection, asked: Asked, stretch: Stretch) -> Places:
    """What is behind the rates of a stretch of time; rows are in memory a few at a time."""
    found = Places()
    slices = Slices([stretch], asked.exchange.changes)
    if not slices.gapless:
        return found
    largest: dict[str, Largest[tuple[str, Rates]]] = {kind: Largest(MOST) for kind in _KINDS}
    lost = rows(connection, _lost(asked, slices, stretch))
    for (kind, name), some in groupby(lost, key=lambda row: (row["kind"], row["name"])):
        rates = _add_up(some, asked, slices, found)
        if rates.total.returns:
            largest[kind].add(rates.total.loss, rates.total.returns, name, (name, rates))
    for kind in ("lane", "sku"):
        found.rates[kind] = dict(largest[kind].items())
        _add_shipped(connection, asked, slices, stretch, kind, found.rates[kind])
    return found


def _add_up(some: Iterator[RowMapping], asked: Asked, slices: Slices, found: Places) -> Rates:
    rates = Rates()
    causes: dict[str, tuple[int, int]] = {}
    for row in some:
        kind, name, cause = row["kind"], row["name"], row["cause"]
        loss = asked.exchange.grains(added("money", row), row["currency"], slices.start(row["slice"]))
        cases, sum_of_cause = causes.get(cause, (0, 0))
        causes[cause] = cases + row["cases"], sum_of_cause + (loss or 0)
        if loss is not None and row["returned"]:
            rates.lose(loss, row["lines"], quality=cause == QUALITY)
    for cause, (cases, loss) in causes.items():
        found.behind.setdefault((kind, cause), Largest(BEHIND)).add(loss, cases, name, (name, cases, loss))
        if kind == "sku":  # every line has one, though it may be empty
            found.losses[cause] = found.losses.get(cause, 0) + loss
    return rates


def _lost(asked: Asked, slices: Slices, stretch: Stretch) -> Select[Any]:
    of, parcel = case_goods.c, shipped_goods.alias("parcel")
    candidate = shipped_goods.alias("candidate")
    first = (
        select(candidate.c.parcel_no)
        .where(
            candidate.c.shop == of.shop,
            candidate.c.order_id == of.order_id,
            candidate.c.line_id == of.line_id,
            candidate.c.shipped_at < asked.as_of,
        )
        .order_by(candidate.c.shipped_at, by_code_point(candidate.c.parcel_no))
        .limit(1)
        .correlate(case_goods)
        .scalar_subquery()
    )
    other = case_goods.alias("other")
    another = exists().where(
        other.c.case_id == of.case_id, other.c.trigger == of.trigger, other.c.line_id != of.line_id
    )
    goods = (
        select(of.case_id, of.trigger, of.line_id, of.sku, of.cause, of.currency, of.loss, of.shop, of.order_id)
        .add_columns(asked.is_return(of.process).label("returned"), first.label("parcel_no"))
        .add_columns(case((another, 1), else_=0).label("several"))
        .add_columns(slices.number(of.closed_at, stretch).label("slice"))
        .where(stretch.holds(of.closed_at), asked.of_shop(case_goods))
        .cte("goods")
        .prefix_with("MATERIALIZED")  # or PostgreSQL looks for each line's parcel several times
    )
    same = and_(*(parcel.c[name] == goods.c[name] for name in ("shop", "order_id", "parcel_no", "line_id")))
    lost = (
        select(goods, func.coalesce(parcel.c.carrier, "").label("carrier"))
        .add_columns(func.coalesce(parcel.c.lane, "").label("lane"))
        .select_from(goods.outerjoin(parcel, same))
        .cte("lost")
    )
    # Most cases are about one line, and counting what differs is dear.
    alone = func.count().filter(lost.c.several == 0)
    others = func.count((lost.c.case_id + "\n" + lost.c.trigger).distinct()).filter(lost.c.several == 1)
    cases = (alone + others).label("cases")
    kinds = []
    for kind in _KINDS:
        by = (lost.c[kind], lost.c.cause, lost.c.returned, lost.c.currency, lost.c.slice)
        what = (literal(kind).label("kind"), lost.c[kind].label("name"), *by[1:])
        kinds.append(select(*what, *total("money", lost.c.loss), lost_lines(lost.c.loss), cases).group_by(*by))
    every = union_all(*kinds).subquery()
    return select(every).order_by(every.c.kind, by_code_point(every.c.name))


def _add_shipped(
    connection: Connection, asked: Asked, slices: Slices, stretch: Stretch, kind: str, rates: dict[str, Rates]
) -> None:
    for row in rows(connection, _shipped(asked, slices, stretch, kind, list(rates))) if rates else ():
        cost = asked.exchange.grains(added("money", row), row["currency"], slices.start(row["slice"]))
        if cost is not None:
            rates[row["name"]].ship(cost, row["lines"])


def _shipped(asked: Asked, slices: Slices, stretch: Stretch, kind: str, names: Sequence[str]) -> Select[Any]:
    of = shipped_goods.c
    flat = (
        select(of[kind].label("name"), of.currency, of.cost, slices.number(of.shipped_at, stretch).label("slice"))
        .where(stretch.holds(of.shipped_at), asked.of_shop(shipped_goods), of[kind].in_(names))
        .subquery()
    )
    by = (flat.c.name, flat.c.currency, flat.c.slice)
    return select(*by, *total("money", flat.c.cost), func.count().label("lines")).group_by(*by)
