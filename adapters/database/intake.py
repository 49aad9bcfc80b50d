"""Writing down events as they come in, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from adapters.database import queries
from adapters.database.rows import event_of, event_row
from adapters.database.schema import clean
from adapters.database.statements import Statements
from aftersales.aliases import Alias, of_order, waiting_under
from aftersales.ports import Taken
from aftersales.records import EventRecord, EventStatus

Key = tuple[str, str]


class Asked(NamedTuple):
    """What `EventLedger.take_events` is asked by one caller."""

    records: Sequence[EventRecord]
    told: Sequence[Alias]
    asked: Collection[str]


_KEYS_A_QUERY = 400
"""Two parameters each, below the 999 that old builds of SQLite take."""


def key_of(record: EventRecord) -> Key:
    """Source and id, as they are in the table."""
    return clean(record.source), clean(record.id)


def take(connection: Connection, do: Statements, asked: Sequence[Asked]) -> list[Taken]:
    """See `aftersales.ports.EventLedger.take_events`; for several callers as if they came one behind the other.

    What belongs to all of them is one sequence, so that rows are locked in the order in which every process locks them.
    """
    named = {alias.alias for caller in asked for alias in caller.told}.union(*(caller.asked for caller in asked))
    do.lock_aliases(connection, filter(_is_waited_for, named))
    before = iter(record(connection, do, [one for caller in asked for one in caller.records]))
    # Of two callers that tell the same, the first one sees to what waits for it.
    teller: dict[str, int] = {}
    for number, caller in enumerate(asked):
        for alias in caller.told:
            teller.setdefault(clean(waiting_under(alias.alias)), number)
    awaited: list[list[EventRecord]] = [[] for _ in asked]
    for waiting in learn(connection, do, [alias for caller in asked for alias in caller.told]):
        awaited[teller[waiting.order_id]].append(waiting)
    found = known(connection, {alias for caller in asked for alias in caller.asked})
    return [
        Taken(
            [next(before) for _ in caller.records],
            {alias: found[alias] for alias in caller.asked if alias in found},
            awaited[number],
        )
        for number, caller in enumerate(asked)
    ]


def record(connection: Connection, do: Statements, records: Sequence[EventRecord]) -> list[EventStatus | None]:
    """Write events down; for each the status it had before, None where it is new.

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


def learn(connection: Connection, do: Statements, told: Sequence[Alias]) -> list[EventRecord]:
    """Enter aliases; the events that wait for them, oldest first.

    Not only for those which are new: whoever taught one may have died before it saw to what waited.
    """
    newest: dict[tuple[str, str], Alias] = {}
    for one in told:
        before = newest.get((one.alias, one.scope))
        if before is None or one.at > before.at:
            newest[one.alias, one.scope] = one
    if not newest:
        return []
    entered = [{**newest[key].model_dump(), "scope": newest[key].scope} for key in sorted(newest)]
    connection.execute(do.learn, entered)
    orders = sorted({waiting_under(one.alias) for one in told if _is_waited_for(one.alias)})
    if not orders:
        return []
    found = connection.execute(queries.WAITING_EVENTS, {"order_id": orders}).mappings().all()
    return [event_of(row) for row in found]


def _is_waited_for(alias: str) -> bool:
    """Whether there are events that have nothing but this name of their order: an id of ours is no such name."""
    return not alias.startswith(of_order(""))


def known(connection: Connection, wanted: Iterable[str]) -> dict[str, list[Alias]]:
    """What the aliases stand for, those that are known; the newest first."""
    found: dict[str, list[Alias]] = {}
    every = sorted(set(wanted))
    for start in range(0, len(every), _KEYS_A_QUERY):
        some = every[start : start + _KEYS_A_QUERY]
        for row in connection.execute(queries.ALIASES, {"alias": some}).mappings():
            found.setdefault(row["alias"], []).append(Alias.model_validate(dict(row)))
    return found


def _statuses(connection: Connection, keys: Sequence[Key]) -> dict[Key, EventStatus]:
    """The status of events that are in the table; PostgreSQL keeps them locked until the commit."""
    found: dict[Key, EventStatus] = {}
    for start in range(0, len(keys), _KEYS_A_QUERY):
        sources, ids = zip(*keys[start : start + _KEYS_A_QUERY], strict=True)
        asked = {"source": sorted(set(sources)), "id": sorted(set(ids))}
        for source, id, status in connection.execute(queries.STATUSES, asked):
            found[source, id] = EventStatus(status)
    return found
