"""Cases that open cases, and what a case that closes leaves to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import Introduction
    from aftersales.events import INFORMATIVE, Event, enveloped
    from aftersales.opening import CaseOpened

from workflows import effects
from workflows.start import start_options

if TYPE_CHECKING:
    from workflows.case import Case


async def open_case(case: Case, process: str, event: Event, *, with_inbox: bool = False) -> str:
    """Open a case of another process with this event, or give the event to the one that runs; returns its id.

    It is a child that its parent's end does not touch, whichever way that ends. The inbox goes along with it: sent
    after it, a message could come too late, as this case may be held up.
    """
    given = [item for item in case.state.inbox if with_inbox and type(item.event) is not type(case.opened.trigger)]
    opened = CaseOpened(
        order=case.order,
        policy=case.policy,
        opened_at=workflow.now(),
        trigger=cast(Any, event),
        inbox=tuple(item.event for item in given),
    )
    options = start_options(process, opened)
    try:
        await workflow.start_child_workflow(
            process, opened, parent_close_policy=workflow.ParentClosePolicy.ABANDON, **options
        )
        case.state.inbox = [item for item in case.state.inbox if item not in given]
        since = min(opened.opened_at, opened.trigger.happened_at)
        introduced = Introduction(case=opened.ref(process, options["id"]), since=since)
        if with_inbox:
            # Its outcome will tell of it, in a moment.
            case.introduces = introduced
        elif workflow.patched("opened-cases-are-introduced"):
            await effects.introduce(case.state.next_id("introduce"), introduced)
        case.note(f"handed over to {options['id']}")
    except WorkflowAlreadyStartedError:
        await _pass_on(case, event, options["id"])
    return options["id"]


async def clear(case: Case, event: Event) -> None:
    """Give an event that is left when the case closes to the case that goes on, or to a person."""
    if case.successor:
        await _pass_on(case, event, case.successor)
    elif isinstance(event, INFORMATIVE):
        case.note(f"{event.type} noted")
    else:
        await case.to_a_person(event, "it came when the case was closing")


async def _pass_on(case: Case, event: Event, to: str) -> None:
    try:
        await workflow.get_external_workflow_handle(to).signal("event", enveloped(event))
        case.note(f"{event.type} passed on to {to}")
    except ApplicationError:
        await case.to_a_person(event, f"it was for {to}, which has closed", unless_taken_by=to)
