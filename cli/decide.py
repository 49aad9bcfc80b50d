"""`decide` and `extend`: what operators tell a running case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer
from pydantic import BaseModel, ValidationError
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from adapters.settings import Settings
from cli.connection import Desk, open_desk
from cli.looking import CaseNow, described, unknown_case
from cli.running import Stop, run
from workflows.requests import Decide, Extend

ANSWER_WITHIN = timedelta(seconds=10)
"""A live worker answers in milliseconds."""

Case = Annotated[str, typer.Argument(metavar="CASE", help="The case id, such as return-escalation/A-1001.")]
By = Annotated[str, typer.Option(help="Who decides: your name.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]


def decide(
    case: Case,
    option: Annotated[str, typer.Argument(metavar="OPTION", help="One of the open options; ./dev case shows them.")],
    by: By,
    reason: Reason,
    amount: Annotated[
        str | None, typer.Option(help="An amount such as 12.00, beside an option that takes one, such as partial.")
    ] = None,
    reference: Annotated[str, typer.Option(help="The counterpart's number, with done_by_hand.")] = "",
) -> None:
    """Take an operator's decision."""
    given = {"option": option, "by": by, "reason": reason, "amount": amount, "reference": reference}
    try:
        request = Decide.model_validate(given)
    except ValidationError as error:
        raise typer.BadParameter(f"--amount {amount}: {error.errors()[0]['msg']}") from None
    run(lambda settings: _decide(settings, case, request))


def extend(
    case: Case,
    by: By,
    reason: Reason,
    until: Annotated[str | None, typer.Option(help="The new deadline, such as 2026-12-01T12:00Z.")] = None,
    hours: Annotated[float | None, typer.Option(min=0.01, help="So many hours later than it is now.")] = None,
) -> None:
    """Move the deadline that a case waits for."""
    if (until is None) == (hours is None):
        raise typer.BadParameter("write either --until MOMENT or --hours NUMBER")
    run(lambda settings: _extend(settings, case, by, reason, until=_moment(until), hours=hours))


async def _decide(settings: Settings, case: str, request: Decide) -> int:
    async with open_desk(settings) as desk:
        await _open(desk, case)
        print(await _update(desk.client, case, "decide", request))
    return 0


async def _extend(
    settings: Settings, case: str, by: str, reason: str, *, until: datetime | None, hours: float | None
) -> int:
    async with open_desk(settings) as desk:
        now = await _open(desk, case)
        if hours is not None:
            if now.deadline is None:
                raise Stop(f"{case} waits for no deadline now; it is at stage {now.stage}")
            until = now.deadline + timedelta(hours=hours)
        print(await _update(desk.client, case, "extend", Extend(until=until, by=by, reason=reason)))
    return 0


async def _open(desk: Desk, case: str) -> CaseNow:
    """The case, which must be open. Raises `Stop`."""
    found = await described(desk.client, case)
    if found is None:
        raise await unknown_case(desk.store, case)
    now = CaseNow.of(found)
    if not now.open:
        raise Stop(
            f"{case} is {now.status}" + (f" with result {now.result}" if now.result else "") + "; it waits for nothing"
        )
    return now


async def _update(client: Client, case: str, update: str, request: BaseModel) -> str:
    """The case's answer. Raises `Stop` in its words where it refuses."""
    try:
        handle = client.get_workflow_handle(case)
        return str(await handle.execute_update(update, request, result_type=str, rpc_timeout=ANSWER_WITHIN))
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Stop(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise Stop(_nobody(case)) from None
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise Stop(f"{case} is not open any more") from None
        if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            raise Stop(_nobody(case)) from None
        raise


def _nobody(case: str) -> str:
    return (
        f"no worker answered within {ANSWER_WITHIN.seconds} s; is one running (./dev up, or python worker.py)? "
        f"It may still be taken when one comes: look with ./dev case {case} before you send it again"
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--until {text}: write a moment such as 2026-12-01T12:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"--until {text}: add the offset, such as {text}Z or {text}+08:00")
    return moment
