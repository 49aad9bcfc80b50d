"""What the store asks, each with named parameters; built once, so that SQLAlchemy compiles each once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from adapters.database.ordering import by_code_point, by_no_index
from adapters.database.schema import aliases, answered, cases, commands, events, letters, payments
from aftersales.records import EventStatus


def _among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The column is one of several values, which the parameter of its name holds."""
    return column.in_(bindparam(column.key, expanding=True))


_OF_CASE = [cases.c[name] for name in ("process", "order_id", "part", "shop", "opened_at")]

LETTERS: Select[Any] = select(letters, *_OF_CASE).join(cases)
"""Letters, each with the case that it belongs to."""
COMMANDS: Select[Any] = select(commands, *_OF_CASE).join(cases)
"""Commands, each with the case that it belongs to."""
LETTER = LETTERS.where(letters.c.key == bindparam("key"))
LETTER_BY_ID = LETTERS.where(letters.c.message_id == bindparam("message_id")).limit(1)
COMMAND = COMMANDS.where(commands.c.key == bindparam("key"))

_LAST_LETTER = (
    select(func.max(letters.c.claimed_at))
    .where(letters.c.case_id == cases.c.case_id, letters.c.trigger == cases.c.trigger)
    .scalar_subquery()
)
OPEN_CASES = (
    select(cases)
    .where(_among(cases.c.order_id), by_no_index(cases.c.closed_at).is_(None))
    .order_by(_LAST_LETTER.desc().nulls_last(), cases.c.opened_at.desc(), by_code_point(cases.c.case_id))
)
"""The open cases of any of these orders; of one order, that of the newest letter first."""
LAST_CASE = (
    select(cases)
    .where(cases.c.case_id == bindparam("case_id"))
    .order_by(cases.c.opened_at.desc(), cases.c.closed_at.is_(None).desc(), by_code_point(cases.c.trigger))
    .limit(1)
)
LAST_OPENING = (
    select(cases.c.opening)
    .where(cases.c.order_id == bindparam("order_id"), cases.c.opening.is_not(None))
    .order_by(cases.c.opened_at.desc(), by_code_point(cases.c.case_id), by_code_point(cases.c.trigger))
    .limit(1)
)
CASE_OF_COMMAND = (
    select(cases)
    .join(commands)
    .where(commands.c.type == bindparam("type"), commands.c.reference == bindparam("reference"))
    .order_by(commands.c.claimed_at.desc(), by_code_point(commands.c.key))
    .limit(1)
)
GIVEN_BEFORE = (
    select(commands.c.key)
    .select_from(commands.join(cases).outerjoin(payments, payments.c.key == commands.c.key))
    .where(
        cases.c.shop == bindparam("shop"),
        cases.c.order_id == bindparam("order_id"),
        by_no_index(commands.c.type) == bindparam("type"),
        # What a person has done by hand is refused as a command, and confirmed as a payment.
        or_(and_(commands.c.reference.is_not(None), commands.c.refused.is_(None)), payments.c.state == "confirmed"),
        ~and_(cases.c.case_id == bindparam("case_id"), cases.c.trigger == bindparam("trigger")),
    )
    .limit(1)
)
PAYMENTS: Select[Any] = select(payments, *(cases.c[name] for name in ("process", "part", "opened_at"))).join(cases)
"""The money of orders, with the cases that moved it."""
PAID = select(payments.c.amount).where(
    payments.c.shop == bindparam("shop"),
    payments.c.order_id == bindparam("order_id"),
    payments.c.state != "released",
    payments.c.kind != "freight",
)
"""What left for an order or is about to, return freight left out."""
RESERVED = select(payments.c.key).where(payments.c.key == bindparam("key"), payments.c.state == "reserved")
CANCELLED = select(events.c.raw).where(
    events.c.order_id == bindparam("order_id"),
    events.c.type == "order.cancelled",
    events.c.status != EventStatus.REFUSED,
)
OPEN_DISPUTES = select(cases.c.case_id).where(
    cases.c.shop == bindparam("shop"),
    cases.c.order_id == bindparam("order_id"),
    cases.c.process == "dispute",
    cases.c.closed_at.is_(None),
)
"""The cases of disputes about an order that are open."""
CASE_OF_KEY = select(cases).join(commands).where(commands.c.key == bindparam("key"))
_OF_ORDER = (
    select(events)
    .where(events.c.order_id == bindparam("order_id"))
    .order_by(
        func.coalesce(events.c.happened_at, events.c.received_at), events.c.received_at, by_code_point(events.c.id)
    )
)
ANSWERED = select(answered).where(_among(answered.c.sender), _among(answered.c.id))
"""Of any of these senders, with any of these ids: pairs SQLite looks up by reading the whole table."""
ALIASES = select(aliases).where(_among(aliases.c.alias)).order_by(aliases.c.at.desc(), by_code_point(aliases.c.scope))
WAITING_EVENTS = (
    select(events)
    .where(_among(events.c.order_id), by_no_index(events.c.status) == EventStatus.NO_OPEN_CASE)
    .order_by(
        func.coalesce(events.c.happened_at, events.c.received_at), events.c.received_at, by_code_point(events.c.id)
    )
)
"""The events that wait under any of these order ids."""
STATUSES = (
    select(events.c.source, events.c.id, events.c.status)
    .where(_among(events.c.source), _among(events.c.id))
    .order_by(events.c.source, events.c.id)
    .with_for_update()
)
"""The status of events from any of these sources, with any of these ids. PostgreSQL locks them, in one order."""
EVENTS_OF = _OF_ORDER.where(
    events.c.type.in_(bindparam("types", expanding=True)), events.c.status != EventStatus.REFUSED
)
