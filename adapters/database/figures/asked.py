"""What a report is asked for: whose, up to when, by which terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, Table, literal, true

from adapters.database.figures.slices import Stretch
from adapters.database.schema import clean
from aftersales.figures import Period
from aftersales.rates import Exchange
from aftersales.reporting import Reporting

_AT_A_TIME = 1000
"""Rows that are fetched together, so that memory stays bounded."""
_CACHE_KILOBYTES = 65_536
"""What SQLite may keep in memory meanwhile; with its usual 2 MB it would sort in small pieces on the disk."""


@dataclass(frozen=True)
class Asked:
    """The shop is empty for all; nothing that happened at `as_of` or later is looked at."""

    shop: str
    as_of: datetime
    terms: Reporting
    exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exchange", Exchange(self.terms))

    def of_shop(self, table: Table) -> ColumnElement[bool]:
        """The rows of a table that are the shop's."""
        column: Column[Any] = table.c.shop
        return column == clean(self.shop) if self.shop else true()

    def seen(self, period: Period) -> Stretch:
        """As much of a period as is looked at."""
        return Stretch(period.start, period.end).until(self.as_of)

    def is_return(self, process: Column[Any]) -> ColumnElement[bool]:
        """The process is one whose losses are losses on returns."""
        return process.in_([literal(name) for name in self.terms.return_processes])


def rows(connection: Connection, query: Select[Any]) -> Iterator[RowMapping]:
    """The rows of a query, fetched a few at a time."""
    with connection.execute(query, execution_options={"stream_results": True, "yield_per": _AT_A_TIME}) as result:
        yield from result.mappings()


def one(connection: Connection, query: Select[Any]) -> RowMapping:
    """The only row of a query."""
    return connection.execute(query).mappings().one()


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """All that is read is of one moment, whatever is written meanwhile."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        connection.exec_driver_sql(f"PRAGMA cache_size={-_CACHE_KILOBYTES}")
    connection.exec_driver_sql("BEGIN" if sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")
        if sqlite:
            connection.exec_driver_sql(f"PRAGMA cache_size={usual}")
