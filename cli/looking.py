"""What the Temporal server says about cases, with or without a live worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

import workflows
from adapters.database import Store
from aftersales.ids import parse_case_id
from aftersales.model import Model, Time
from cli.running import Stop
from workflows import attributes

NAMES = tuple(process.process for process in workflows.ALL)
AT_ONCE = 20
"""Descriptions asked for side by side."""


class CaseNow(Model):
    """A run of a case as the server knows it."""

    case: str
    run_id: str
    process: str
    title: str = ""
    stage: str
    deadline: Time | None
    due: Time | None = None
    """The nearest of all its clocks; none in a case that waits since an earlier build."""
    due_for: str = ""
    """Whose clock that is."""
    angry: bool
    result: str
    status: str
    opened_at: Time
    closed_at: Time | None
    policy_version: str

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return self.status == "open"

    @classmethod
    def of(cls, run: WorkflowExecution, title: str = "") -> CaseNow:
        """From a line of the server's list, or from a description."""
        known = run.typed_search_attributes

        def value(key: SearchAttributeKey[Any]) -> Any:
            return known.get(key)

        running = run.status == WorkflowExecutionStatus.RUNNING
        ended = run.status.name.lower() if run.status else ""
        return cls(
            case=run.id,
            run_id=run.run_id,
            process=run.workflow_type,
            title=title,
            stage=value(attributes.STAGE) or "",
            deadline=value(attributes.DEADLINE) if running else None,
            due=value(attributes.DUE) if running else None,
            due_for=(value(attributes.DUE_FOR) or "") if running else "",
            angry=bool(value(attributes.ANGRY)),
            result=value(attributes.RESULT) or "",
            status="open" if running else "closed" if ended == "completed" else ended,
            opened_at=run.start_time,
            closed_at=run.close_time,
            policy_version=value(attributes.POLICY_VERSION) or "",
        )


def equals(field: str, value: str) -> str:
    """A condition of the server's list filter."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field} = "{quoted}"'


def of_processes(names: Sequence[str] = NAMES) -> str:
    """The condition that a run is a case of ours."""
    return f"WorkflowType IN ({', '.join(repr(name) for name in names)})"


async def listed(client: Client, conditions: Sequence[str]) -> AsyncIterator[WorkflowExecution]:
    """The runs that meet all conditions. Raises `Stop` where the server cannot tell."""
    try:
        async for run in client.list_workflows(" AND ".join(conditions)):
            yield run
    except RPCError as error:
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise Stop(
                f"the Temporal server cannot list cases so: {error.message}; "
                "./dev check tells whether it lacks search attributes"
            ) from error
        raise


async def described(client: Client, case: str, run_id: str | None = None) -> WorkflowExecutionDescription | None:
    """The newest run of a case, or the run named; None where the server knows none."""
    try:
        return await client.get_workflow_handle(case, run_id=run_id).describe()
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return None
        raise


async def titled(client: Client, cases: Sequence[CaseNow]) -> list[CaseNow]:
    """The same cases with their titles, which only a description has."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(case: CaseNow) -> CaseNow:
        async with limit:
            found = await described(client, case.case, case.run_id)
            return case.model_copy(update={"title": await found.static_summary() or ""}) if found else case

    return await asyncio.gather(*(one(case) for case in cases))


class Step(NamedTuple):
    """Something in a run that only the server knows: a timer, or what an operator told the case."""

    at: datetime
    kind: str
    what: str


async def steps(client: Client, case: str, run_id: str) -> list[Step]:
    """The timers of a run and its operators' updates, in the order of its history."""
    found: dict[int, Step] = {}
    async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events(page_size=1000):
        number, at = event.event_id, event.event_time.ToDatetime(UTC)
        match event.WhichOneof("attributes"):
            case "timer_started_event_attributes":
                summary = event.user_metadata.summary
                texts = await client.data_converter.decode([summary], [str]) if summary.data else ["timer"]
                found[number] = Step(at, "timer", texts[0])
            case "timer_fired_event_attributes":
                set_by = event.timer_fired_event_attributes.started_event_id
                found[number] = Step(at, "timer", f"{found[set_by].what} is over")
            case "workflow_execution_update_accepted_event_attributes":
                told = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                arguments = await client.data_converter.decode(told.args.payloads)
                found[number] = Step(at, told.name, _said(arguments))
            case _:
                continue
    return list(found.values())


def _said(arguments: Sequence[object]) -> str:
    """What an operator told a case: `insist, by Ana: wants a new one`."""
    given = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
    what = ", ".join(str(given[name]) for name in ("option", "amount", "until") if given.get(name))
    return f"{what}, by {given.get('by', '?')}: {given.get('reason', '')}"


async def unknown_case(store: Store, case: str) -> Stop:
    """What to tell of a case that nobody knows: those of its order, or of the order that was named instead."""
    try:
        order = parse_case_id(case).order_id
    except ValueError:
        order = case
    others = list(dict.fromkeys(line.case_id for line in await store.views.cases(order_id=order, limit=20)))
    if others:
        return Stop(f"there is no case {case!r}; order {order} has {', '.join(others)}")
    return Stop(f"there is no case {case!r}, and none of order {order}; ./dev cases --all lists them")
