"""The statements of the store, built once: SQLAlchemy then compiles each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.ordering import by_code_point
from adapters.database.schema import (
    aliases,
    answered,
    case_goods,
    case_letters,
    cases,
    clean,
    commands,
    events,
    letters,
    outcomes,
    payments,
    shipped_goods,
)
from aftersales.aliases import of_order
from aftersales.records import CaseRef, EventStatus

_REACHED = (EventStatus.STARTED, EventStatus.SIGNALLED)


class Statements:
    """What the store writes, in the words of one dialect (SQLite's or PostgreSQL's; both know `ON CONFLICT`)."""

    def __init__(self, dialect: str) -> None:
        insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert

        self.know_case: Insert = insert(cases).on_conflict_do_nothing()
        """Leaves a case as it is that is known already, closed ones too."""

        into = insert(cases)
        self.open_case: Insert = into.on_conflict_do_update(
            index_elements=cases.primary_key.columns,
            set_={"opening": into.excluded.opening},
            where=and_(cases.c.opening.is_(None), into.excluded.opening.is_not(None)),
        )

        into = insert(cases)
        self.close_case: Insert = into.on_conflict_do_update(
            index_elements=cases.primary_key.columns,
            set_={name: into.excluded[name] for name in ("closed_at", "result", "stage")},
            where=cases.c.closed_at.is_(None),
        )

        self.outcome: Insert = insert(outcomes).on_conflict_do_nothing()
        self.count_goods: Insert = _with_outcome(case_goods, insert(case_goods))
        self.count_letters: Insert = _with_outcome(case_letters, insert(case_letters))

        into = insert(shipped_goods)
        same_time = into.excluded.shipped_at == shipped_goods.c.shipped_at
        first = by_code_point(into.excluded.told_by) < shipped_goods.c.told_by
        keys = set(shipped_goods.primary_key.columns)
        self.count_shipped: Insert = into.on_conflict_do_update(
            index_elements=shipped_goods.primary_key.columns,
            set_={column.name: into.excluded[column.name] for column in shipped_goods.columns if column not in keys},
            where=or_(into.excluded.shipped_at < shipped_goods.c.shipped_at, and_(same_time, first)),
        )
        """Of several events about a line of a parcel that counts which happened first, whichever came first."""

        self.claim_letter: Insert = _claim(insert(letters))
        self.letter_sent: Update = _first_answer(letters, "sent_at", "reference")
        self.letter_bounced: Update = _first_answer(letters, "bounced")
        tried_at, moment = letters.c.tried_at, letters.c.tried_at.type
        mine = update(letters).where(letters.c.key == bindparam("_key"))
        self.letter_tried: Update = mine.where(
            letters.c.sent_at.is_(None), tried_at.is_not_distinct_from(bindparam("_after", type_=moment))
        ).values(tried_at=bindparam("_at", type_=moment))
        """Hits for one of all that saw the same try before it."""
        untried = mine.where(tried_at == bindparam("_at", type_=moment)).values(tried_at=None)
        self.letter_not_sent: Update = untried.execution_options(may_miss=True)

        self.claim_command: Insert = _claim(insert(commands))
        self.command_accepted: Update = _first_answer(commands, "accepted_at", "reference")
        self.command_refused: Update = _first_answer(commands, "refused")

        # One that did not fit is entered anew where its command is tried again before that was written down.
        self.enter_payment: Insert = insert(payments).on_conflict_do_update(
            index_elements=payments.primary_key.columns,
            set_={"state": "reserved"},
            where=payments.c.state == "released",
        )
        self.payment_confirmed: Update = _settle_payment("confirmed", payments.c.state == "reserved")
        self.payment_released: Update = _settle_payment("released", payments.c.state != "released")

        self._one_at_a_time: Select[Any] | None = None
        if dialect == "postgresql":
            name = func.unnest(bindparam("names", type_=postgresql.ARRAY(Text))).column_valued("name")
            self._one_at_a_time = select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0)))

        self.new_events: Insert = insert(events).on_conflict_do_nothing().returning(events.c.source, events.c.id)
        self.replace_refused: Insert = _replace(insert(events), where=events.c.status == EventStatus.REFUSED)

        self.answered: Insert = insert(answered).on_conflict_do_nothing()
        """The first answer stays."""
        self.forget: Delete = delete(answered).where(answered.c.at < bindparam("before"))

        into = insert(aliases)
        self.learn: Insert = into.on_conflict_do_update(
            index_elements=aliases.primary_key.columns,
            set_={name: into.excluded[name] for name in ("shop", "order_id", "parcel_no", "at")},
            where=and_(into.excluded.at > aliases.c.at, aliases.c.alias.not_like(of_order("%"))),
        )

        into = insert(events)
        # A case may hand an event back before the starter that signalled it has written down that it did.
        reached = or_(*(into.excluded.status == status for status in _REACHED))
        handed_back = and_(events.c.status == EventStatus.FOR_A_PERSON, reached)
        self.settle_event: Insert = into.on_conflict_do_update(
            index_elements=events.primary_key.columns,
            set_={
                "status": case((handed_back, events.c.status), else_=into.excluded.status),
                "detail": case((handed_back, events.c.detail), else_=into.excluded.detail),
                "cases": into.excluded.cases,
                # One that waited for an alias has its order now.
                "order_id": into.excluded.order_id,
                "raw": into.excluded.raw,
            },
        )

        into = insert(events)
        self.hand_back: Insert = into.on_conflict_do_update(
            index_elements=events.primary_key.columns,
            set_={"status": into.excluded.status, "detail": into.excluded.detail},
            where=events.c.status != EventStatus.DONE_BY_HAND,
        )

    def lock_order(self, connection: Connection, case: CaseRef) -> None:
        """Have the transactions about one order's money take turns; on SQLite all writing transactions do."""
        self._lock(connection, [clean(f"{case.shop} {case.order_id}")])

    def lock_aliases(self, connection: Connection, names: Iterable[str]) -> None:
        """Have the transactions that teach an alias and those that wait for it take turns.

        Otherwise each may miss what the other has written and not committed yet. In one order, before any row.
        """
        self._lock(connection, sorted(f"alias {clean(name)}" for name in names))

    def _lock(self, connection: Connection, names: Sequence[str]) -> None:
        if names and self._one_at_a_time is not None:
            connection.execute(self._one_at_a_time, {"names": names})


def _claim(into: Any) -> Insert:
    """Returns the keys that were free. `claims` says that it waits for no row that is there."""
    claim: Insert = into.on_conflict_do_nothing().returning(into.table.c.key).execution_options(claims=True)
    return claim


def _with_outcome(table: Table, into: Any) -> Insert:
    """For rows that belong to an outcome: those of another one than was recorded are left out.

    Parameters have a `_` before the column's name, which they may not have alone.
    """
    values = select(*(bindparam(f"_{column.name}", type_=column.type) for column in table.columns))
    recorded = select(outcomes.c.case_id).where(
        outcomes.c.case_id == bindparam("_case_id", type_=table.c.case_id.type),
        outcomes.c.trigger == bindparam("_trigger", type_=table.c.trigger.type),
        outcomes.c.closed_at == bindparam("_closed_at", type_=table.c.closed_at.type),
    )
    filled: Insert = into.from_select([column.name for column in table.columns], values.where(recorded.exists()))
    keys = tuple(f"_{column.name}" for column in table.primary_key)
    statement: Insert = filled.on_conflict_do_nothing().execution_options(keys=keys)  # type: ignore[attr-defined]
    return statement


def _first_answer(table: Table, *columns: str) -> Update:
    """Fill columns of the row with `_key` where they are empty still: the first answer stays."""
    filled = {name: func.coalesce(table.c[name], bindparam(f"_{name}", type_=table.c[name].type)) for name in columns}
    return update(table).where(table.c.key == bindparam("_key")).values(filled)


def _settle_payment(state: str, where: ColumnElement[bool]) -> Update:
    """Not every command pays: `may_miss` says that there may be no row."""
    settled = update(payments).where(payments.c.key == bindparam("_key"), where).values(state=state)
    return settled.execution_options(may_miss=True)


def _replace(into: Any, *, where: Any) -> Insert:
    keys = {column.name for column in into.table.primary_key}
    every = {column.name: into.excluded[column.name] for column in into.table.columns if column.name not in keys}
    statement: Insert = into.on_conflict_do_update(
        index_elements=into.table.primary_key.columns, set_=every, where=where
    )
    return statement
