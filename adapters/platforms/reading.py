"""Reading what strangers send: every function takes any decoded JSON and answers with a clean value or with none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

_LARGEST = Decimal(10) ** 12
_FINEST = Decimal("0.0001")
_YEARS = range(1990, 2200)
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def fields(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; none for anything else."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The texts in a list that say something, each once."""
    return list(dict.fromkeys(filter(None, map(text, value)))) if isinstance(value, list) else []


def text(value: object, most: int = 200) -> str:
    """A text or whole number without control characters, cut to so many characters; empty for anything else."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        value = str(value)
    return _UNSAFE.sub("", value).strip()[:most].strip() if isinstance(value, str) else ""


def first(*values: object, most: int = 200) -> str:
    """The first of several values that is a text and not empty."""
    return next((found for value in values if (found := text(value, most))), "")


def amount(value: object) -> Decimal | None:
    """Money of either sign as a platform writes it, text or number, with at most four decimals."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(value if isinstance(value, int) else str(value).strip())
    except InvalidOperation:
        return None
    if not found.is_finite() or found.copy_abs() >= _LARGEST:
        return None
    return found.quantize(_FINEST, rounding=ROUND_HALF_UP)


def money(value: object) -> Decimal | None:
    """Money that is not negative."""
    found = amount(value)
    return found if found is not None and found >= 0 else None


def count(value: object) -> int:
    """A number of units; 0 where there is none."""
    found = amount(value)
    return int(found) if found is not None and found > 0 and found == int(found) else 0


def written(found: Decimal) -> str:
    """Money as events carry it, without needless zeros behind the second decimal."""
    short = found.quantize(Decimal("0.01"))
    return str(short if short == found else found.normalize())


def moment(value: object, timezone: str = "UTC") -> datetime | None:
    """A time as platforms write it, in UTC; one without an offset is of this time zone. None where it is no time."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if found.year not in _YEARS:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
