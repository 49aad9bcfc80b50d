"""Letters to customers: rendered from their template, sent once, written down in the ledger."""

from __future__ import annotations

from operator import not_
from typing import Annotated

from pydantic import Field, JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from aftersales.channels import Terms, faults, foreign
from aftersales.letters import Books, Rendered
from aftersales.message_ids import message_id
from aftersales.model import Model, Time
from aftersales.order import Customer
from aftersales.ports import Channel, LetterLedger
from aftersales.records import CaseRef, LetterRecord

LETTER_HELD = "LetterHeld"
"""The error type of a letter that its channel forbids; a person decides. Its detail says whether more than the language
is against it."""


class LetterRequest(Model):
    """One letter of a case. `key` is its idempotency key; `values` are the template's variables, money as strings."""

    key: str
    case: CaseRef
    letter: str
    to: Customer
    locale: str
    currency: str
    languages: tuple[str, ...]
    values: dict[str, JsonValue]
    at: Time
    terms: Annotated[Terms | None, Field(exclude_if=not_)] = None
    """What its channel asks of it; None where nothing is asked, or a person lets it go out all the same."""


class LetterSent(Model):
    """A letter that is out. `choices` are the ids it offered, in their order."""

    language: str
    version: str
    choices: tuple[str, ...]


class Letters:
    """Sends the letters of cases."""

    def __init__(self, books: Books, channel: Channel, ledger: LetterLedger, *, domain: str) -> None:
        """`domain` stands behind the @ of every Message-ID."""
        self._books, self._channel, self._ledger, self._domain = books, channel, ledger, domain

    @activity.defn(name="send_letter")
    async def send(self, request: LetterRequest) -> LetterSent:
        """Send one letter, once for its key however often this runs.

        Raises:
            ApplicationError: of type `LetterHeld`, where its channel forbids it; the text says why.
        """
        rendered = self._books.of(request.case.shop).render(
            request.letter,
            process=request.case.process,
            language=request.to.language,
            fallback=request.languages,
            locale=request.locale,
            currency=request.currency,
            values={
                **request.values,
                "customer_name": request.to.name,
                "order_id": request.case.order_id,
                "shop": request.case.shop,
            },
        )
        if request.terms:
            _check(rendered, request, request.terms)
        identity = message_id(request.case.case_id, request.key, self._domain)
        claimed = await self._ledger.claim_letter(
            LetterRecord(
                key=request.key,
                case=request.case,
                letter=request.letter,
                language=rendered.language,
                version=rendered.version,
                message_id=identity,
                choices=rendered.choices,
                claimed_at=request.at,
            )
        )
        if claimed.sent_at:
            return LetterSent(language=claimed.language, version=claimed.version, choices=claimed.choices)
        reference = await self._channel.deliver(
            key=request.key,
            case_id=request.case.case_id,
            message_id=identity,
            to=request.to,
            sender=request.case.shop,
            name=request.letter,
            rendered=rendered,
            at=request.at,
        )
        await self._ledger.letter_sent(request.key, at=request.at, reference=reference)
        activity.logger.info("letter sent", extra={"letter": request.letter, "language": rendered.language})
        return LetterSent(language=rendered.language, version=rendered.version, choices=rendered.choices)


def _check(rendered: Rendered, request: LetterRequest, terms: Terms) -> None:
    forbidden = faults(f"{rendered.subject}\n{rendered.text}", request.at, terms)
    if found := [*forbidden, *foreign(rendered.language, request.to.language, terms)]:
        # The rule of a channel is no failure of ours: it is not logged as one.
        benign = ApplicationErrorCategory.BENIGN
        raise ApplicationError("; ".join(found), bool(forbidden), type=LETTER_HELD, non_retryable=True, category=benign)
