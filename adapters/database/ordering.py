"""What databases do not understand alike: in which order texts stand, and which index a question goes by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class by_code_point(FunctionElement[str]):
    """A text to sort by, character by character as SQLite and Python do it."""

    type = Text()
    inherit_cache = True


class by_no_index(FunctionElement[Any]):
    """A column that rows are not looked up by: so many have the same value that another one's index is better.

    SQLite keeps no count of them, and would as soon go through all cases that are open as through those of an order.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(by_code_point)
@compiles(by_no_index)
def _as_it_is(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(by_no_index, "sqlite")
def _not_indexed(element: by_no_index, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(by_code_point, "postgresql")
def _collated(element: by_code_point, compiler: SQLCompiler, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'
