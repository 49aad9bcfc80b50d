"""The figures of a made-up year are what plain Python finds, on both databases."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.database.figures import FiguresView
from aftersales import periods
from aftersales.figures import Figures, Period, Report
from aftersales.reporting import Reporting
from tests.figures.conftest import Filled
from tests.figures.shop_year import TERMS, Books, Case, Parcel, a_year, as_warning, of_shop
from tests.figures.truth import Truth

ZONE = TERMS.report_zone
AS_OF = datetime(2026, 12, 3, tzinfo=UTC)
NOVEMBER = periods.month("2026-11", ZONE)
MARCH = periods.month("2026-03", ZONE)
YEAR = periods.span(date(2025, 12, 1), date(2026, 11, 30), ZONE)
BOOKS = a_year(20)
AT_PAR = TERMS.model_copy(
    update={"rates": {"EUR": {date(2025, 1, 1): Decimal(1)}, "JPY": {date(2025, 1, 1): Decimal(1)}}}
)


def without_rates_missing(found: Figures) -> Figures:
    return found.model_copy(update={"unconverted": ()})


def same(found: Figures | None, books: Books, period: Period, as_of: datetime, terms: Reporting = TERMS) -> None:
    assert found is not None
    true = Truth(books, period, as_of, terms).figures()
    near = {"variants": true.variants}
    assert without_rates_missing(found).model_copy(update=near) == true
    assert len(found.variants) == len(true.variants)
    for mine, his in zip(found.variants, true.variants, strict=True):
        assert mine.model_copy(update={"loss": his.loss}) == his
        assert mine.loss.count == his.loss.count
        assert mine.loss.value == pytest.approx(his.loss.value)
        assert mine.loss.error == pytest.approx(his.loss.error)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_every_figure_is_what_plain_python_finds(kind: str, filled: Filled) -> None:
    async with filled(kind, BOOKS.tables()) as view:
        for shop, period in (("", NOVEMBER), ("beta", MARCH), ("", YEAR)):
            report = await view.report(shop=shop, period=period, as_of=AS_OF, terms=TERMS)
            books = of_shop(BOOKS, shop)
            same(report.figures, books, period, AS_OF)
            if period is not YEAR:
                same(report.before, books, periods.before(period, ZONE) or period, AS_OF)
            for step, point in zip(periods.steps(period, ZONE), report.series[0].points, strict=True):
                true = Truth(books, step, AS_OF, TERMS)
                assert point.start == step.start
                assert point.rate == true.returned("", true.lines, true.parcels).total
        assert await view.shops() == ["alpha", "beta", "gamma"]


async def test_order_of_arrival_changes_nothing(filled: Filled) -> None:
    reports = []
    for kind, seed in (("sqlite", 1), ("sqlite", 2), ("postgresql", 3)):
        async with filled(kind, BOOKS.tables(random.Random(seed))) as view:
            reports.append(await view.report(shop="", period=NOVEMBER, as_of=AS_OF, terms=TERMS))
    assert len({report.model_dump_json() for report in reports}) == 1


async def test_what_happens_later_changes_nothing(filled: Filled) -> None:
    as_of = NOVEMBER.start + timedelta(days=14, hours=5)
    early = Books([each for each in BOOKS.parcels if each.at < as_of], [])
    for case in BOOKS.cases:
        if case.opened < as_of and (case.closed is None or case.closed < as_of):
            early.cases.append(case)
        elif case.opened < as_of:
            refund = case.refund if case.refund and case.refund < as_of else None
            early.cases.append(Case(**vars(case) | {"closed": None, "refund": refund}))
    reports = []
    for books in (early, BOOKS):
        async with filled("sqlite", books.tables()) as view:
            reports.append(await view.report(shop="", period=NOVEMBER, as_of=as_of, terms=TERMS))
    assert reports[0].model_dump_json() == reports[1].model_dump_json()
    same(reports[0].figures, BOOKS, NOVEMBER, as_of)
    assert reports[0].notes[0] == "This period is not over: it is looked at up to 2026-11-15 05:00 (Europe/Berlin)."


def in_cents(books: Books) -> Books:
    """The same with all money in whole cents: what is rounded at the end only adds up."""
    parcels = [Parcel(**vars(each) | {"cost": round(each.cost, -2)}) for each in books.parcels]
    cases = []
    for case in books.cases:
        goods = [(*each[:3], round(each[3], -2)) for each in case.goods]
        cases.append(Case(**vars(case) | {"goods": goods}))
    return Books(parcels, cases)


def add_up(days: list[Figures], whole: Figures) -> None:
    """Counts and money of the days are those of the whole."""
    assert days[0].period.start == whole.period.start
    assert days[-1].period.end == whole.period.end
    for name in ("opened", "closed"):
        assert sum(getattr(day, name) for day in days) == getattr(whole, name)
    for name in ("loss", "cost", "returns", "shipped"):
        for rate in ("total", "non_quality"):
            added = sum(getattr(getattr(day.returns, rate), name) for day in days)
            assert added == getattr(getattr(whole.returns, rate), name)
        assert sum(getattr(day.after_sales, name) for day in days) == getattr(whole.after_sales, name)
    assert sum(day.replied.of for day in days) == whole.replied.of
    assert sum(letter.sent for day in days for letter in day.letters) == sum(letter.sent for letter in whole.letters)


async def figures(view: FiguresView, period: Period) -> Figures:
    return (await view.report(shop="", period=period, as_of=AS_OF, terms=AT_PAR)).figures


async def test_days_add_up_to_their_month(filled: Filled) -> None:
    async with filled("sqlite", in_cents(BOOKS).tables()) as view:
        days = [await figures(view, periods.day(date(2026, 3, number), ZONE)) for number in range(1, 32)]
        add_up(days, await figures(view, MARCH))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), orders=st.integers(0, 40), shuffled=st.randoms(), first=st.integers(0, 360))
def test_in_any_year_days_add_up_whatever_came_first(
    filled: Filled, seed: int, orders: int, shuffled: random.Random, first: int
) -> None:
    async def live() -> None:
        begins = date(2025, 12, 1) + timedelta(days=first)
        week = [begins + timedelta(days=number) for number in range(2)]
        reports = []
        for order in (None, shuffled):
            async with filled("sqlite", in_cents(a_year(seed, orders)).tables(order)) as view:
                reports.append(await view.report(shop="", period=YEAR, as_of=AS_OF, terms=TERMS))
                if order:
                    whole = await figures(view, periods.span(week[0], week[-1], ZONE))
                    add_up([await figures(view, periods.day(on, ZONE)) for on in week], whole)
        assert reports[0].model_dump_json() == reports[1].model_dump_json()

    asyncio.run(live())


async def report_of(filled: Filled, books: Books, *, shop: str = "", as_of: datetime = AS_OF) -> Report:
    async with filled("sqlite", books.tables()) as view:
        return await view.report(shop=shop, period=NOVEMBER, as_of=as_of, terms=TERMS)


async def test_a_shop_without_anything_says_so(filled: Filled) -> None:
    report = await report_of(filled, BOOKS, shop="nobody")
    assert report.notes == ("Nothing happened in this period.",)
    assert (report.before, report.year_ago) == (None, None)
    assert report.figures.returns.total.rate is None
    assert len(report.series[0].points) == periods.MONTHS_SHOWN


async def test_a_single_case_is_called_an_example(filled: Filled) -> None:
    case = next(each for each in BOOKS.cases if each.closed and NOVEMBER.start < each.closed < NOVEMBER.end)
    report = await report_of(filled, Books([], [case]))
    assert report.figures.closed == 1
    assert "Only 1 case closed in this period: its figures are no more than an example." in report.notes
    assert "Nothing was shipped in this period, so there is no return rate." in report.notes


async def test_a_period_in_the_future_says_so(filled: Filled) -> None:
    report = await report_of(filled, BOOKS, as_of=NOVEMBER.start - timedelta(days=3))
    assert report.figures.closed == report.figures.opened == report.figures.after_sales.shipped == 0
    assert report.notes[0].startswith("This period lies in the future: the report looks up to 2026-10-29 ")


async def test_money_without_a_rate_is_named_and_in_no_figure(filled: Filled) -> None:
    at = NOVEMBER.start + timedelta(days=2)
    parcels = [
        Parcel("alpha", f"o{number}", "p", "l", "shoes", "s", "dhl", "dhl:DE>FR", currency, 125_000, at)
        for number, currency in enumerate(("USD", "CHF", "CHF"))
    ]
    case = Case("c", "alpha", "o1", "return-parcel", "refunded", "product", "CHF", at, at + timedelta(days=1))
    case.goods = [("l", "shoes", "s", 40_050)]
    report = await report_of(filled, Books(parcels, [case]))
    (missing,) = report.figures.unconverted
    assert (missing.currency, missing.loss, missing.cost, missing.since) == (
        "CHF",
        Decimal("4.01"),
        Decimal("25.00"),
        at,
    )
    total = report.figures.returns.total
    assert (total.loss, total.cost, total.returns, total.shipped) == (Decimal(0), Decimal("12.50"), 0, 1)
    assert "There is no rate for CHF at 2026-11-03 00:00 (Europe/Berlin), so 4.01 CHF of losses" in report.notes[-1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_sums_beyond_what_a_database_counts_to_are_exact(kind: str, filled: Filled) -> None:
    most, at = 9_999_999_999_999_999, NOVEMBER.start + timedelta(hours=1)
    parcels = [
        Parcel("alpha", f"o{number}", "p", "l", "shoes", "s", "", "", "USD", most, at) for number in range(2_000)
    ]
    async with filled(kind, Books(parcels).tables()) as view:
        report = await view.report(shop="", period=NOVEMBER, as_of=AS_OF, terms=TERMS)
    assert report.figures.returns.total.cost == Decimal("1999999999999999.80")


async def test_a_stopped_variant_and_open_warnings_are_in_the_report(filled: Filled) -> None:
    since = NOVEMBER.start + timedelta(days=3)
    seen = '{"rate": 0.07, "limit": 0.06, "count": 9, "of": 120}'
    tables = BOOKS.tables() | {
        "warnings": [
            as_warning("", "claims", "return-terms.short", since, seen),
            as_warning("", "return_rate", "shoes", since, seen),
            {**as_warning("", "return_rate", "lamps", since, seen), "until": since + timedelta(days=1)},
            as_warning("", "return_rate", "", AS_OF + timedelta(days=1), seen),
        ]
    }
    async with filled("sqlite", tables) as view:
        report = await view.report(shop="", period=NOVEMBER, as_of=AS_OF, terms=TERMS)
    assert [(each.kind, each.subject, each.count) for each in report.warnings] == [
        ("claims", "return-terms.short", 9),
        ("return_rate", "shoes", 9),
    ]
    assert {each.variant: each.stopped_at for each in report.figures.variants} == {"base": None, "short": since}
