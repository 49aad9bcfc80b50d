"""Claims after letters: disputes of the same order, opened within `report.claim_window` of a letter (`000`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, select

from adapters.database.figures.asked import Asked
from adapters.database.figures.exact import microseconds
from adapters.database.ordering import by_no_index
from adapters.database.schema import case_letters, cases

_MICROSECONDS = 1_000_000


def claimed(asked: Asked, by: Sequence[str], *wanted: ColumnElement[bool]) -> Select[Any]:
    """How many letters were followed by a claim, by these columns of `case_letters`.

    There are few disputes, so the letters are looked up by them. A letter with several counts once.
    """
    of, dispute = case_letters.c, _disputes(asked)
    window = literal(int(asked.terms.claim_window.total_seconds()) * _MICROSECONDS)
    after = microseconds(dispute.c.opened_at) - microseconds(of.sent_at)
    same_order = and_(of.order_id == dispute.c.order_id, of.shop == dispute.c.shop)
    followed = (
        select(of.case_id, of.trigger, of.number, *(of[name] for name in by))
        .select_from(dispute.join(case_letters, same_order))
        .where(dispute.c.opened_at > of.sent_at, after <= window, *wanted)
        .distinct()
        .subquery()
    )
    columns = [followed.c[name] for name in by]
    return select(*columns, func.count().label("claims")).group_by(*columns)


def closed_in(start: Any, end: Any) -> ColumnElement[bool]:
    """The letter's case closed in this time; said so that the letter is looked up by its order."""
    column = by_no_index(case_letters.c.closed_at)
    return and_(column >= start, column < end)


def _disputes(asked: Asked) -> Subquery:
    of = cases.c
    return (
        select(of.order_id, of.shop, of.opened_at)
        .where(of.process == "dispute", of.opened_at < asked.as_of, asked.of_shop(cases))
        .subquery("dispute")
    )
