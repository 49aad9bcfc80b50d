"""What customers write: read by the screening, by an operator where it is unclear, and never left without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.screening import ScreenRequest
    from activities.triage import ClassifyRequest
    from aftersales.correspondence import ACKNOWLEDGEMENT
    from aftersales.events import Message
    from aftersales.opening import Reply
    from aftersales.triage import Classified

from workflows import effects

if TYPE_CHECKING:
    from workflows.case import Case


async def read(case: Case, message: Message, unclear: str) -> Reply:
    """Have a reply read; nobody can: to an operator, but an angry customer is not made to wait for that."""
    screened = await effects.screen(
        case.state.next_id("screen"),
        ScreenRequest(
            text=message.text,
            choice=message.choice,
            options=case.state.choices,
            language=message.language or case.order.customer.language,
        ),
    )
    case.state.angry |= screened.angry
    intent, said = screened.intent, message.text or f"choice {message.choice}"
    case.note(f"the customer{' (angry)' if screened.angry else ''}, read as {intent}: “{said[:300]}”")
    if intent == "unclear" and unclear:
        question = f"The customer wrote: “{said[:1000]}”. What is meant?"
        asks = not screened.angry
        options = dict.fromkeys((*case.state.choices, unclear))
        intent = await case.decision(question, *options, fallback=unclear) if asks else unclear
    case.state.written.read_as(intent, min(message.happened_at, workflow.now()))
    known = message.model_dump(include={"id", "source", "order_id", "time"})
    return Reply(
        **known,
        intent=intent,
        angry=screened.angry,
        text=message.text,
        received_at=message.happened_at,
        message=message,
    )


async def classified(case: Case, message: Message) -> Classified:
    """Have a message read by the classifier; it abstains where it is not as sure as the policy asks."""
    language = message.language or case.order.customer.language
    threshold = case.policy.inquiries.threshold(language)
    request = ClassifyRequest(text=message.text, threshold=threshold, language=language)
    return await effects.classify(case.state.next_id("classify"), request)


async def acknowledge(case: Case) -> None:
    """Tell the customer that a person reads the message; but an answering machine is not answered on and on."""
    now, last, stage = workflow.now(), case.state.acknowledged_at, case.state.stage
    case.state.last_letter_at = now
    if last is None or now - last >= case.policy.letters.acknowledge_every:
        case.state.acknowledged_at = now
        await case.send(ACKNOWLEDGEMENT)
        case.state.stage = stage
