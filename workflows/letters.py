"""Sending a letter: once, and with a person asked where its channel forbids or refuses it, or may have sent it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.letters import Held, LetterRequest, LetterSent
    from aftersales.correspondence import ACKNOWLEDGEMENT, Written
    from aftersales.events import ANSWERED
    from aftersales.variants import drawn, key_of

from workflows import effects
from workflows.values import Value, plain

if TYPE_CHECKING:
    from workflows.case import Case

OPTIONS = {
    "send_anyway": "the letter goes out as it is, whatever is said against it",
    "leave_out": "the letter is not sent from here and the case goes on; write to the customer where that is needed",
}
"""What an operator may say to a letter that is held, and what each does."""


async def send(case: Case, letter: str, values: dict[str, Value]) -> None:
    """See `Case.send`."""
    case.state.stage = letter
    if case.state.unpaid and letter != ACKNOWLEDGEMENT:
        case.note(f"letter {letter} left out")
        why = f"the letter {letter} was left out, as {case.state.unpaid} is not paid: write to the customer"
        await case.tell(f"aftersales {case.key(f'letter:{letter}')}", why)
        return
    resume, order = case.opened.resume, case.order
    out_before = resume is not None and resume.letter == letter and not case.state.letters_sent
    activity_id = case.state.next_id(f"letter:{letter}")
    items: JsonValue = [{"title": i.title, "quantity": i.quantity, "sku": i.sku} for i in order.items]
    answers = case.state.first_message_at is not None or isinstance(case.opened.opener, ANSWERED)
    terms = case.policy.channels.terms(order.channel, delivered_at=order.delivered_at, answers=answers)
    variant = drawn(case.ref.case_id, letter, case.policy.letters.variants.get(letter, {}))
    request = LetterRequest(
        key=case.key(activity_id, resume.sent_by if resume and out_before else case.ref.trigger),
        case=case.ref,
        letter=letter,
        variant=variant,
        to=order.customer,
        locale=order.locale,
        currency=order.currency,
        languages=case.policy.letters.languages,
        values={"items": items, "total": str(order.total), **plain(values)},
        at=workflow.now(),
        terms=None if out_before else terms,
    )
    sent = await _sent(case, activity_id, request)
    if sent is None:
        return
    # The files may have lost it since the case began.
    variant = sent.variant
    case.state.choices = sent.choices or case.state.choices
    if out_before:
        case.state.letters_sent += 1
    else:
        written = Written(letter=letter, language=sent.language, variant=variant, sent_at=workflow.now())
        # What the customer writes while the letter is on its way, it does not answer.
        case.state.we_wrote(written, sent.version, request.at)
        case.note(f"letter {key_of(letter, variant)} ({sent.language}) sent")


async def _sent(case: Case, activity_id: str, request: LetterRequest) -> LetterSent | None:
    """Send it, and ask a person each time that it is held; None where it stays in."""
    asked, name = request, activity_id
    for again in count(1):
        try:
            return await effects.send_letter(name, asked)
        except effects.LetterHeld as held:
            if not await _goes_out(case, request, held):
                return None
            asked = request.model_copy(update={"terms": None, "at": workflow.now(), **_known(asked, held.about)})
            name = f"{activity_id}:anyway" + (f":{again}" if again > 1 else "")
    raise AssertionError("a letter goes out or stays in")


def _known(asked: LetterRequest, about: Held | None) -> dict[str, str | bool]:
    """What a letter takes along that a person lets go out; nothing for one that was held before there was such."""
    if about is None:
        return {}
    return {"channel": about.channel, "again": asked.again or about.perhaps is not None}


async def _goes_out(case: Case, request: LetterRequest, held: effects.LetterHeld) -> bool:
    """What an operator says to a letter that is held.

    Where none decides it stays in and a person is told; but a letter in another language is better than none.
    """
    case.note(f"letter {request.letter} held: {held}")
    question = f"The letter {request.letter} is held: {held}. Send it all the same?"
    window = case.policy.channels.held_window
    fallback = "leave_out" if held.forbidden else "send_anyway"
    source = "channels.held_window"
    if await case.decision(question, *OPTIONS, fallback=fallback, within=window, source=source) == "send_anyway":
        return True
    perhaps = held.about.perhaps if held.about else None
    if perhaps:
        # The customer may answer it.
        case.state.choices = perhaps.choices or case.state.choices
    case.note(f"letter {request.letter} {'perhaps sent' if perhaps else 'left out'}")
    if not case.state.decisions[-1].by:
        became = "was perhaps sent" if perhaps else "was not sent"
        await case.tell(f"aftersales {request.key}", f"letter {request.letter} {became}: {held}")
    return False
