"""What running cases write through: the ledgers of letters, commands, cases and events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping, Select
from typing_extensions import override

from adapters.database import counted, queries, rows
from adapters.database.addresses import DatabaseUnusable
from adapters.database.engines import Database, connect
from adapters.database.figures import FiguresView
from adapters.database.intake import Asked, key_of, known, take
from adapters.database.later import Later
from adapters.database.outages import DatabaseAway
from adapters.database.schema import clean
from adapters.database.settings import DatabaseSettings
from adapters.database.statements import Statements
from adapters.database.upgrade import bring_up_to_date
from adapters.database.views import Views
from adapters.database.warnings import Warnings
from adapters.database.writer import Writer
from adapters.together import Together
from aftersales.aliases import Alias
from aftersales.outcome import Outcome
from aftersales.ports import CaseLedger, CommandLedger, EventLedger, LetterLedger, Taken
from aftersales.records import (
    AnsweredRequest,
    CaseRecord,
    CaseRef,
    CommandRecord,
    EventRecord,
    LetterRecord,
    PaymentRecord,
)

_AT_A_TIME = 32
"""Callers whose events are taken, or whose question is answered, together."""


@asynccontextmanager
async def open_store(where: str | DatabaseSettings, *, lazy: bool = False) -> AsyncIterator[Store]:
    """The store in a database, given by its settings or its URL alone; every write asked for is done when it closes.

    The database is brought to the newest revision, where the settings do not forbid it. A `lazy` store opens while the
    database is away, too; until that is back, all that is asked of it raises `Unavailable`.

    Raises:
        DatabaseUnusable: the database cannot be opened, is too old, or was written by a newer version.
    """
    settings = where if isinstance(where, DatabaseSettings) else DatabaseSettings.of(where)
    async with connect(settings) as database:
        opened: Database = database
        try:
            await bring_up_to_date(database, allowed=settings.auto_upgrade)
        except DatabaseUnusable as error:
            if not (lazy and isinstance(error.__cause__, DatabaseAway)):
                raise
            opened = later = Later(database, allowed=settings.auto_upgrade)
            later.away(error)
        store = Store(opened)
        try:
            yield store
        finally:
            await store.close()


class Store(LetterLedger, CommandLedger, CaseLedger, EventLedger):
    """The ledgers; `aftersales.ports` says what each method does.

    Each one that writes returns when its changes are committed, all of them or none, and may be repeated. While the
    database does not answer, each raises `DatabaseAway`. `views` and `figures` are for people,
    `warnings` is the ledger of limits.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = Writer(database)
        self._do = Statements(database.url.get_backend_name())
        self._takes = self._writer.together(partial(_take, self._do), most=_AT_A_TIME)
        self._open_cases = self._asked(queries.OPEN_CASES, "order_id")
        self._waiting = self._asked(queries.WAITING_EVENTS, "order_id")
        self._answered = self._asked(queries.ANSWERED, "sender", "id")
        self.views = Views(database)
        self.figures = FiguresView(database)
        self.warnings = Warnings(database, self._writer)

    async def close(self) -> None:
        """Wait for what is under way."""
        for each in (self._takes, self._open_cases, self._waiting, self._answered):
            await each.close()
        await self._writer.close()

    async def letter(self, key: str) -> LetterRecord | None:
        """The letter with this key; None where none was claimed."""
        row = await self._first(queries.LETTER, key=clean(key))
        return rows.letter_of(row) if row else None

    @override
    async def claim_letter(self, record: LetterRecord) -> LetterRecord:
        free = await self._writer.write(
            (self._do.know_case, [rows.case_row(record.case)]),
            (self._do.claim_letter, [rows.letter_row(record)]),
            claims=clean(record.key),
        )
        return record if free else await self.letter(record.key) or record

    @override
    async def letter_sent(self, key: str, *, at: datetime, reference: str) -> None:
        """Told twice, the first `at` and `reference` stay.

        Raises:
            LookupError: no letter was claimed with this key.
        """
        row = {"_key": key, "_sent_at": at, "_reference": reference}
        await self._writer.write((self._do.letter_sent, [row]))

    async def letter_with(self, message_id: str) -> LetterRecord | None:
        """The letter with this Message-ID; None where it is none of ours."""
        row = await self._first(queries.LETTER_BY_ID, message_id=clean(message_id))
        return rows.letter_of(row) if row else None

    async def letter_bounced(self, message_id: str, why: str) -> LetterRecord | None:
        """Write down that a letter came back; None where no letter of ours has this Message-ID."""
        letter = await self.letter_with(message_id)
        if letter:
            await self._writer.write((self._do.letter_bounced, [{"_key": clean(letter.key), "_bounced": why}]))
        return letter

    @override
    async def letter_tried(self, key: str, *, at: datetime, after: datetime | None) -> bool:
        row = {"_key": clean(key), "_at": at, "_after": after}

        def mark(connection: Connection) -> bool:
            return connection.execute(self._do.letter_tried, row).rowcount == 1

        return await self._writer.transaction(mark)

    @override
    async def letter_not_sent(self, key: str, *, at: datetime) -> None:
        await self._writer.write((self._do.letter_not_sent, [{"_key": clean(key), "_at": at}]))

    async def command(self, key: str) -> CommandRecord | None:
        """The command with this key; None where none was claimed."""
        row = await self._first(queries.COMMAND, key=clean(key))
        return rows.command_of(row) if row else None

    @override
    async def claim_command(self, record: CommandRecord) -> CommandRecord:
        free = await self._writer.write(
            (self._do.know_case, [rows.case_row(record.case)]),
            (self._do.claim_command, [rows.command_row(record)]),
            claims=clean(record.key),
        )
        return record if free else await self.command(record.key) or record

    @override
    async def command_accepted(self, key: str, *, at: datetime, reference: str) -> None:
        """Told twice, the first `at` and `reference` stay.

        Raises:
            LookupError: no command was claimed with this key.
        """
        row = {"_key": key, "_accepted_at": at, "_reference": reference}
        confirmed = (self._do.payment_confirmed, [{"_key": key}])
        await self._writer.write((self._do.command_accepted, [row]), confirmed)

    @override
    async def command_refused(self, key: str, *, reason: str) -> None:
        """Told twice, the first `reason` stays.

        Raises:
            LookupError: no command was claimed with this key.
        """
        released = (self._do.payment_released, [{"_key": key}])
        await self._writer.write((self._do.command_refused, [{"_key": key, "_refused": reason}]), released)

    @override
    async def reserve(self, payment: PaymentRecord, *, cap: Decimal | None) -> Decimal | None:
        def enter(connection: Connection) -> Decimal | None:
            self._do.lock_order(connection, payment.case)
            connection.execute(self._do.enter_payment, [rows.payment_row(payment)])
            if cap is None or payment.kind == "freight":
                return None
            order = {"shop": payment.case.shop, "order_id": payment.case.order_id}
            total = sum(map(Decimal, connection.execute(queries.PAID, order).scalars()), Decimal(0))
            cancelled = connection.execute(queries.CANCELLED, {"order_id": payment.case.order_id}).scalars()
            if any(json.loads(raw)["data"].get("refunded") for raw in cancelled):
                total += cap
            if total <= cap:
                return None
            connection.execute(self._do.payment_released, [{"_key": clean(payment.key)}])
            return total

        return await self._writer.transaction(enter)

    @override
    async def is_reserved(self, key: str) -> bool:
        return await self._first(queries.RESERVED, key=clean(key)) is not None

    @override
    async def charge(self, payment: PaymentRecord) -> None:
        await self._writer.write(
            (self._do.know_case, [rows.case_row(payment.case)]),
            (self._do.enter_payment, [rows.payment_row(payment)]),
            (self._do.payment_confirmed, [{"_key": clean(payment.key)}]),
        )

    @override
    async def given_before(self, type: str, *, case: CaseRef) -> bool:
        known = case.model_dump(include={"shop", "order_id", "case_id", "trigger"})
        return await self._first(queries.GIVEN_BEFORE, type=type, **known) is not None

    @override
    async def open_disputes(self, *, shop: str, order_id: str) -> list[str]:
        found = await self._all(queries.OPEN_DISPUTES, shop=shop, order_id=order_id)
        return [str(row["case_id"]) for row in found]

    @override
    async def open_case(self, record: CaseRecord) -> None:
        await self._writer.write((self._do.open_case, [record.model_dump()]))

    @override
    async def close_case(self, outcome: Outcome) -> None:
        await self._writer.write(
            (self._do.outcome, [rows.outcome_row(outcome)]),
            (self._do.count_goods, counted.goods_rows(outcome)),
            (self._do.count_letters, counted.letters_rows(outcome)),
            (self._do.close_case, [rows.closed_case_row(outcome)]),
        )

    @override
    async def hand_back(self, identity: str, *, case_id: str, detail: str) -> None:
        """What is done by hand already stays so; an event that is not in the ledger is put there."""
        row = rows.handed_back_row(identity, case_id=case_id, detail=detail, at=datetime.now(UTC))
        await self._writer.write((self._do.hand_back, [row]))

    @override
    async def open_cases(self, order_id: str) -> list[CaseRecord]:
        return [_case(row) for row in await self._open_cases.ask((clean(order_id),))]

    @override
    async def last_case(self, case_id: str) -> CaseRecord | None:
        row = await self._first(queries.LAST_CASE, case_id=case_id)
        return _case(row) if row else None

    @override
    async def last_opening(self, order_id: str) -> str | None:
        row = await self._first(queries.LAST_OPENING, order_id=order_id)
        return str(row["opening"]) if row else None

    @override
    async def case_of_command(self, *, type: str, reference: str) -> CaseRecord | None:
        """Where several have it, the one whose command is the newest."""
        row = await self._first(queries.CASE_OF_COMMAND, type=type, reference=reference)
        return _case(row) if row else None

    @override
    async def case_of_key(self, key: str) -> CaseRecord | None:
        row = await self._first(queries.CASE_OF_KEY, key=key)
        return _case(row) if row else None

    @override
    async def take_events(self, records: Sequence[EventRecord], told: Sequence[Alias], asked: Collection[str]) -> Taken:
        """One that stands twice among `records` is taken twice: the second time its status is what the first left.

        Of two processes that record the same event at the same time, one gets None.
        """
        if not records:
            return Taken([], {}, [])
        return await self._takes.ask(Asked(records, told, asked))

    @override
    async def aliases(self, wanted: Collection[str]) -> Mapping[str, Sequence[Alias]]:
        return await self._database.read(lambda connection: known(connection, wanted))

    async def answered(self, sender: str, id: str) -> AnsweredRequest | None:
        """What a request of this sender was answered; None where it is new."""
        found = await self._answered.ask((clean(sender), clean(id)))
        return AnsweredRequest.model_validate(dict(found[0])) if found else None

    async def keep_answer(self, answered: AnsweredRequest) -> None:
        """Keep what a request was answered; an answer that is there already stays."""
        await self._writer.write((self._do.answered, [answered.model_dump()]))

    async def forget_answers(self, before: datetime) -> None:
        """Forget what was answered before a moment."""
        await self._writer.transaction(lambda connection: connection.execute(self._do.forget, {"before": before}))

    @override
    async def settle_events(self, records: Sequence[EventRecord]) -> None:
        """One that a case handed back meanwhile stays for a person, though it was started or signalled.

        What they say has been shipped is counted with it.
        """
        if records:
            settled = [rows.event_row(record) for record in sorted(records, key=key_of)]
            shipped = [row for record in records for row in counted.shipped_rows(record)]
            await self._writer.write((self._do.settle_event, settled), (self._do.count_shipped, shipped))

    @override
    async def events_of(self, order_id: str, types: Sequence[str]) -> list[EventRecord]:
        return [rows.event_of(row) for row in await self._all(queries.EVENTS_OF, order_id=order_id, types=list(types))]

    @override
    async def waiting_events(self, order_id: str) -> list[EventRecord]:
        return [rows.event_of(row) for row in await self._waiting.ask((clean(order_id),))]

    def _asked(self, query: Select[Any], *columns: str) -> Together[tuple[str, ...], Sequence[RowMapping]]:
        """A question that every event asks, for many at a time: the rows whose `columns` are as asked.

        The parameters of the query have their names, and hold all values of each.
        """

        def find(asked: Sequence[tuple[str, ...]], connection: Connection) -> list[list[RowMapping]]:
            found: dict[tuple[str, ...], list[RowMapping]] = {key: [] for key in asked}
            values = {column: sorted(set(some)) for column, some in zip(columns, zip(*asked, strict=True), strict=True)}
            for row in connection.execute(query, values).mappings():
                if (key := tuple(row[column] for column in columns)) in found:
                    found[key].append(row)
            return [found[key] for key in asked]

        async def read(asked: Sequence[tuple[str, ...]]) -> list[list[RowMapping]]:
            return await self._database.read(partial(find, asked))

        return Together(read, most=_AT_A_TIME)

    async def _first(self, query: Select[Any], **values: str) -> RowMapping | None:
        return await self._database.read(lambda connection: connection.execute(query, values).mappings().first())

    async def _all(self, query: Select[Any], **values: str | list[str]) -> Sequence[RowMapping]:
        return await self._database.read(lambda connection: connection.execute(query, values).mappings().all())


def _take(do: Statements, connection: Connection, asked: Sequence[Asked]) -> list[Taken]:
    return take(connection, do, asked)


def _case(row: RowMapping) -> CaseRecord:
    return CaseRecord.model_validate(dict(row))
