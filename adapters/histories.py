"""What the server remembers of cases that the database may not know: which event reached which case."""

from __future__ import annotations

import json

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from aftersales.events import Envelope
from aftersales.opening import CaseOpened

_STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
_SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


async def opened_by(client: Client, case: str, run_id: str | None) -> str | None:
    """The identity of the event that opened a run of a case."""
    async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events(page_size=1):
        return await _identity(client, event)
    return None


async def reached(client: Client, order_id: str, identity: str) -> list[str]:
    """The cases of an order, open or closed, that were opened by this event or were given it."""
    found = []
    # The query language has no escape for its quotes; an order id with both kinds is found by neither.
    quoted = json.dumps(order_id, ensure_ascii=False) if '"' not in order_id else f"'{order_id}'"
    async for run in client.list_workflows(f"OrderId = {quoted}"):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        async for event in handle.fetch_history_events():
            if event.event_type in (_STARTED, _SIGNALED) and await _identity(client, event) == identity:
                found.append(run.id)
                break
    return list(dict.fromkeys(found))


async def took(client: Client, case: str, identity: str) -> bool:
    """Whether the newest run of a case, open or closed, was opened by this event or was given it."""
    async for event in client.get_workflow_handle(case).fetch_history_events():
        if event.event_type in (_STARTED, _SIGNALED) and await _identity(client, event) == identity:
            return True
    return False


async def _identity(client: Client, event: HistoryEvent) -> str | None:
    if event.event_type == _STARTED:
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        (opened,) = await client.data_converter.decode(payloads, [CaseOpened])
        return opened.identity if isinstance(opened, CaseOpened) else None
    payloads = event.workflow_execution_signaled_event_attributes.input.payloads
    (envelope,) = await client.data_converter.decode(payloads, [Envelope])
    return envelope.root.identity if isinstance(envelope, Envelope) else None
