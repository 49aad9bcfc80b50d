"""Filling the tables of revision 0004 from what a database holds already. Part of that migration: it stays as it is.

It reads plain JSON and no values of `aftersales`, as those may look otherwise one day. What it writes is what
`counted.py` wrote when this was made; a test compares the two.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]

_log = structlog.get_logger(__name__)
_BATCH = 1_000
"""Rows that are in memory at a time."""
_TIME = sa.DateTime(timezone=True)
_MOST = 999_999_999_999
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_LOST = ("refund", "compensation", "freight", "gift", "reship", "claim_lost")
_FELL_SILENT = {"abandoned", "lapsed", "no_evidence", "not_shipped", "refused", "unpaid"}


def _table(name: str, *columns: str, **typed: Any) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns), *(sa.column(column, kind) for column, kind in typed.items()))


_EVENTS = _table("events", "source", "id", "order_id", "type", "status", "raw", happened_at=_TIME)
_OUTCOMES = _table("outcomes", "case_id", "trigger", document=sa.JSON, closed_at=_TIME)
_COUNTS = ("messages", "replies", "replied_in_time", "reply_seconds")
_COUNTED = _table("outcomes", "case_id", "trigger", *_COUNTS)
_SHIPPED = _table(
    "shipped_goods",
    *("shop", "order_id", "parcel_no", "line_id", "told_by", "category", "sku", "carrier", "lane", "quantity"),
    *("currency", "cost"),
    shipped_at=_TIME,
)
_KEYS = ("shop", "order_id", "parcel_no", "line_id")
_OF_CASE = ("case_id", "trigger", "shop", "order_id", "process")
_GOODS = _table(
    "case_goods",
    *(*_OF_CASE, "line_id", "result", "cause", "category", "sku", "quantity", "currency", "loss"),
    closed_at=_TIME,
)
_LETTERS = _table(
    "case_letters",
    *(*_OF_CASE, "number", "letter", "language", "variant", "awaited", "answered", "accepted", "abandoned"),
    answer_seconds=sa.Float,
    sent_at=_TIME,
    closed_at=_TIME,
)


def fill(connection: sa.Connection) -> None:
    """Fill the tables, some rows at a time; an event that cannot be read is left out, and the log names it."""
    _fill_shipped(connection)
    _fill_outcomes(connection)


def _fill_shipped(connection: sa.Connection) -> None:
    shipped = _EVENTS.c.type == "order.shipped", _EVENTS.c.status != "refused", _EVENTS.c.happened_at.is_not(None)
    for events in _parts(connection, _EVENTS, ("source", "id"), *shipped):
        rows = []
        for event in events:
            try:
                rows += _shipped(event)
            except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
                told_by = f"{event['source']} {event['id']}"
                _log.warning("goods.not_counted", order=event["order_id"], told_by=told_by, why=repr(error))
        if rows:
            connection.execute(_first_counts(connection.dialect.name), rows)


def _fill_outcomes(connection: sa.Connection) -> None:
    same = _COUNTED.c.case_id == sa.bindparam("_case_id"), _COUNTED.c.trigger == sa.bindparam("_trigger")
    counts = sa.update(_COUNTED).where(*same).values({name: sa.bindparam(f"_{name}") for name in _COUNTS})
    for outcomes in _parts(connection, _OUTCOMES, ("case_id", "trigger")):
        connection.execute(sa.insert(_GOODS), [row for outcome in outcomes for row in _goods(outcome)])
        if letters := [row for outcome in outcomes for row in _letters(outcome)]:
            connection.execute(sa.insert(_LETTERS), letters)
        if counted := [row for outcome in outcomes if (row := _replies(outcome))]:
            connection.execute(counts, counted)


def _parts(
    connection: sa.Connection, table: sa.TableClause, keys: tuple[str, str], *where: sa.ColumnElement[bool]
) -> Iterator[list[Row]]:
    """The rows of a table in the order of their keys."""
    first, second = (table.c[key] for key in keys)
    query = sa.select(table).where(*where).order_by(first, second).limit(_BATCH)
    last: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    while last:
        yield last
        one, two = (last[-1][key] for key in keys)
        behind = sa.or_(first > one, sa.and_(first == one, second > two))
        last = [dict(row) for row in connection.execute(query.where(behind)).mappings()]


def _first_counts(dialect: str) -> sa.Insert:
    """Of several events about a line of a parcel that counts which happened first."""
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    into = insert(_SHIPPED)
    told_by: Any = sa.collate(into.excluded.told_by, "C") if dialect == "postgresql" else into.excluded.told_by
    earlier = into.excluded.shipped_at < _SHIPPED.c.shipped_at
    tied = sa.and_(into.excluded.shipped_at == _SHIPPED.c.shipped_at, told_by < _SHIPPED.c.told_by)
    told = {column.name: into.excluded[column.name] for column in _SHIPPED.c if column.name not in _KEYS}
    statement: sa.Insert = into.on_conflict_do_update(index_elements=_KEYS, set_=told, where=sa.or_(earlier, tied))
    return statement


def _shipped(event: Row) -> list[Row]:
    """An event was read when it came in, and this reads it as generously: numbers may be texts."""
    data = json.loads(event["raw"])["data"]
    order, parcel = data.get("order"), data["parcel"]
    if not order or event["order_id"].startswith("? "):
        return []
    named = Counter[str]()
    for line in data.get("lines") or ():
        named[_name(line["line_id"])] += _whole(line.get("quantity", 1))
    carrier = _name(parcel["carrier"])
    origin, destination, lane = (_safe(parcel.get(key, "")) for key in ("origin", "destination", "lane"))
    known = {
        "shop": _name(order["shop"]),
        "order_id": event["order_id"],
        "parcel_no": _name(parcel["parcel_no"]),
        "told_by": f"{event['source']} {event['id']}",
        "carrier": carrier,
        "lane": lane or f"{carrier}:{origin}>{destination}",
        "currency": _safe(order["currency"]),
        "shipped_at": _utc(event["happened_at"]),
    }
    rows = []
    for item in order["items"]:
        line_id, most = _name(item["line_id"]), _whole(item["quantity"])
        if not named or line_id in named:
            quantity = min(named.get(line_id, most), most)
            cost = min(Decimal(item["unit_cost"]) * quantity, Decimal(_MOST))
            goods = {"line_id": line_id, "category": _name(item["category"]), "sku": _name(item["sku"])}
            rows.append(known | goods | {"quantity": quantity, "cost": int(cost.scaleb(4))})
    return rows


def _goods(outcome: Row) -> list[Row]:
    document = outcome["document"]
    known = {name: document[name] for name in (*_OF_CASE, "result", "cause", "currency")} | _key(outcome)
    amounts = {kind: _units(amount) for kind, amount in document["amounts"].items()}
    money = sum(amounts.get(kind, 0) for kind in _LOST) - amounts.get("recovered", 0)
    goods = document.get("goods", ())
    if not goods:
        return [known | {"line_id": "", "category": "", "sku": "", "quantity": 0, "loss": money}]
    weights = [_units(line["value"]) for line in goods]
    parts = _split(money, weights if any(weights) else [line["quantity"] for line in goods])
    pays = bool(amounts.get("refund") or amounts.get("reship"))
    rows = []
    for line, part in zip(goods, parts, strict=True):
        back = _units(line["cost"]) * line.get("back", 0) // line["quantity"] if pays else 0
        named = {name: line[name] for name in ("line_id", "category", "sku", "quantity")}
        rows.append(known | named | {"loss": part - back})
    return rows


def _split(whole: int, weights: list[int]) -> list[int]:
    total = sum(weights)
    parts = [whole * weight // total for weight in weights]
    largest = sorted(range(len(weights)), key=lambda number: (-(whole * weights[number] % total), number))
    for number in largest[: whole - sum(parts)]:
        parts[number] += 1
    return parts


def _letters(outcome: Row) -> list[Row]:
    document = outcome["document"]
    letters = document.get("letters", ())
    known = {name: document[name] for name in _OF_CASE} | _key(outcome)
    reminders = [_reminder(letters, number) for number in range(len(letters))]
    abandoned = _abandoned(document["result"], letters, reminders)
    rows = []
    for number, letter in enumerate(letters):
        reminder = letters[reminders[number]] if reminders[number] else {}
        sent_at = datetime.fromisoformat(letter["sent_at"])
        answers = [datetime.fromisoformat(at) for one in (letter, reminder) if (at := one.get("answered_at"))]
        rows.append(
            known
            | {
                "number": number,
                "letter": letter["letter"],
                "language": letter["language"],
                "variant": letter.get("variant", ""),
                "awaited": bool(letter.get("awaited")),
                "answered": bool(answers),
                "accepted": bool(letter.get("accepted") or reminder.get("accepted")),
                "abandoned": number in abandoned,
                "answer_seconds": (min(answers) - sent_at).total_seconds() if answers else None,
                "sent_at": sent_at.astimezone(UTC),
            }
        )
    return rows


def _abandoned(result: str, letters: list[Row], reminders: list[int]) -> set[int]:
    awaited = [number for number, letter in enumerate(letters) if letter.get("awaited")]
    if result not in _FELL_SILENT or not awaited:
        return set()
    last = awaited[-1]
    if letters[last].get("answered_at") or any(letter.get("called_off") for letter in letters[last:]):
        return set()
    return {last, *(n for n in awaited if reminders[n] == last and not letters[n].get("answered_at"))}


def _reminder(letters: list[Row], number: int) -> int:
    """The number of a letter's reminder; 0, which none can have, where there is none."""
    name = letters[number]["letter"]
    for later in range(number + 1, len(letters)):
        if letters[later]["letter"] == name:
            return 0
        if letters[later]["letter"] == f"{name}-reminder":
            return later
    return 0


def _replies(outcome: Row) -> Row:
    """How often the customer wrote and was answered; nothing of a case that did not count it."""
    document = outcome["document"]
    if not document.get("messages"):
        return {}
    replies = document.get("replies", ())
    return {
        "_case_id": outcome["case_id"],
        "_trigger": outcome["trigger"],
        "_messages": document["messages"],
        "_replies": len(replies),
        "_replied_in_time": document.get("replied_in_time", 0),
        "_reply_seconds": math.fsum(replies),
    }


def _key(outcome: Row) -> Row:
    """What is in columns of its own, as it is there."""
    return {"case_id": outcome["case_id"], "trigger": outcome["trigger"], "closed_at": _utc(outcome["closed_at"])}


def _utc(moment: datetime) -> datetime:
    """SQLite gives moments without their offset."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _units(amount: str) -> int:
    return int(Decimal(amount).scaleb(4))


def _whole(number: Any) -> int:
    return int(Decimal(str(number)))


def _name(text: Any) -> str:
    return _safe(text).strip()


def _safe(text: Any) -> str:
    return _UNSAFE.sub("", str(text or ""))
