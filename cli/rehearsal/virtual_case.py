"""What one running case waits for, read from the server: its timers, its retries, its clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    WorkflowExecutionStatus,
    WorkflowTaskFailedCause,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client

REHEARSED_FAILURE = "RehearsedFailure"
"""The type of an activity's failure that is part of the story, however often it comes."""

_TRIES = 5
"""How often an activity may fail otherwise before the case counts as stuck."""

_ENDED_BADLY = {
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: "failed",
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "timed out",
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: "was terminated",
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: "was cancelled",
}
_ASKED = (
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
)
_ANSWERED = (
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
)
_CODE_FAILED = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
)


class Stuck(Exception):
    """A case cannot go on; the text says which one and why."""


class Shown(NamedTuple):
    """A change of a case's search attributes, and when in virtual time."""

    at: datetime
    attributes: dict[str, Any]


class VirtualCase:
    """A workflow as it was at the last `look`."""

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self.id = id
        self.run_id = ""
        self.is_open = True
        self.length = 0
        self.shown: list[Shown] = []
        self._ahead = timedelta()
        self._children: list[str] = []
        self._retries: list[datetime] = []
        self._busy = "has not been looked at"
        self._forget()

    def now(self) -> datetime:
        """The moment that it is for this case."""
        return datetime.now(UTC) + self._ahead

    @property
    def wakes_at(self) -> datetime | None:
        """When it goes on by itself, by a timer or a retry; None where it waits for events only."""
        return min([*self._timers.values(), *self._retries], default=None)

    def is_settled(self, near: timedelta) -> bool:
        """Whether it has nothing to do before its next wake-up, and that is not near."""
        if not self.is_open:
            return True
        return not self._busy and (self.wakes_at is None or self.wakes_at - self.now() > near)

    def what_it_does(self) -> str:
        """What it is busy with, for a message."""
        return f"{self.id} {self._busy or 'is about to wake'}"

    def take_children(self) -> list[str]:
        """The cases that it started since this was last asked."""
        children, self._children = self._children, []
        return children

    async def look(self) -> None:
        """Read the case's state. Raises `Stuck` when its code or an activity of it fails."""
        asked = datetime.now(UTC)
        described = await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=self.id)
            ),
            retry=True,
        )
        answered = datetime.now(UTC)
        info, more = described.workflow_execution_info, described.workflow_extended_info
        if more.HasField("time_skipping_info"):
            self._ahead = _moment(more.time_skipping_info.current_time) - (asked + (answered - asked) / 2)
        if self.run_id and info.execution.run_id != self.run_id:
            await self._read(None)
            self._forget()
        self.run_id = info.execution.run_id
        self._retries, acting = self._activities(described.pending_activities)
        task = described.pending_workflow_task if described.HasField("pending_workflow_task") else None
        # What happened is read once it is done, unless the code fails: then it is never done.
        if info.history_length != self.length and not acting and (task is None or task.attempt > 1):
            await self._read(info.history_length)
        self.is_open = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        if how := _ENDED_BADLY.get(info.status):
            raise Stuck(f"{self.id} {how}: {self._failure or 'see the log of the worker'}")
        if task or (not acting and not self._begun):
            self._busy = "has a workflow task to do"
        elif acting:
            self._busy = f"does {acting}"
        elif self._asked:
            self._busy = "starts or tells another case"
        else:
            self._busy = ""

    def _forget(self) -> None:
        """A new run begins."""
        self.length = 0
        self._begun = False
        self._asked = 0
        self._failure = ""
        self._timers: dict[int, datetime] = {}

    def _activities(self, pending: Iterable[PendingActivityInfo]) -> tuple[list[datetime], str]:
        """When activities that failed are tried again, and the name of one that is under way."""
        retries, acting = [], ""
        for activity in pending:
            failure = activity.last_failure
            rehearsed = failure.application_failure_info.type == REHEARSED_FAILURE
            if activity.attempt > _TRIES and not rehearsed:
                raise Stuck(f"{self.id}: {activity.activity_id} failed {_TRIES} times: {failure.message}")
            waits = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and activity.attempt > 1
            again = _moment(activity.next_attempt_schedule_time) if waits else self.now()
            if again > self.now():
                retries.append(again)
            else:
                acting = activity.activity_id
        return retries, acting

    async def _read(self, length: int | None) -> None:
        """Read the history's new events, up to a length or, of a run that has ended, to its end."""
        known, events, token = self.length, list[HistoryEvent](), b""
        while True:
            page = await self._client.workflow_service.get_workflow_execution_history_reverse(
                GetWorkflowExecutionHistoryReverseRequest(
                    namespace=self._client.namespace,
                    execution=WorkflowExecution(workflow_id=self.id, run_id=self.run_id),
                    maximum_page_size=max(1, length - known) if length else 0,
                    next_page_token=token,
                ),
                retry=True,
            )
            events += [event for event in page.history.events if event.event_id > known]
            token = page.next_page_token
            if not token or page.history.events[-1].event_id <= known + 1:
                break
        for event in reversed(events):
            self._take(event)
        self.length = max((event.event_id for event in events), default=known)

    def _take(self, event: HistoryEvent) -> None:
        if event.event_type in _ASKED:
            self._asked += 1
        elif event.event_type in _ANSWERED:
            self._asked -= 1
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._begun = True
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.cause in _CODE_FAILED:
                    raise Stuck(f"{self.id}: the workflow's code failed: {failed.failure.message}")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                self._failure = event.workflow_execution_failed_event_attributes.failure.message
            case EventType.EVENT_TYPE_TIMER_STARTED:
                wait = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
                self._timers[event.event_id] = _moment(event.event_time) + wait
            case EventType.EVENT_TYPE_TIMER_FIRED:
                self._timers.pop(event.timer_fired_event_attributes.started_event_id, None)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                self._timers.pop(event.timer_canceled_event_attributes.started_event_id, None)
            case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
                child = event.child_workflow_execution_started_event_attributes.workflow_execution
                self._children.append(child.workflow_id)
            case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
                changed = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
                values = {name: json.loads(payload.data or b"null") for name, payload in changed.items()}
                self.shown.append(Shown(_moment(event.event_time), values))
            case _:
                pass


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
