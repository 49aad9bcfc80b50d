"""The activities that cases run: how each is called, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.commands import OVER_LIMIT, REFUSED, CommandRequest, Commands
    from activities.letters import LetterRequest, Letters, LetterSent
    from activities.outcomes import HandBackRequest, Introduction, OutcomeRequest, Outcomes
    from activities.screening import ScreenRequest, screen_reply
    from aftersales.screening import Screened


class Refused(Exception):
    """A command will not be carried out, in these words; `approvable` where a supervisor may allow it all the same."""

    def __init__(self, words: str, *, approvable: bool) -> None:
        super().__init__(words)
        self.approvable = approvable


def _effect(activity_id: str, summary: str) -> ActivityConfig:
    """Effects are tried until they work. The timeout is short, so that a killed worker's effect is soon taken up."""
    return ActivityConfig(
        activity_id=activity_id,
        summary=summary,
        start_to_close_timeout=timedelta(seconds=10),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
    )


async def send_letter(activity_id: str, request: LetterRequest) -> LetterSent:
    """Render and send a letter."""
    summary = f"Letter {request.letter} to the customer"
    return await workflow.execute_activity_method(Letters.send, request, **_effect(activity_id, summary))


async def give_command(activity_id: str, request: CommandRequest) -> str:
    """Have a command done; returns the counterpart's reference. Raises `Refused`."""
    data = request.command.data
    money = f" {data['amount']} {data['currency']}" if "amount" in data else ""
    options = _effect(activity_id, f"Command {request.command.type}{money}")
    try:
        return (await workflow.execute_activity_method(Commands.give, request, **options)).reference
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type in (REFUSED, OVER_LIMIT):
            raise Refused(error.cause.message, approvable=error.cause.type == OVER_LIMIT) from error
        raise


async def record_outcome(activity_id: str, request: OutcomeRequest) -> None:
    """Write down how the case ended."""
    options = _effect(activity_id, f"Outcome {request.outcome.result}")
    await workflow.execute_activity_method(Outcomes.record, request, **options)


async def introduce(activity_id: str, opened: Introduction) -> None:
    """Make a case known that this one opened."""
    options = _effect(activity_id, f"Opened {opened.case.case_id}")
    await workflow.execute_activity_method(Outcomes.introduce, opened, **options)


async def hand_back(activity_id: str, request: HandBackRequest) -> None:
    """Put an event on the list that a person reads."""
    await workflow.execute_activity_method(Outcomes.hand_back, request, **_effect(activity_id, "For a person to read"))


async def screen(activity_id: str, request: ScreenRequest) -> Screened:
    """Read a reply."""
    return await workflow.execute_local_activity(
        screen_reply,
        request,
        activity_id=activity_id,
        summary="Read the reply",
        start_to_close_timeout=timedelta(seconds=10),
    )
