"""Whether a database is as this code needs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import computed_field
from sqlalchemy import Connection, Table, select, text

from adapters.database.engines import Database
from adapters.database.revisions import revision_of
from adapters.database.schema import REVISION, cases, metadata
from aftersales.model import Model, Time


class OldestCase(Model):
    """The case that has been open for the longest time."""

    case_id: str
    opened_at: Time


class Health(Model):
    """What was found: `problems` is all that is not as the schema says, `size` is in bytes."""

    revision: str | None
    size: int
    problems: tuple[str, ...]
    oldest_open: OldestCase | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.problems


async def look_at(database: Database) -> Health:
    """Look at a database and change nothing.

    Raises:
        DatabaseAway: it does not answer.
    """
    return await database.read(_look)


def _look(connection: Connection) -> Health:
    revision = revision_of(connection)
    problems = []
    if revision != REVISION:
        problems.append(
            f"it is at revision {revision or 'none'} and this code needs {REVISION}: run ./dev db upgrade"
            if revision is None or revision < REVISION
            else f"it is at revision {revision}, and this code knows up to {REVISION}: update Aftersales"
        )
    else:
        problems += _differences(connection)
    oldest = None
    if not problems:
        query = select(cases.c.case_id, cases.c.opened_at).where(cases.c.closed_at.is_(None))
        row = connection.execute(query.order_by(cases.c.opened_at).limit(1)).mappings().first()
        oldest = OldestCase.model_validate(dict(row)) if row else None
    return Health(revision=revision, size=_size(connection), problems=tuple(problems), oldest_open=oldest)


def _size(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return int(pages) * int(size)
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def _differences(connection: Connection) -> list[str]:
    """What the tables lack or have otherwise. What somebody has added, such as an index for reports, is theirs."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    found = compare_metadata(MigrationContext.configure(connection), metadata)
    return [words for each in _flat(found) if (words := _in_words(each))]


def _flat(found: Iterable[Any]) -> Iterable[tuple[Any, ...]]:
    for each in found:
        if isinstance(each, list):
            yield from _flat(each)
        else:
            yield each


def _in_words(difference: tuple[Any, ...]) -> str:
    kind, *what = difference
    match kind:
        case "add_table":
            return f"table {what[0].name} is missing"
        case "add_column":
            return f"column {what[1]}.{what[2].name} is missing"
        case "add_index" | "add_constraint" | "add_fk":
            table: Table = what[0].table
            return f"{what[0].name} on table {table.name} is missing"
        case "remove_fk" | "remove_constraint":
            return f"{what[0].name} on table {what[0].table.name} is not ours and may refuse what we write"
        case str() if kind.startswith("modify_"):
            table_name, column, _, was, wanted = what[1:6]
            return f"column {table_name}.{column}: {kind.removeprefix('modify_')} is {was}, and {wanted} is needed"
        case _:
            return ""
