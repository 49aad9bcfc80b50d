"""What operators send to a running case: the payloads of its updates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.model import Amount

_AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)


class Decide(BaseModel):
    """An operator's decision: one of the open options, who decided, why, and an amount where one is asked for.

    `reference` is the counterpart's number for a command that was done by hand.
    """

    option: str = ""
    by: str = ""
    reason: str = ""
    amount: str | float | int | None = None
    reference: str = ""

    model_config = ConfigDict(extra="allow")

    @property
    def money(self) -> Decimal | None:
        """The amount. Raises ValueError where it is none."""
        return None if self.amount is None else _AMOUNT.validate_python(str(self.amount))


class Extend(BaseModel):
    """A new moment for the deadline that a case waits for, who moved it, and why."""

    until: datetime | None = None
    by: str = ""
    reason: str = ""
