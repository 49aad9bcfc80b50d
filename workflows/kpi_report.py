"""The report of figures, made by a Temporal Schedule every day and every month."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.reports import HEARTBEAT, CompareRequest, MakeRequest, Reports
    from activities.staff_letters import StaffLetters, TellRequest
    from aftersales.figures import Period
    from aftersales.periods import last_day, last_month
    from aftersales.report_runs import Made, ReportRun, RunDone, Told

from workflows import attributes

SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""What the server adds to what a schedule starts: the time that it was due, however late it is."""
_SHOWN = 20
_TOLD_WITHIN = timedelta(hours=12)


@workflow.defn(name="kpi-report", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class KpiReport:
    """Figures of yesterday, or of last month, for every shop and for all (`spec/processes.md` §20).

    All that it looks at is as it was at the time for which it was scheduled: a late run, one that catches up, and a
    repeat give the same numbers. The daily run compares the figures with their limits and tells staff.

    It takes minutes, and no promise hangs on it: unlike a case it goes on with the newest build (AUTO_UPGRADE).
    """

    @workflow.run
    async def run(self, asked: ReportRun) -> RunDone:
        """Make the reports, one after the other, then tell staff."""
        workflow.upsert_search_attributes([attributes.PROCESS.value_set("kpi-report")])
        at = asked.at or _scheduled_for()
        period = last_day(at, asked.zone) if asked.kind == "daily" else last_month(at, asked.zone)
        about = f"Report of {period.name}, as of {at:%Y-%m-%d %H:%M %Z}"
        workflow.set_current_details(about)
        made: list[Made] = []
        for shop in await workflow.execute_activity_method(Reports.shops, **_effect("shops", "Which shops are there?")):
            made.append(await _make(shop, period, at))
            workflow.set_current_details(_story(about, made))
        told = await _warn(at) if asked.kind == "daily" else None
        workflow.set_current_details(_story(about, made, told))
        return RunDone(period=period.name, as_of=at, reports=tuple(made), told=told)


async def _make(shop: str, period: Period, at: datetime) -> Made:
    options = _effect(f"report:{shop}" if shop else "report", f"Report of {period.name}, {shop or 'all shops'}")
    request = MakeRequest(shop=shop, period=period, as_of=at)
    return await workflow.execute_activity_method(Reports.make, request, **options)


async def _warn(at: datetime) -> Told:
    """Compare figures with their limits and tell staff; mail that is not taken for hours waits for the next run."""
    compared = _effect("limits", "Compare with the limits")
    await workflow.execute_activity_method(Reports.compare, CompareRequest(at=at), **compared)
    telling = _effect("staff", "Tell staff of crossed limits")
    telling["schedule_to_close_timeout"] = _TOLD_WITHIN
    try:
        return await workflow.execute_activity_method(StaffLetters.tell, TellRequest(at=at), **telling)
    except ActivityError as error:
        return Told(sent=0, problems=(f"staff could not be told, the next run tries again: {error.cause or error}",))


def _effect(activity_id: str, summary: str) -> ActivityConfig:
    """Tried until it works: a missing report would be nobody's fault and nobody's task."""
    return ActivityConfig(
        activity_id=activity_id,
        summary=summary,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
    )


def _scheduled_for() -> datetime:
    """The time for which this run was scheduled; its start where somebody started it by hand."""
    info = workflow.info()
    return info.typed_search_attributes.get(SCHEDULED_FOR) or info.start_time


def _story(about: str, made: list[Made], told: Told | None = None) -> str:
    """What operators read in the Web UI."""
    lines = [f"- {each.shop or 'all shops'}: `{each.files.get('html', '')}`" for each in made[:_SHOWN]]
    if len(made) > _SHOWN:
        lines.append(f"- and {len(made) - _SHOWN} more")
    if told:
        lines += ["", f"Warnings sent to staff: {told.sent}", *(f"- {problem}" for problem in told.problems)]
    return "\n".join([about, "", *lines])
