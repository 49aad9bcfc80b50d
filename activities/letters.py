"""Letters to customers: rendered from their template, sent once, written down in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
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
from aftersales.sending import NotSent, Outgoing, PerhapsSent, PutOff, Undeliverable

LETTER_HELD = "LetterHeld"
"""The error type of a letter that its channel forbids or refuses, or that may be out already; a person decides. Its
first detail says whether it stays in where nobody does, the second is a `Held`."""
NOT_SENT = "LetterNotSent"
"""The error type of a letter that is not out yet and is tried again."""
PATIENCE = timedelta(days=1)
"""How long a letter is tried that only the customer's own side puts off; then a person decides."""
_MOST_PAUSES = 5
_OTHER_TRY = 10.0
"""Seconds after which another try of the same letter has ended or was given up: the timeout of an effect."""


class LetterRequest(Model):
    """One letter of a case. `key` is its idempotency key; `values` are the template's variables, money as strings."""

    key: str
    case: CaseRef
    letter: str
    variant: Annotated[str, Field(exclude_if=not_)] = ""
    """Which variant of the letter is written; empty for the letter itself."""
    to: Customer
    locale: str
    currency: str
    languages: tuple[str, ...]
    values: dict[str, JsonValue]
    at: Time
    terms: Annotated[Terms | None, Field(exclude_if=not_)] = None
    """What its channel asks of it; None where nothing is asked, or a person lets it go out all the same."""
    channel: Annotated[str, Field(exclude_if=not_)] = ""
    """The channel of the order, where `terms` do not say it."""
    again: Annotated[bool, Field(exclude_if=not_)] = False
    """A person lets it go out although an earlier try, one before `at`, may have sent it."""

    @property
    def order_channel(self) -> str:
        """The channel of the order; empty where it is not known."""
        return self.terms.channel if self.terms else self.channel


class LetterSent(Model):
    """A letter that is out. `choices` are the ids it offered, in their order."""

    language: str
    version: str
    choices: tuple[str, ...]
    variant: Annotated[str, Field(exclude_if=not_)] = ""
    """The variant that was written; empty for the letter itself, also where the one asked for is gone by now."""


class Held(Model):
    """What goes with a letter that is held: the channel of its order, and what the customer perhaps has already."""

    channel: str = ""
    perhaps: LetterSent | None = None


class Letters:
    """Sends the letters of cases."""

    def __init__(self, books: Books, channel: Channel, ledger: LetterLedger, *, domain: str) -> None:
        """`domain` stands behind the @ of every Message-ID."""
        self._books, self._channel, self._ledger, self._domain = books, channel, ledger, domain

    @activity.defn(name="send_letter")
    async def send(self, request: LetterRequest) -> LetterSent:
        """Send one letter, once for its key however often this runs.

        Raises:
            ApplicationError: of type `LetterHeld`, where its channel forbids or refuses it, or an earlier try may have
                sent it; `LetterNotSent`, where it is to be tried again. The text says why.
        """
        rendered = self._books.of(request.case.shop).render(
            request.letter,
            variant=request.variant,
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
                variant=rendered.variant,
                language=rendered.language,
                version=rendered.version,
                message_id=identity,
                choices=rendered.choices,
                claimed_at=request.at,
            )
        )
        sent = LetterSent(
            language=rendered.language, version=rendered.version, choices=rendered.choices, variant=rendered.variant
        )
        written = LetterSent(
            language=claimed.language, version=claimed.version, choices=claimed.choices, variant=claimed.variant
        )
        if claimed.sent_at:
            return written
        if claimed.tried_at and not (request.again and claimed.tried_at < request.at):
            raise _held(f"{_CUT_OFF}, so the customer may have it already", request, perhaps=written)
        this = _Try(self._ledger, request.key, at=request.at, after=claimed.tried_at)
        letter = Outgoing(
            key=request.key,
            case_id=request.case.case_id,
            message_id=identity,
            to=request.to,
            shop=request.case.shop,
            name=request.letter,
            rendered=rendered,
            at=request.at,
            order_channel=request.order_channel,
        )
        try:
            reference = await self._channel.deliver(letter, this.begins)
        except PerhapsSent as unknown:
            raise _held(str(unknown), request, perhaps=sent) from unknown
        except Undeliverable as refusal:
            await this.failed()
            raise _held(str(refusal), request, perhaps=written if claimed.tried_at else None) from refusal
        except NotSent as later:
            await this.failed()
            raise _later(later, request) from later
        await self._ledger.letter_sent(request.key, at=request.at, reference=reference)
        activity.logger.info("letter sent", extra={"letter": request.letter, "language": rendered.language})
        return sent


_CUT_OFF = "a try of sending it was cut off before its end was written down"


class _Try:
    """One try of a letter: what is written down before it may be out, and taken back where it certainly is not."""

    def __init__(self, ledger: LetterLedger, key: str, *, at: datetime, after: datetime | None) -> None:
        self._ledger, self._key, self._at, self._after = ledger, key, at, after
        self._begun = False

    async def begins(self) -> None:
        if not await self._ledger.letter_tried(self._key, at=self._at, after=self._after):
            raise NotSent("another try of this letter is under way", retry_after=_OTHER_TRY, expected=True)
        self._begun = True

    async def failed(self) -> None:
        # A mark that is not ours belongs to a try that may still be under way.
        if self._begun:
            await self._ledger.letter_not_sent(self._key, at=self._at)


def _later(later: NotSent, request: LetterRequest) -> ApplicationError:
    """The error that has it tried again, or that holds it where the customer's side has put it off too long."""
    this = activity.info()
    if isinstance(later, PutOff) and this.started_time - this.scheduled_time > PATIENCE:
        return _held(f"{later}; it has been tried for a day", request)
    pauses = min(this.attempt, _MOST_PAUSES) if isinstance(later, PutOff) else 1
    return ApplicationError(
        str(later),
        type=NOT_SENT,
        next_retry_delay=None if later.retry_after is None else timedelta(seconds=later.retry_after * pauses),
        # The channel has logged what is wrong; a traceback for each try of each letter would bury it.
        category=ApplicationErrorCategory.BENIGN,
    )


def _held(
    why: str, request: LetterRequest, *, stays_in: bool = True, perhaps: LetterSent | None = None
) -> ApplicationError:
    """Not tried again. The rule or the answer of a channel is no failure of ours: it is not logged as one."""
    held = Held(channel=request.order_channel, perhaps=perhaps)
    benign = ApplicationErrorCategory.BENIGN
    return ApplicationError(why, stays_in, held, type=LETTER_HELD, non_retryable=True, category=benign)


def _check(rendered: Rendered, request: LetterRequest, terms: Terms) -> None:
    forbidden = faults(f"{rendered.subject}\n{rendered.text}", request.at, terms)
    if found := [*forbidden, *foreign(rendered.language, request.to.language, terms)]:
        raise _held("; ".join(found), request, stays_in=bool(forbidden))
