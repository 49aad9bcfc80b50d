"""Limits are crossed by rates of categories, and by variants of letters that certainly bring claims."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from aftersales import periods
from aftersales.reporting import Reporting
from tests.figures.conftest import Filled
from tests.figures.shop_year import Books, Case, Parcel

AT = datetime(2026, 11, 20, tzinfo=UTC)
TERMS = Reporting.model_validate({"currency": "USD", "rates": {"EUR": {date(2020, 1, 1): "2"}}})


def goods(category: str, losses: list[int], cause: str, *, days_ago: int = 3) -> Books:
    """A hundred parcels for 10 USD each, and return cases that lost so much."""
    at = AT - timedelta(days=days_ago)
    names = ("p", "l", category, "s", "", "", "EUR", 50_000)
    parcels = [Parcel("alpha", f"{category}{number}", *names, at) for number in range(100)]
    cases = []
    for number, loss in enumerate(losses):
        case = Case(f"{category}/{number}", "alpha", f"{category}{number}", "return-parcel", "", cause, "EUR", at, at)
        case.goods = [("l", category, "s", loss)]
        cases.append(case)
    return Books(parcels, cases)


def letters(variant: str, sent: int, claimed: int) -> Books:
    """Letters of a variant long ago, some of them followed by a dispute within the window, one after it."""
    at, books = AT - timedelta(days=200), Books()
    for number in range(sent):
        case = Case(f"{variant}/{number}", "alpha", f"{variant}{number}", "return-escalation", "", "", "USD", at, at)
        counts = dict.fromkeys(("awaited", "answered", "accepted", "abandoned"), False)
        named = {"letter": "return-terms", "language": "en", "variant": variant, "answer_seconds": None}
        case.letters = [named | counts | {"sent_at": at}]
        books.cases.append(case)
        after = TERMS.claim_window + timedelta(microseconds=number - claimed + 1)
        if number <= claimed:
            dispute = Case(f"d/{variant}/{number}", "alpha", case.order_id, "dispute", "", "", "USD", at + after, None)
            books.cases.append(dispute)
    return books


def together(*books: Books) -> Books:
    return Books([each for some in books for each in some.parcels], [each for some in books for each in some.cases])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_is_over_its_limit_is_found(kind: str, filled: Filled) -> None:
    books = together(
        goods("shoes", [80_000] * 5, "product"),  # 8 % of 500 EUR
        goods("lamps", [35_000] * 5, "product"),  # 3.5 % is the limit, not over it
        goods("hats", [200_000] * 4, "product"),  # fewer than five returns
        goods("old", [90_000] * 9, "product", days_ago=31),
        goods("large furniture", [11_000] * 5, "logistics"),  # 1.1 %
        letters("short", 100, 9),
        letters("long", 100, 4),
        letters("", 100, 50),
    )
    async with filled(kind, books.tables()) as view:
        found = await view.crossings(shop="alpha", at=AT, terms=TERMS)
        assert await view.crossings(shop="nobody", at=AT, terms=TERMS) == []
    assert [(each.kind, each.subject, each.count, each.of) for each in found] == [
        ("non_quality", "large furniture", 5, 100),
        ("return_rate", "shoes", 5, 100),
        ("claims", "return-terms.short", 9, 100),
    ]
    assert [(each.rate, each.limit, each.since) for each in found][1:] == [(0.08, 0.035, AT), (0.09, 0.03, AT)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_variant_that_was_started_again_is_judged_by_what_came_since(kind: str, filled: Filled) -> None:
    ended = {
        "shop": "alpha",
        "kind": "claims",
        "subject": "return-terms.short",
        "what": '{"rate": 0.09, "limit": 0.03, "count": 9, "of": 100}',
        "told_at": None,
    }
    for until, over in ((AT - timedelta(days=201), True), (AT - timedelta(days=199), False)):
        again = {**ended, "since": until - timedelta(days=1), "until": until}
        compared = {**again, "kind": "compared", "subject": ""}
        async with filled(kind, {**letters("short", 100, 9).tables(), "warnings": [again, compared]}) as view:
            assert bool(await view.crossings(shop="alpha", at=AT, terms=TERMS)) == over
            earlier = until - timedelta(hours=1)
            report = await view.report(shop="alpha", period=periods.last_day(AT, "UTC"), as_of=earlier, terms=TERMS)
            assert [each.kind for each in report.warnings] == ["claims"]
