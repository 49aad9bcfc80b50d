"""Commands for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import JsonValue

from aftersales.commands import Command, CommandType

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def command(
    type: CommandType, number: int = 1, *, order: str = "A-1001", process: str = "return-parcel", **data: JsonValue
) -> Command:
    """A command as a case gives it; `number` tells it from others of its type."""
    case = f"{process}/{order}"
    return Command(
        key=f"{case}#shop evt-1#{type}:{number}", type=type, case_id=case, order_id=order, at=NOON, data=data
    )
