"""Rows for the figures: goods that left, and what closed cases were about (`spec/processes.md` §20)."""

from __future__ import annotations

import json

import structlog

from adapters.database.rows import Row
from aftersales.events import BadEvent, OrderShipped, parse_event
from aftersales.letter_results import letter_results
from aftersales.losses import losses
from aftersales.outcome import Outcome
from aftersales.records import EventRecord, EventStatus
from aftersales.shipments import lane, shipped

_log = structlog.get_logger(__name__)
_SHIPPED = OrderShipped.model_fields["type"].default


def shipped_rows(record: EventRecord) -> list[Row]:
    """The goods that an event says have left; none for an event of another type, that was refused, or without order.

    One that cannot be read any more, such as one that an earlier version took, must not be in the way of what is
    settled: the log says that its goods are not counted.
    """
    if record.type != _SHIPPED or record.status == EventStatus.REFUSED:
        return []
    try:
        event = parse_event(json.loads(record.raw))
    except (BadEvent, ValueError) as error:
        _log.warning("goods.not_counted", order=record.order_id, told_by=f"{record.source} {record.id}", why=str(error))
        return []
    assert isinstance(event, OrderShipped)
    if event.order is None:
        return []
    lines = shipped(event)
    if too_much := [line.line_id for line in lines if line.capped]:
        why = "they cost more than an amount may be, and count as 999,999,999,999: correct unit_cost in the shop"
        _log.warning("goods.capped", order=event.order_id, parcel=event.parcel.parcel_no, lines=too_much, why=why)
    return [
        {
            "shop": event.order.shop,
            "order_id": event.order_id,
            "parcel_no": event.parcel.parcel_no,
            "line_id": line.line_id,
            "told_by": event.identity,
            "category": line.category,
            "sku": line.sku,
            "carrier": event.parcel.carrier,
            "lane": lane(event),
            "quantity": line.quantity,
            "currency": event.order.currency,
            "cost": line.cost,
            "shipped_at": event.happened_at,
        }
        for line in lines
    ]


def goods_rows(outcome: Outcome) -> list[Row]:
    """What a closed case was about and lost, a row for each line."""
    known = _of_case(outcome) | {
        "result": outcome.result,
        "cause": outcome.cause,
        "currency": outcome.currency,
    }
    return [_named(known | line._asdict()) for line in losses(outcome)]


def letters_rows(outcome: Outcome) -> list[Row]:
    """What became of the letters of a closed case, a row for each."""
    known = _of_case(outcome)
    return [
        _named(
            known
            | {
                "number": result.number,
                "letter": result.written.letter,
                "language": result.written.language,
                "variant": result.written.variant,
                "awaited": result.written.awaited,
                "answered": result.answered,
                "accepted": result.accepted,
                "abandoned": result.abandoned,
                "answer_seconds": result.answer_seconds,
                "sent_at": result.written.sent_at,
            }
        )
        for result in letter_results(outcome)
    ]


def _of_case(outcome: Outcome) -> Row:
    return {
        "case_id": outcome.case_id,
        "trigger": outcome.trigger,
        "shop": outcome.shop,
        "order_id": outcome.order_id,
        "process": outcome.process,
        "closed_at": outcome.closed_at,
    }


def _named(row: Row) -> Row:
    """A row as `Statements.count_goods` and `count_letters` take it."""
    return {f"_{name}": value for name, value in row.items()}
