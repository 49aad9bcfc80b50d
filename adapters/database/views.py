"""What people read: lists, the story of a case, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, select, text

from adapters.database import queries, rows
from adapters.database.engines import Database
from adapters.database.ordering import by_code_point
from adapters.database.schema import cases, commands, events, letters, outcomes, payments
from aftersales.ids import parse_case_id
from aftersales.model import Model, Time
from aftersales.outcome import Outcome
from aftersales.records import CaseRecord, CommandRecord, EventRecord, EventStatus, LetterRecord, PaymentRecord


class CaseLine(CaseRecord):
    """A case in a list: with the name of its newest letter and how many there are."""

    last_letter: str | None
    letters: int


class StoryLine(Model):
    """Something that happened in a case, and when: what came, a letter or a command as it stands now, the end."""

    at: Time
    what: EventRecord | LetterRecord | CommandRecord | Outcome


class Summary(Model):
    """How many there are of what. `outcomes` counts by process, then result."""

    cases_open: int
    cases_closed: int
    letters: dict[str, int]
    commands: dict[str, int]
    outcomes: dict[str, dict[str, int]]
    events: dict[EventStatus, int]


_REVISION = text("SELECT version_num FROM alembic_version")


class Views:
    """Reading for the command line. Lists come newest first unless said otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> str:
        """The revision that the database is at: the least that can be asked of it."""
        found = await self._database.read(lambda connection: connection.execute(_REVISION).scalar_one())
        return str(found)

    async def cases(
        self,
        *,
        order_id: str | None = None,
        process: str | None = None,
        open_only: bool = False,
        limit: int = 100,
    ) -> list[CaseLine]:
        """Runs of cases, the newest first; `limit` is the most to return."""
        of_case = and_(letters.c.case_id == cases.c.case_id, letters.c.trigger == cases.c.trigger)
        latest = (letters.c.claimed_at.desc(), by_code_point(letters.c.key))
        newest = select(letters.c.letter).where(of_case).order_by(*latest).limit(1)
        count = select(func.count()).where(of_case)
        query = select(
            cases, newest.scalar_subquery().label("last_letter"), count.scalar_subquery().label("letters")
        ).order_by(cases.c.opened_at.desc(), by_code_point(cases.c.case_id))
        if order_id is not None:
            query = query.where(cases.c.order_id == order_id)
        if process is not None:
            query = query.where(cases.c.process == process)
        if open_only:
            query = query.where(cases.c.closed_at.is_(None))
        return [CaseLine.model_validate(dict(row)) for row in await self._all(query.limit(limit))]

    async def case_story(self, case_id: str) -> list[StoryLine]:
        """All runs of a case, oldest first: what reached it, what it sent and commanded, how it ended.

        Events count that have the case's order and name the case. Empty where nothing is known of it.
        """
        order_id = _order_of(case_id)
        of_order = await self._all(select(events).where(events.c.order_id == order_id))
        came = [record for record in map(rows.event_of, of_order) if case_id in record.cases]
        sent = map(rows.letter_of, await self._all(queries.LETTERS.where(letters.c.case_id == case_id)))
        given = map(rows.command_of, await self._all(queries.COMMANDS.where(commands.c.case_id == case_id)))
        document = select(outcomes.c.document)
        ended = map(_outcome, await self._all(document.where(outcomes.c.case_id == case_id)))
        story = [
            *(StoryLine(at=record.happened_at or record.received_at, what=record) for record in came),
            *(StoryLine(at=letter.claimed_at, what=letter) for letter in sent),
            *(StoryLine(at=command.claimed_at, what=command) for command in given),
            *(StoryLine(at=outcome.closed_at, what=outcome) for outcome in ended),
        ]
        # Stable: at the same moment what came is before what was done, and the outcome is last.
        return sorted(story, key=_moment)

    async def events(
        self, *, status: EventStatus | None = None, order_id: str | None = None, limit: int = 100
    ) -> list[EventRecord]:
        """Events as they came in, the newest first; `limit` is the most to return."""
        by_identity = (by_code_point(events.c.source), by_code_point(events.c.id))
        query = select(events).order_by(events.c.received_at.desc(), *by_identity)
        if status is not None:
            query = query.where(events.c.status == status)
        if order_id is not None:
            query = query.where(events.c.order_id == order_id)
        return [rows.event_of(row) for row in await self._all(query.limit(limit))]

    async def event(self, identity: str) -> list[EventRecord]:
        """The event with this identity (`source id`), else every event with this id: sources may share one."""
        source, _, id = identity.partition(" ")
        for such in (_is(source, id), events.c.id == identity):
            if found := await self._all(
                select(events).where(such).order_by(events.c.received_at.desc(), by_code_point(events.c.source))
            ):
                return [rows.event_of(row) for row in found]
        return []

    async def outcomes(self, *, order_id: str | None = None) -> list[Outcome]:
        """How cases ended, in the order in which they did."""
        query = select(outcomes.c.document).order_by(outcomes.c.closed_at, by_code_point(outcomes.c.case_id))
        if order_id is not None:
            query = query.where(outcomes.c.order_id == order_id)
        return [_outcome(row) for row in await self._all(query)]

    async def letters(self) -> list[LetterRecord]:
        """Letters, in the order in which they were claimed."""
        query = queries.LETTERS.order_by(letters.c.claimed_at, by_code_point(letters.c.key))
        return [rows.letter_of(row) for row in await self._all(query)]

    async def commands(self) -> list[CommandRecord]:
        """Commands, in the order in which they were claimed."""
        query = queries.COMMANDS.order_by(commands.c.claimed_at, by_code_point(commands.c.key))
        return [rows.command_of(row) for row in await self._all(query)]

    async def money(self, order_id: str) -> list[PaymentRecord]:
        """The money of an order, in the order in which it was entered."""
        of_order = queries.PAYMENTS.where(payments.c.order_id == order_id)
        query = of_order.order_by(payments.c.at, by_code_point(payments.c.key))
        return [rows.payment_of(row) for row in await self._all(query)]

    async def summary(self) -> Summary:
        """Counts over the whole database."""
        ended = cases.c.closed_at.is_not(None)
        cases_by = {bool(closed): count for closed, count in await self._counts(ended)}
        by_result: dict[str, dict[str, int]] = {}
        for process, result, count in await self._counts(outcomes.c.process, outcomes.c.result):
            by_result.setdefault(process, {})[result] = count
        return Summary(
            cases_open=cases_by.get(False, 0),
            cases_closed=cases_by.get(True, 0),
            letters={letter: count for letter, count in await self._counts(letters.c.letter)},
            commands={type: count for type, count in await self._counts(commands.c.type)},
            outcomes=by_result,
            events={EventStatus(status): count for status, count in await self._counts(events.c.status)},
        )

    async def _counts(self, *by: ColumnElement[Any]) -> list[tuple[Any, ...]]:
        query = select(*by, func.count()).group_by(*by).order_by(*by)
        return await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])

    async def _all(self, query: Select[Any]) -> Sequence[RowMapping]:
        return await self._database.read(lambda connection: connection.execute(query).mappings().all())


def _is(source: str, id: str) -> ColumnElement[bool]:
    return and_(events.c.source == source, events.c.id == id)


def _order_of(case_id: str) -> str:
    """Nothing for a text that names no case: then there is no story to tell."""
    try:
        return parse_case_id(case_id).order_id
    except ValueError:
        return ""


def _outcome(row: RowMapping) -> Outcome:
    return Outcome.model_validate(row["document"])


def _moment(line: StoryLine) -> datetime:
    return line.at
