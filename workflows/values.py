"""The values that letters and commands are given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from pydantic import JsonValue

Value: TypeAlias = JsonValue | Decimal | datetime
"""Money as Decimal and moments as datetime travel as text."""


def plain(values: Mapping[str, Value]) -> dict[str, JsonValue]:
    """Values as JSON has them."""
    return {name: _plain(value) for name, value in values.items()}


def link(reference: str) -> str:
    """The reference of a label where it is a link to it, else nothing: a letter shows no number as a link."""
    return reference if reference.startswith("http") else ""


def _plain(value: Value) -> JsonValue:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value
