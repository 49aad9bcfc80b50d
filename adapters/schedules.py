"""The Temporal Schedules of the report of figures: made once, kept in step with the policy, paused by people only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from aftersales.report_runs import ReportRun
from aftersales.reporting import Reporting

WORKFLOW = "kpi-report"
CATCH_UP = timedelta(days=366)
"""How late a run may be and is still made: installations are away for weeks, and a month's report is wanted later."""
_TITLES = {"daily": "Report of figures · yesterday", "monthly": "Report of figures · last month"}


class Kept(NamedTuple):
    """A schedule as it now is on the server: what became of it, and when it runs next (empty where it is paused)."""

    id: str
    change: Literal["created", "updated", "as it was"]
    paused: bool
    next_at: datetime | None


async def keep_schedules(client: Client, task_queue: str, terms: Reporting) -> list[Kept]:
    """See to it that both schedules are on the server as the terms say, however often it is called.

    A schedule that somebody has paused stays paused. Raises `RPCError` where the server does not answer.
    """
    return [
        await keep(client, f"{WORKFLOW}-daily", report_schedule("daily", task_queue, terms)),
        await keep(client, f"{WORKFLOW}-monthly", report_schedule("monthly", task_queue, terms)),
    ]


def report_schedule(kind: Literal["daily", "monthly"], task_queue: str, terms: Reporting) -> Schedule:
    """The schedule of a report: every day, or on the first of every month, at `report_at` in the report's zone."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            WORKFLOW,
            ReportRun(kind=kind, zone=terms.report_zone),
            id=f"{WORKFLOW}-{kind}",
            task_queue=task_queue,
            static_summary=_TITLES[kind],
            static_details=f"Days begin in {terms.report_zone}. The files are in the data folder, in `reports`.",
        ),
        spec=ScheduleSpec(calendars=[_at(terms.report_at, kind)], time_zone_name=terms.report_zone),
        # One after the other, none left out: warnings are compared in the order of days.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=CATCH_UP),
    )


async def keep(client: Client, id: str, wanted: Schedule) -> Kept:
    """Create a schedule, or change the one that is there where it says something else."""
    try:
        handle = await client.create_schedule(id, wanted)
    except ScheduleAlreadyRunningError:
        return await _kept_in_step(client, client.get_schedule_handle(id), wanted)
    return _as_it_is(await handle.describe(), "created")


async def _kept_in_step(client: Client, handle: ScheduleHandle, wanted: Schedule) -> Kept:
    there = await handle.describe()
    action = wanted.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    if _said(there.schedule) == _said(wanted, await client.data_converter.encode(action.args)):
        # The server leaves out runs from before a change: one that is none would cost those to be caught up.
        return _as_it_is(there, "as it was")

    def change(now: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = now.description.schedule.state
        return ScheduleUpdate(wanted)

    await handle.update(change)
    if not there.schedule.state.paused:
        # What was due before the change and has not been started yet; a run that is repeated gives the same.
        since = max([there.info.created_at, *(run.scheduled_at for run in there.info.recent_actions)])
        overlap = ScheduleOverlapPolicy.BUFFER_ALL
        await handle.backfill(ScheduleBackfill(start_at=since, end_at=datetime.now(UTC), overlap=overlap))
    return _as_it_is(await handle.describe(), "updated")


def _as_it_is(there: ScheduleDescription, change: Literal["created", "updated", "as it was"]) -> Kept:
    paused = there.schedule.state.paused
    coming = () if paused else there.info.next_action_times
    return Kept(there.id, change, paused, coming[0] if coming else None)


def _at(clock: time, kind: str) -> ScheduleCalendarSpec:
    days = [_range(1)] if kind == "monthly" else [_range(1, 31)]
    return ScheduleCalendarSpec(
        second=[_range(clock.second)],
        minute=[_range(clock.minute)],
        hour=[_range(clock.hour)],
        day_of_month=days,
        month=[_range(1, 12)],
        day_of_week=[_range(0, 6)],
    )


def _range(first: int, last: int | None = None) -> ScheduleRange:
    """As the server tells it back."""
    return ScheduleRange(first, first if last is None else last, 1)


def _said(schedule: Schedule, payloads: Sequence[Payload] | None = None) -> object:
    """What makes two schedules the same, as they are on the server."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    arguments = [each.data for each in payloads or action.args if isinstance(each, Payload)]
    calendars = [(each.second, each.minute, each.hour, each.day_of_month) for each in schedule.spec.calendars]
    when = [[[(each.start, max(each.start, each.end)) for each in field] for field in fields] for fields in calendars]
    return (
        (action.workflow, action.id, action.task_queue, arguments),
        (when, schedule.spec.time_zone_name, schedule.spec.intervals),
        (schedule.policy.overlap, schedule.policy.catchup_window),
    )
