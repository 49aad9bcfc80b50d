"""`cases`: the list of cases, the one first whose clock runs out first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from adapters.settings import Settings
from aftersales.units import parse_duration
from cli.connection import find_server
from cli.looking import NAMES, CaseNow, equals, listed, of_processes, titled
from cli.running import Stop, run
from cli.show import cell, console, distance, emit, moment, table
from cli.unrouted import list_unrouted

MOST = 10_000
"""Cases read to find those with the next deadlines."""


def cases(
    stage: Annotated[str | None, typer.Option(help="Only at this stage, such as return-terms or decision.")] = None,
    process: Annotated[str | None, typer.Option(help=f"Only of this process: {', '.join(NAMES)}.")] = None,
    order: Annotated[str | None, typer.Option(help="Only of this order.")] = None,
    due: Annotated[str | None, typer.Option(help="Only those with a clock that runs out so soon, such as 24h.")] = None,
    every: Annotated[bool, typer.Option("--all/--open", help="Closed ones too, or open ones only.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most to list.")] = 100,
    without: Annotated[
        bool, typer.Option("--unrouted", help="Instead of cases the events that reached none, the oldest first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per case.")] = False,
) -> None:
    """List cases: stage, deadline, result. Works without a running worker."""
    if without:
        run(lambda settings: list_unrouted(settings, order, limit, as_json))
    if process is not None and process not in NAMES:
        raise typer.BadParameter(f"there is no process {process!r}; there are {', '.join(NAMES)}")
    conditions = [of_processes([process] if process else NAMES)]
    if not every:
        conditions.append('ExecutionStatus = "Running"')
    if stage is not None:
        conditions.append(equals("Stage", stage))
    if order is not None:
        conditions.append(equals("OrderId", order))
    if due is not None:
        conditions.append(_due(due))
    run(lambda settings: _cases(settings, conditions, limit, as_json))


def _due(within: str) -> str:
    """The condition that one of a case's clocks runs out so soon; a case of an earlier build shows one only."""
    try:
        until = datetime.now(UTC) + parse_duration(within)
    except ValueError as error:
        raise typer.BadParameter(f"--due {within}: {error}") from None
    soon = f'<= "{until.isoformat(timespec="seconds")}"'
    return f"(Due {soon} OR (Due IS NULL AND Deadline {soon}))"


async def _cases(settings: Settings, conditions: list[str], limit: int, as_json: bool) -> int:
    client = (await find_server(settings)).client
    found = []
    async for workflow in listed(client, conditions):
        found.append(CaseNow.of(workflow))
        if len(found) > MOST:
            raise Stop(f"there are more than {MOST:,} such cases; ask for fewer with --stage, --process or --order")
    found.sort(key=_next_deadline)
    shown = await titled(client, found[:limit])
    if as_json:
        for case in shown:
            emit(case.model_dump(mode="json"))
        return 0
    screen, now = console(), datetime.now(UTC)
    if not shown:
        screen.print("no such cases")
        return 0
    rows = table("case", "title", "stage", "due (UTC)", "whose", "", "result")
    for case in shown:
        rows.add_row(
            cell(case.case),
            cell(_about(case)),
            cell(case.stage, "bold yellow" if case.stage == "decision" else ""),
            deadline(case, now),
            cell(case.due_for),
            Text("angry", "red") if case.angry else "",
            cell(case.result if case.open or case.status == "closed" else case.status),
        )
    screen.print(rows)
    more = len(found) - len(shown)
    screen.print(f"{len(found):,} case{'' if len(found) == 1 else 's'}" + (f", {more:,} not shown" if more else ""))
    return 0


def deadline(case: CaseNow, now: datetime) -> Text:
    """When the nearest of a case's clocks runs out, far away and absolute; empty where it waits for nothing."""
    at = case.due or case.deadline
    if at is None:
        return Text()
    return Text(f"{distance(at, now)} · {moment(at)}", "red" if at <= now else "")


def _about(case: CaseNow) -> str:
    """The part of the title that the case id does not say."""
    return case.title.split(" · ", 2)[-1]


def _next_deadline(case: CaseNow) -> tuple[bool, datetime, str]:
    at = case.due or case.deadline
    return at is None, at or case.opened_at, case.case
