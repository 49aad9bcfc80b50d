"""The ledger of limits that were crossed, each once (`aftersales.limits`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Update, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from typing_extensions import override

from adapters.database.engines import Database
from adapters.database.schema import clean, warnings
from adapters.database.writer import Writer
from aftersales.figures import Warned
from aftersales.limits import Crossing, compared
from aftersales.ports import WarningLedger

COMPARED = "compared"
"""The kind of a row that is no warning: until when the limits of its shop have been compared."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_CROSSINGS: Select[Any] = select(warnings).where(warnings.c.kind != COMPARED)


class Warnings(WarningLedger):
    """The ledger in a database; `aftersales.ports` says what each method does."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._writer = database, writer
        insert: Any = postgresql.insert if database.url.get_backend_name() == "postgresql" else sqlite.insert
        into = insert(warnings)
        self._compared = into.on_conflict_do_update(
            index_elements=warnings.primary_key.columns,
            set_={"until": into.excluded.until},
            where=warnings.c.until < into.excluded.until,
        ).returning(warnings.c.until)
        self._open = insert(warnings).on_conflict_do_nothing()

    @override
    async def settle(self, shop: str, at: datetime, seen: Sequence[Warned]) -> None:
        mark = {"shop": shop, "kind": COMPARED, "subject": "", "since": _BEGINNING, "until": at, "what": ""}
        mine = _CROSSINGS.where(warnings.c.shop == clean(shop))

        def settle(connection: Connection) -> None:
            # Also the lock: of two comparisons of a shop at once, the second waits here for the first.
            if connection.execute(self._compared, {**mark, "told_at": at}).first() is None:
                return
            running = connection.execute(mine.where(warnings.c.until.is_(None))).mappings().all()
            changes = compared(shop, at, seen, map(_crossing, running))
            for each in changes.opened:
                connection.execute(self._open, _row(each))
            for each in changes.closed:
                connection.execute(_of(each).values(until=at))

        await self._writer.transaction(settle)

    @override
    async def untold(self) -> list[Crossing]:
        return await self._all(and_(warnings.c.told_at.is_(None), warnings.c.until.is_(None)))

    @override
    async def told(self, crossing: Crossing, at: datetime) -> None:
        tell = _of(crossing).where(warnings.c.told_at.is_(None)).values(told_at=at)
        await self._writer.transaction(lambda connection: connection.execute(tell))

    @override
    async def open(self, shop: str | None = None) -> list[Crossing]:
        return [each for each in await self._all(warnings.c.until.is_(None)) if shop in (None, each.seen.shop)]

    @override
    async def stopped(self, shop: str) -> frozenset[str]:
        mine = warnings.c.shop.in_(["", clean(shop)])
        query = select(warnings.c.subject).where(warnings.c.kind == "claims", warnings.c.until.is_(None), mine)
        return await self._database.read(lambda connection: frozenset(connection.execute(query).scalars()))

    @override
    async def start_again(self, variant: str, at: datetime, shop: str | None = None) -> list[Crossing]:
        stopped = [each for each in await self.open(shop) if (each.seen.kind, each.seen.subject) == ("claims", variant)]

        def end(connection: Connection) -> None:
            for each in stopped:
                # A row that ends before it begins would not be one that ended.
                connection.execute(_of(each).values(until=max(at, each.seen.since)))

        await self._writer.transaction(end)
        return stopped

    async def _all(self, which: Any) -> list[Crossing]:
        query = _CROSSINGS.where(which).order_by(warnings.c.since, warnings.c.shop, warnings.c.kind, warnings.c.subject)
        return await self._database.read(
            lambda connection: [_crossing(row) for row in connection.execute(query).mappings().all()]
        )


def _row(crossing: Crossing) -> dict[str, Any]:
    seen = crossing.seen
    known = seen.model_dump(include={"shop", "kind", "subject", "since"})
    return {**known, "until": crossing.until, "told_at": crossing.told_at, "what": seen.model_dump_json()}


def _crossing(row: RowMapping) -> Crossing:
    return Crossing(seen=Warned.model_validate_json(row["what"]), until=row["until"], told_at=row["told_at"])


def _of(crossing: Crossing) -> Update:
    """The row of a crossing."""
    seen = crossing.seen
    return update(warnings).where(
        warnings.c.shop == clean(seen.shop),
        warnings.c.kind == seen.kind,
        warnings.c.subject == clean(seen.subject),
        warnings.c.since == seen.since,
    )
