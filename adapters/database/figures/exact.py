"""Sums in the database that are exact, whatever is added up and in which order.

SQLite refuses a sum beyond 63 bits, and sums of fractions depend on the order of rows. So times are whole milliseconds,
and numbers are added up in two halves that are put together here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Label, RowMapping, case, cast, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_HALF = 2**31
_ROOT = 2**27
"""Squares of numbers below 2 to the 58th fit then, piece by piece."""


def total(name: str, value: ColumnElement[Any]) -> list[Label[Any]]:
    """Columns that add up whole numbers; `added` reads them by the same name."""
    half = literal_column(str(_HALF), BigInteger)
    return [func.sum(value // half).label(f"{name}_high"), func.sum(value % half).label(f"{name}_low")]


def added(name: str, row: RowMapping) -> int:
    """The sum that `total` made; 0 of nothing."""
    return int(row[f"{name}_high"] or 0) * _HALF + int(row[f"{name}_low"] or 0)


def squares(name: str, value: ColumnElement[Any]) -> list[Label[Any]]:
    """Columns that add up the squares of whole numbers; `squared` reads them by the same name."""
    root = literal_column(str(_ROOT), BigInteger)
    high, low = value // root, value % root
    parts = {"hh": high * high, "hl": high * low, "ll": low * low}
    return [column for part, product in parts.items() for column in total(f"{name}_{part}", product)]


def squared(name: str, row: RowMapping) -> int:
    """The sum that `squares` made."""
    high, mixed, low = (added(f"{name}_{part}", row) for part in ("hh", "hl", "ll"))
    return high * _ROOT**2 + 2 * mixed * _ROOT + low


def counted(name: str, condition: ColumnElement[bool]) -> Label[Any]:
    """How many rows fulfil a condition; NULL of no rows."""
    return func.sum(case((condition, 1), else_=0)).label(name)


def milliseconds(seconds: ColumnElement[Any]) -> ColumnElement[Any]:
    """Seconds with fractions as whole milliseconds."""
    return cast(func.round(seconds * literal_column("1000.0")), BigInteger)


class microseconds(FunctionElement[int]):
    """A moment as whole microseconds since 1970; such numbers can be subtracted in both databases."""

    type = BigInteger()
    inherit_cache = True


@compiles(microseconds, "postgresql")
def _by_epoch(element: microseconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)}) * 1000000 AS BIGINT)"


@compiles(microseconds, "sqlite")
def _by_text(element: microseconds, compiler: SQLCompiler, **options: Any) -> str:
    # SQLite would round to milliseconds, up into the next second; the text has six digits after the point.
    text = compiler.process(element.clauses, **options)
    return f"(CAST(strftime('%s', substr({text}, 1, 19)) AS INTEGER) * 1000000 + CAST(substr({text}, 21) AS INTEGER))"
