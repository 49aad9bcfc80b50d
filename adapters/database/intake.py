"""Writing down events as they come in, many at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, tuple_

from adapters.database.rows import event_row
from adapters.database.schema import clean, events
from adapters.database.statements import Statements
from aftersales.records import EventRecord, EventStatus

Key = tuple[str, str]

_KEYS_A_QUERY = 400
"""Two parameters each, below the 999 that old builds of SQLite take."""


def key_of(record: EventRecord) -> Key:
    """Source and id, as they are in the table."""
    return clean(record.source), clean(record.id)


def record(connection: Connection, do: Statements, records: Sequence[EventRecord]) -> list[EventStatus | None]:
    """See `aftersales.ports.EventLedger.record_events`.

    What is new is found by inserting, not by looking: so two processes never both find an event new.
    """
    first: dict[Key, EventRecord] = {}
    for one in records:
        first.setdefault(key_of(one), one)
    keys = sorted(first)  # one order for all, so that two processes on PostgreSQL never wait for each other
    inserted = connection.execute(do.new_events, [event_row(first[key]) for key in keys])
    new = {(source, id) for source, id in inserted}
    status = _statuses(connection, [key for key in keys if key not in new])

    before: list[EventStatus | None] = []
    replaced: dict[Key, EventRecord] = {}
    for one in records:
        key = key_of(one)
        before.append(status.get(key))
        if before[-1] in {None, EventStatus.REFUSED}:
            status[key] = one.status
            if before[-1]:
                replaced[key] = one
    if replaced:
        connection.execute(do.replace_refused, [event_row(replaced[key]) for key in sorted(replaced)])
    return before


def _statuses(connection: Connection, keys: Sequence[Key]) -> dict[Key, EventStatus]:
    """The status of events that are in the table; PostgreSQL keeps them locked until the commit."""
    found: dict[Key, EventStatus] = {}
    for start in range(0, len(keys), _KEYS_A_QUERY):
        some = tuple_(events.c.source, events.c.id).in_(keys[start : start + _KEYS_A_QUERY])
        query = select(events.c.source, events.c.id, events.c.status).where(some).with_for_update()
        for source, id, status in connection.execute(query):
            found[source, id] = EventStatus(status)
    return found
