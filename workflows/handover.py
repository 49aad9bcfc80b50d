"""Cases that open cases, and what a case that closes leaves to others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import Introduction, OpenRequest
    from aftersales.events import INFORMATIVE, Event, Message, enveloped
    from aftersales.opening import CaseOpened
    from aftersales.routing import case_for

from workflows import effects
from workflows.start import start_options

if TYPE_CHECKING:
    from workflows.case import Case


async def hand_over(case: Case, process: str, event: Event) -> str:
    """Open the case that goes on in the place of this one; returns its id.

    It is a child that its parent's end does not touch, whichever way that ends. The inbox goes along with it: sent
    after it, a message could come too late, as this case may be held up.
    """
    given = [item for item in case.state.inbox if type(item.event) is not type(case.opened.trigger)]
    # What stays in the inbox is passed on by itself, and counted then.
    stays = [item.counts_at for item in case.state.inbox if item not in given]
    unanswered = tuple(at for at in case.state.written.unanswered if at not in stays)
    opened = _opened(case, event, tuple(item.event for item in given), unanswered)
    if introduced := await _start_child(case, process, opened):
        case.state.inbox = [item for item in case.state.inbox if item not in given]
        for at in unanswered:
            case.state.written.passed_on(at)
        # Its outcome will tell of it, in a moment.
        case.introduces = introduced
    return _id(process, opened)


async def open_beside(case: Case, process: str, event: Event, known: tuple[Event, ...] = ()) -> None:
    """Open a case beside this one, or give the event to the one that runs; a message is answered by that one.

    It is no child: a server that skips time waits for the children of a case, and this one goes on.
    """
    opened = _opened(case, event, known)
    if workflow.patched("cases-beside-are-no-children"):
        id = _id(process, opened)
        request = OpenRequest(process=process, case_id=id, opened=opened)
        is_new = await effects.open_case(case.state.next_id("open"), request)
        case.note(f"handed over to {id}" if is_new else f"{event.type} passed on to {id}")
        if isinstance(event, Message) or (event.by_customer and is_new):
            case.state.written.passed_on(event.happened_at)
        if isinstance(event, Message):
            case.state.last_letter_at = workflow.now()
    elif (introduced := await _start_child(case, process, opened)) and workflow.patched("opened-cases-are-introduced"):
        await effects.introduce(case.state.next_id("introduce"), introduced)


def _opened(
    case: Case, event: Event, inbox: tuple[Event, ...] = (), unanswered: tuple[datetime, ...] | None = None
) -> CaseOpened:
    return CaseOpened(
        order=case.order,
        policy=case.policy,
        opened_at=workflow.now(),
        trigger=cast(Any, event),
        inbox=cast(Any, inbox),
        unanswered=unanswered if case.policy.counts else None,
    )


def _id(process: str, opened: CaseOpened) -> str:
    return case_for(process, opened.trigger, opened.order)


async def _start_child(case: Case, process: str, opened: CaseOpened) -> Introduction | None:
    """Open a case, or give its event to the one that runs: then None."""
    options = start_options(process, opened)
    try:
        await workflow.start_child_workflow(
            process, opened, parent_close_policy=workflow.ParentClosePolicy.ABANDON, **options
        )
    except WorkflowAlreadyStartedError:
        await _pass_on(case, opened.trigger, options["id"])
        return None
    case.note(f"handed over to {options['id']}")
    since = min(opened.opened_at, opened.trigger.happened_at)
    return Introduction(case=opened.ref(process, options["id"]), since=since)


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
        if isinstance(event, Message):
            case.state.written.passed_on(event.happened_at)
    except ApplicationError:
        await case.to_a_person(event, f"it was for {to}, which has closed", unless_taken_by=to)
