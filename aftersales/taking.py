"""Taking an event in: raw as it came, checked, and as it is written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from aftersales.aliases import SENDER, Alias, alias_in, named, pick, waiting_under
from aftersales.events import MAX_BYTES, BadEvent, Event, Message, OrderEvent, parse_event
from aftersales.records import CaseRecord, EventRecord, EventStatus, Unreadable
from aftersales.routing import came_early


class Taken(NamedTuple):
    """An event as it is written down, and parsed: None where it is refused, or its order is not known yet."""

    record: EventRecord
    event: Event | None
    raw: Mapping[str, Any]


def take(raw: object, known: Mapping[str, Sequence[Alias]], now: datetime) -> Taken:
    """Check an event (a decoded JSON object, or `Unreadable`); `known` are the aliases that may stand in it."""
    alias = alias_in(raw)
    found = pick(known, alias, sender_of(raw))
    # One whose order is not known yet is checked as far as it goes, and kept as it came.
    whole = named(raw, found) if alias and isinstance(raw, Mapping) else raw
    text = _text(whole if found else raw)
    try:
        if isinstance(raw, Unreadable):
            raise BadEvent([raw.reason])
        if len(text.encode(errors="replace")) > MAX_BYTES:
            raise BadEvent(
                [f"the event has {len(text):,} characters; the most is {MAX_BYTES:,}: send documents as links"]
            )
        event = parse_event(whole)
    except BadEvent as bad:
        return Taken(_refused(bad, text, now), None, {})
    assert isinstance(whole, Mapping)
    record = EventRecord(
        source=event.source,
        id=event.id,
        order_id=event.order_id,
        type=event.type,
        happened_at=event.happened_at,
        received_at=now,
        raw=text,
    )
    if alias and not found:
        detail = f"no order is known as {alias} yet; it is kept until one is"
        waits = {"status": EventStatus.NO_OPEN_CASE, "detail": detail, "order_id": waiting_under(alias)}
        return Taken(record.model_copy(update=waits), None, whole)
    return Taken(record, event, whole)


def sent_by(raw: object, shop: str) -> object:
    """The event with the shop for which its sender speaks, which it cannot say itself."""
    return {**raw, SENDER: shop} if shop and isinstance(raw, Mapping) else raw


def sender_of(raw: object) -> str:
    """The shop for which the sender of an event speaks; empty where it speaks for all."""
    return str(raw.get(SENDER) or "") if isinstance(raw, Mapping) else ""


WRITER = "mailfrom"
"""The attribute of an event that a mail became: the address that wrote it."""


def writer_of(event: Event, raw: Mapping[str, Any]) -> str:
    """The address that wrote the mail which an event is, in lower case; empty for one that came another way."""
    return str(raw.get(WRITER) or "").strip().lower() if isinstance(event, Message) else ""


def foreign(event: Event, raw: Mapping[str, Any], owners: Sequence[Alias]) -> str:
    """Why an event may not be taken as it is about another shop's order; empty where it may."""
    sender, owned = sender_of(raw), owners[0].shop if owners else ""
    told = event.order.shop if isinstance(event, OrderEvent) and event.order else owned
    if sender and told and told != sender:
        return f"data.order.shop: the order is of {told}, and the sender speaks for {sender} only"
    if owned and told != owned:
        return (
            f"data.order.shop: {event.order_id} is an order of {owned} already, not of {told}; "
            "give the order ids of one of the two a prefix"
        )
    return ""


def early(
    record: EventRecord, case: CaseRecord, hears: Mapping[str, tuple[type[Event], ...]], since: datetime
) -> Event | None:
    """The event of a record that no case awaited, where it is for one that opened later, about what began then."""
    raw = json.loads(record.raw)
    event = parse_event(raw)
    mine = sender_of(raw) in {case.shop, ""}
    return event if mine and came_early(event, case, hears, since) else None


def _text(raw: object) -> str:
    text = raw.text if isinstance(raw, Unreadable) else json.dumps(raw, ensure_ascii=False)
    return text.replace("\0", "\\u0000")


def _refused(bad: BadEvent, text: str, now: datetime) -> EventRecord:
    # Without an identity of its own a refused event is known by its content.
    identity = bad.id or f"sha256:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"
    return EventRecord(
        source=bad.source,
        id=identity,
        order_id=bad.order_id,
        type=bad.type,
        received_at=now,
        status=EventStatus.REFUSED,
        detail="; ".join(bad.problems),
        raw=text,
    )
