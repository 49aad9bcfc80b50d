"""What operators send to a running case: the payloads of its updates."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.model import Amount


class Decide(BaseModel):
    """An operator's decision: one of the open options, who decided, why, and an amount where one is asked for."""

    option: str = ""
    by: str = ""
    reason: str = ""
    amount: Amount | None = None


class Extend(BaseModel):
    """A new moment for the deadline that a case waits for, who moved it, and why."""

    until: datetime | None = None
    by: str = ""
    reason: str = ""
