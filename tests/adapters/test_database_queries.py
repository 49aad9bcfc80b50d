"""What the store asks for every event goes by an index, however much there is in the database."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from adapters.database import open_store, queries
from adapters.settings import Settings

ASKED = {
    name: query for name, query in vars(queries).items() if isinstance(query, Select) and query.whereclause is not None
}
"""All but those that the views narrow down."""


@pytest.fixture(scope="module")
async def connection(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    data = tmp_path_factory.mktemp("data")
    async with open_store(Settings(data=data).store):
        pass
    return sqlite3.connect(data / "aftersales.db")


def plan(connection: sqlite3.Connection, query: Select[Any], values: int) -> list[str]:
    """SQLite's, for so many values of each parameter that takes several."""
    some = [f"{number}" for number in range(values)]
    binds = query.compile(dialect=sqlite.dialect()).binds.values()
    given = {bind.key: some if bind.expanding else "1" for bind in binds if bind.required}
    asked = query.params(given).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return [line for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {asked}")]


@pytest.mark.parametrize("values", [1, 3, 200])
@pytest.mark.parametrize("name", ASKED)
def test_no_table_is_read_whole(connection: sqlite3.Connection, name: str, values: int) -> None:
    assert not [line for line in plan(connection, ASKED[name], values) if line.startswith("SCAN")]


@pytest.mark.parametrize("values", [1, 3, 200])
@pytest.mark.parametrize(
    ("name", "goes_by"),
    [
        ("OPEN_CASES", "cases USING INDEX ix_cases_order_id (order_id=?)"),
        ("WAITING_EVENTS", "events USING INDEX ix_events_order_id (order_id=?)"),
        ("GIVEN_BEFORE", "cases USING INDEX ix_cases_order_id (order_id=?)"),
        ("OPEN_DISPUTES", "cases USING INDEX ix_cases_order_id (order_id=?)"),
        ("CANCELLED", "events USING INDEX ix_events_order_id (order_id=?)"),
        ("STATUSES", "events USING INDEX sqlite_autoindex_events_1 (source=? AND id=?)"),
        ("ANSWERED", "answered USING INDEX sqlite_autoindex_answered_1 (sender=? AND id=?)"),
    ],
)
def test_what_is_asked_of_an_order_goes_by_the_order(
    connection: sqlite3.Connection, name: str, goes_by: str, values: int
) -> None:
    assert plan(connection, ASKED[name], values)[0] == f"SEARCH {goes_by}"
