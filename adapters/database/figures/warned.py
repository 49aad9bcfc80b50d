"""Limits that are crossed, and the ledger of those that were (`§20`)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from adapters.database.figures import goods
from adapters.database.figures.asked import Asked, rows
from adapters.database.figures.claims import claimed
from adapters.database.ordering import by_code_point
from adapters.database.schema import case_letters, clean, warnings
from aftersales.figures import Kind, Period, Warned
from aftersales.limits import rates_over, variant_over
from aftersales.variants import BASE, key_of, parse_key


def crossings(connection: Connection, asked: Asked) -> list[Warned]:
    """What is over its limit over `report.limit_window` before the moment; variants over all their time."""
    at = asked.as_of
    window = Period(name="", kind="span", start=at - asked.terms.limit_window, end=at)
    (found,) = goods.read(connection, asked, [window])
    by_category = sorted(found.by_category.items())
    shown = [rates.shown(category, asked.exchange) for category, rates in by_category]
    over = [warned for returned in shown for warned in rates_over(returned, asked.terms, shop=asked.shop, at=at)]
    return over + list(_variants_over(connection, asked))


def known(connection: Connection, asked: Asked) -> tuple[Warned, ...]:
    """The warnings that stood at the moment. The ledger's `what` is a `Warned` as JSON."""
    of = warnings.c
    query = (
        select(of.shop, of.kind, of.subject, of.since, of.what)
        .where(of.shop == asked.shop, of.since <= asked.as_of, or_(of.until.is_(None), of.until > asked.as_of))
        .where(of.kind.in_(get_args(Kind)))
        .order_by(by_code_point(of.kind), by_code_point(of.subject), of.since)
    )
    return tuple(_warned(dict(row)) for row in rows(connection, query))


def _warned(row: dict[str, str | datetime]) -> Warned:
    seen = json.loads(str(row.pop("what")))
    return Warned.model_validate(seen | row)


def _since_started_again(connection: Connection, asked: Asked) -> Iterator[ColumnElement[bool]]:
    of, ledger = case_letters.c, warnings.c
    ended = (
        select(ledger.subject, func.max(ledger.until).label("until"))
        .where(ledger.kind == "claims", ledger.until <= asked.as_of, ledger.shop.in_(["", clean(asked.shop)]))
        .group_by(ledger.subject)
    )
    for row in rows(connection, ended):
        letter, variant = parse_key(row["subject"])
        yield not_(and_(of.letter == letter, of.variant == variant, of.sent_at < row["until"]))


def _variants_over(connection: Connection, asked: Asked) -> Iterator[Warned]:
    """The variants that bring too many claims; what counts is written since a person has started one again."""
    of = case_letters.c
    before = and_(of.closed_at < asked.as_of, *_since_started_again(connection, asked))
    sent = (
        select(of.letter, of.variant, func.count().label("sent"))
        .where(before, of.variant.not_in(["", BASE]), asked.of_shop(case_letters))
        .group_by(of.letter, of.variant)
        .order_by(by_code_point(of.letter), by_code_point(of.variant))
    )
    letters = {(row["letter"], row["variant"]): row["sent"] for row in rows(connection, sent)}
    claims: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows(connection, claimed(asked, ("letter", "variant"), before)) if letters else ():
        claims[row["letter"], row["variant"]] = row["claims"]
    for (letter, variant), number in letters.items():
        over = variant_over(
            key_of(letter, variant), claims[letter, variant], number, asked.terms, shop=asked.shop, at=asked.as_of
        )
        if over:
            yield over
