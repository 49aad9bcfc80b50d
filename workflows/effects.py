"""The activities that cases run: how each is called, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.commands import HELD, OVER_LIMIT, REFUSED, ChargeRequest, CommandRequest, Commands, GivenRequest
    from activities.evidence import Evidence
    from activities.letters import LETTER_HELD, Held, LetterRequest, Letters, LetterSent
    from activities.outcomes import HandBackRequest, Introduction, OpenRequest, OutcomeRequest, Outcomes
    from activities.screening import ScreenRequest, screen_reply
    from activities.triage import ClassifyRequest, Triage, unread
    from aftersales.evidence import EvidencePack, EvidenceRequest
    from aftersales.screening import Screened
    from aftersales.triage import Classified


class Refused(Exception):
    """A command will not be carried out, in these words; `kind` is the error type of its activity."""

    def __init__(self, words: str, kind: str) -> None:
        super().__init__(words)
        self.kind = kind


class LetterHeld(Exception):
    """A letter waits for a person, for these reasons; `forbidden` where it stays in if none decides.

    `about` says more; None for letters that were held before there was more to say.
    """

    def __init__(self, words: str, *, forbidden: bool, about: Held | None) -> None:
        super().__init__(words)
        self.forbidden, self.about = forbidden, about


def _effect(activity_id: str, summary: str) -> ActivityConfig:
    """Effects are tried until they work. The timeout is short, so that a killed worker's effect is soon taken up."""
    return ActivityConfig(
        activity_id=activity_id,
        summary=summary,
        start_to_close_timeout=timedelta(seconds=10),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
    )


async def send_letter(activity_id: str, request: LetterRequest) -> LetterSent:
    """Render and send a letter. Raises `LetterHeld`."""
    options = _effect(activity_id, f"Letter {request.letter} to the customer")
    try:
        return await workflow.execute_activity_method(Letters.send, request, **options)
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == LETTER_HELD:
            forbidden, *more = error.cause.details
            about = Held.model_validate(more[0]) if more else None
            raise LetterHeld(error.cause.message, forbidden=bool(forbidden), about=about) from error
        raise


async def give_command(activity_id: str, request: CommandRequest) -> str:
    """Have a command done; returns the counterpart's reference. Raises `Refused`."""
    data = request.command.data
    money = f" {data['amount']} {data['currency']}" if "amount" in data else ""
    options = _effect(activity_id, f"Command {request.command.type}{money}")
    try:
        return (await workflow.execute_activity_method(Commands.give, request, **options)).reference
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type in (REFUSED, OVER_LIMIT, HELD):
            raise Refused(error.cause.message, error.cause.type) from error
        raise


async def enter_charge(activity_id: str, request: ChargeRequest) -> None:
    """Enter money that left without a command of ours into the order's ledger."""
    options = _effect(activity_id, f"{request.kind} {request.amount} {request.currency} taken from us")
    await workflow.execute_activity_method(Commands.charge, request, **options)


async def given_before(activity_id: str, request: GivenRequest) -> bool:
    """Whether the order has had a command of this type before."""
    options = _effect(activity_id, f"Has the order had {request.type}?")
    return await workflow.execute_activity_method(Commands.given_before, request, **options)


async def build_evidence(activity_id: str, request: EvidenceRequest) -> EvidencePack:
    """Collect the order's whole record."""
    options = _effect(activity_id, f"Evidence pack {request.number}")
    return await workflow.execute_activity_method(Evidence.build, request, **options)


async def record_outcome(activity_id: str, request: OutcomeRequest) -> None:
    """Write down how the case ended."""
    options = _effect(activity_id, f"Outcome {request.outcome.result}")
    await workflow.execute_activity_method(Outcomes.record, request, **options)


async def introduce(activity_id: str, opened: Introduction) -> None:
    """Make a case known that this one opened."""
    options = _effect(activity_id, f"Opened {opened.case.case_id}")
    await workflow.execute_activity_method(Outcomes.introduce, opened, **options)


async def open_case(activity_id: str, request: OpenRequest) -> bool:
    """Open a case, or give its event to the one that runs; whether it was opened."""
    options = _effect(activity_id, f"Open {request.case_id}")
    return await workflow.execute_activity_method(Outcomes.open, request, **options)


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


async def classify(activity_id: str, request: ClassifyRequest) -> Classified:
    """Have a message read; where the classifier does not answer, a person reads it."""
    try:
        return await workflow.execute_local_activity_method(
            Triage.classify,
            request,
            activity_id=activity_id,
            summary="Read the message",
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=timedelta(seconds=30),
        )
    except FailureError:
        # A local activity fails with what it raised, or with its timeout.
        return unread()
