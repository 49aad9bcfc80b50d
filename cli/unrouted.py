"""The events that reached no case, as `cases --unrouted` lists them."""

from __future__ import annotations

import json
from datetime import datetime

from adapters.database import Store, open_store
from adapters.settings import Settings
from aftersales.records import EventRecord, EventStatus
from cli.send import fields, told
from cli.show import cell, console, emit, moment, table

MOST = 10_000
"""Events read to find the oldest."""
UNROUTED = (EventStatus.NO_OPEN_CASE, EventStatus.FOR_A_PERSON, EventStatus.REFUSED)
"""What became of events that somebody must look at."""


async def unrouted(store: Store, order: str | None, limit: int) -> list[EventRecord]:
    """The events that reached no case, or one that has no rule for them, the oldest first."""
    lists = [await store.views.events(status=status, order_id=order, limit=MOST) for status in UNROUTED]
    return sorted((record for some in lists for record in some), key=_received)[:limit]


async def list_unrouted(settings: Settings, order: str | None, limit: int, as_json: bool) -> int:
    """List them with why and what the customer wrote; returns the exit code."""
    async with open_store(settings.store) as store:
        found = await unrouted(store, order, limit)
    if as_json:
        for record in found:
            emit({**fields(record), "text": _words(record)})
        return 0
    screen = console()
    rows = table("received (UTC)", "id", "source", "type", "order", "why", "says")
    for record in found:
        texts = (record.id, record.source, record.type, record.order_id, told(record), _words(record)[:200])
        rows.add_row(moment(record.received_at), *map(cell, texts))
    if found:
        screen.print(rows)
        screen.print("./dev route EVENT --by NAME, with --to CASE or --as TYPE, sends one where it belongs")
    else:
        screen.print("every event reached a case")
    return 0


def _words(record: EventRecord) -> str:
    """What a customer wrote in an event; empty where it holds no such words."""
    try:
        text = json.loads(record.raw)["data"]["text"]
    except (ValueError, LookupError, TypeError):
        return ""
    return text if isinstance(text, str) else ""


def _received(record: EventRecord) -> tuple[datetime, str]:
    return record.received_at, record.id
