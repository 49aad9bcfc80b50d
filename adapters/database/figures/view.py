"""The figures as others ask for them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import Connection, func, select, union

from adapters.database.engines import Database
from adapters.database.figures import goods, letters, places, service, warned
from adapters.database.figures.asked import Asked, snapshot
from adapters.database.figures.goods import Goods, Over
from adapters.database.figures.places import Places
from adapters.database.ordering import by_code_point
from adapters.database.schema import cases, outcomes, shipped_goods
from aftersales import periods
from aftersales.figures import Cause, Figures, Period, Report, Returned, Warned
from aftersales.outcome import Cause as CauseName
from aftersales.report_notes import notes
from aftersales.reporting import Reporting

_CAUSES: tuple[CauseName, ...] = ("product", "logistics", "service", "customer")


class FiguresView:
    """Reads figures, each time of one moment of the database; an empty `shop` is all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, *, shop: str, period: Period, as_of: datetime, terms: Reporting) -> Report:
        """The figures of a period, as they were seen at `as_of`: nothing that happened later changes them.

        Raises:
            DatabaseAway: the database does not answer.
        """
        return await self._database.read(partial(_report, Asked(shop, as_of, terms), period))

    async def crossings(self, *, shop: str, at: datetime, terms: Reporting) -> list[Warned]:
        """The limits that are crossed at a moment: rates of categories, and variants of letters that bring claims.

        Raises:
            DatabaseAway: the database does not answer.
        """
        return await self._database.read(partial(_crossings, Asked(shop, at, terms)))

    async def shops(self) -> list[str]:
        """The shops that there is anything of, by name.

        Raises:
            DatabaseAway: the database does not answer.
        """
        return await self._database.read(_shops)


def _shops(connection: Connection) -> list[str]:
    found = union(*(select(table.c.shop).distinct() for table in (cases, outcomes, shipped_goods))).subquery()
    return list(connection.execute(select(found).order_by(by_code_point(found.c.shop))).scalars())


def _crossings(asked: Asked, connection: Connection) -> list[Warned]:
    with snapshot(connection):
        return warned.crossings(connection, asked)


def _report(asked: Asked, period: Period, connection: Connection) -> Report:
    zone, terms = asked.terms.report_zone, asked.terms
    with snapshot(connection):
        previous, year_ago = periods.before(period, zone), periods.year_ago(period, zone)
        beside = [each for each in (previous, year_ago) if each and _happened(connection, asked, each)]
        over = Over(periods.steps(period, zone))
        wanted = list(dict.fromkeys([period, *beside]))
        found = goods.read(connection, asked, wanted, over)
        figures = {each: _figures(connection, asked, each, of) for each, of in zip(wanted, found, strict=True)}
        standing = warned.known(connection, asked)
    return Report(
        shop=asked.shop,
        zone=zone,
        currency=terms.currency,
        as_of=asked.as_of,
        figures=figures[period],
        before=figures.get(previous) if previous else None,
        year_ago=figures.get(year_ago),
        series=over.shown(asked),
        limit=float(terms.return_limit),
        limits={category: float(limit) for category, limit in sorted(terms.return_limits.items())},
        non_quality_limits={name: float(limit) for name, limit in sorted(terms.non_quality_limits.items())},
        least_returns=terms.least_returns,
        warnings=standing,
        notes=notes(figures[period], asked.as_of, zone),
    )


def _happened(connection: Connection, asked: Asked, period: Period) -> bool:
    """Anything was shipped, opened or closed in it."""
    stretch = asked.seen(period)
    moments = (shipped_goods.c.shipped_at, cases.c.opened_at, outcomes.c.closed_at)
    return any(
        connection.execute(select(func.count()).select_from(first)).scalar_one()
        for first in (
            select(at).where(stretch.holds(at), asked.of_shop(at.table)).limit(1).subquery() for at in moments
        )
    )


def _figures(connection: Connection, asked: Asked, period: Period, found: Goods) -> Figures:
    stretch = asked.seen(period)
    served = service.read(connection, asked, stretch)
    wrote = letters.read(connection, asked, stretch)
    behind = places.read(connection, asked, stretch)
    return Figures(
        period=period,
        opened=served.opened,
        closed=served.closed,
        still_open=served.still_open,
        returns=found.returns.shown("", asked.exchange),
        after_sales=found.after_sales.shown(asked.exchange),
        by_shop=_largest_first([rates.shown(name, asked.exchange) for name, rates in found.by_shop.items()]),
        by_category=_largest_first([rates.shown(name, asked.exchange) for name, rates in found.by_category.items()]),
        by_sku=behind.returned("sku", asked),
        by_lane=behind.returned("lane", asked),
        first_response=served.first_response,
        response=served.response,
        replied=served.replied,
        refund_speed=served.refund_speed,
        reminded=wrote.reminded,
        complaints=served.complaints,
        satisfied=served.satisfied,
        causes=tuple(_cause(name, served, behind, asked) for name in _CAUSES if name in served.causes),
        letters=wrote.letters,
        variants=wrote.variants,
        unconverted=found.without.shown(),
    )


def _largest_first(found: list[Returned]) -> tuple[Returned, ...]:
    return tuple(sorted(found, key=lambda each: (-each.total.loss, -each.total.cost, each.name)))


def _cause(name: CauseName, served: service.Service, behind: Places, asked: Asked) -> Cause:
    def named(kind: str) -> tuple[tuple[str, int, object], ...]:
        return tuple((place, cases, asked.exchange.shown(loss)) for place, cases, loss in behind.named(kind, name))

    return Cause.model_validate(
        {
            "cause": name,
            "cases": served.causes[name],
            "loss": asked.exchange.shown(behind.losses.get(name, 0)),
            "skus": named("sku"),
            "carriers": named("carrier"),
            "lanes": named("lane"),
        }
    )
