"""Events that one case gives to another that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from aftersales.events import Event, Message, enveloped

if TYPE_CHECKING:
    from workflows.case import Case


async def taken_by(case: Case, event: Event, to: str) -> bool:
    """Whether a case that runs takes an event; it is then the successor, which answers and gets what still comes."""
    try:
        await workflow.get_external_workflow_handle(to).signal("event", enveloped(event))
    except ApplicationError:
        case.note(f"{to} has closed")
        return False
    case.successor = to
    case.note(f"{event.type} passed on to {to}")
    if isinstance(event, Message):
        case.state.written.passed_on(event.happened_at)
    return True
