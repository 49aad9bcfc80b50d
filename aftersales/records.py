"""What the database keeps, as values: events, cases, letters and commands as they stand in their ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from aftersales.model import Amount, Model, Time
from aftersales.outcome import Kind


class EventStatus(StrEnum):
    """What became of an event."""

    RECEIVED = "received"
    """Written down, not finished: a process that died leaves it so, and a repeat takes it up."""
    STARTED = "started"
    SIGNALLED = "signalled"
    NO_OPEN_CASE = "no_open_case"
    """No case awaits it. Kept: the case that opens later and happened before it still gets it."""
    REFUSED = "refused"
    """It cannot be taken as it is; `detail` says why."""
    FOR_A_PERSON = "for_a_person"
    """A case got it but had no rule for it; somebody must read it."""
    SET_ASIDE = "set_aside"
    """Nobody has to do anything about it."""
    DONE_BY_HAND = "done_by_hand"
    DUPLICATE = "duplicate"
    """It came before. Never stored: the first one's row says what became of it."""


@dataclass(frozen=True)
class Unreadable:
    """Text that came as an event and cannot be read, and why; it is kept as refused."""

    text: str
    reason: str


class EventRecord(Model):
    """One event as it came in. `raw` is the text as received; `cases` are the cases it started or reached."""

    source: str
    id: str
    order_id: str = ""
    type: str = ""
    happened_at: Time | None = None
    received_at: Time
    status: EventStatus = EventStatus.RECEIVED
    detail: str = ""
    cases: tuple[str, ...] = ()
    raw: str = ""


class AnsweredRequest(Model):
    """A request over HTTP and what it was answered. `digest` is that of what its sender signed."""

    sender: str
    id: str
    digest: str
    status: int
    media_type: str
    answer: str
    at: Time


class CaseRef(Model):
    """One run of a case: the case id and the event that opened it. Every effect of the run carries it."""

    case_id: str
    trigger: str
    process: str
    order_id: str
    part: str = ""
    shop: str
    opened_at: Time


class CaseRecord(CaseRef):
    """A case as the database knows it. `opening` is the JSON that started it, where it was started from outside."""

    closed_at: Time | None = None
    result: str | None = None
    stage: str | None = None
    opening: str | None = None


class LetterRecord(Model):
    """A letter in the ledger. It is claimed before it is sent; `sent_at` and `reference` are there when it was.

    `tried_at` without `sent_at` is a try by a channel that cannot tell a repeat, of which nobody wrote down how it
    ended: the letter may be out.
    """

    key: str
    case: CaseRef
    letter: str
    variant: str = ""
    """Empty for the letter itself."""
    language: str
    version: str
    message_id: str
    choices: tuple[str, ...]
    claimed_at: Time
    tried_at: Time | None = None
    sent_at: Time | None = None
    reference: str | None = None
    bounced: str | None = None
    """Why it came back, in the mail server's words."""


class CommandRecord(Model):
    """A command in the ledger. It is claimed before it is given; then it has a `reference` or was `refused`."""

    key: str
    case: CaseRef
    type: str
    data: dict[str, JsonValue]
    claimed_at: Time
    accepted_at: Time | None = None
    reference: str | None = None
    refused: str | None = None


class PaymentRecord(Model):
    """Money of an order that leaves, in the order's ledger (rule 8). `key` is that of the command that pays it.

    It is `reserved` before the command is given, `confirmed` once it is accepted, `released` where it came to nothing.
    """

    key: str
    case: CaseRef
    kind: Kind
    amount: Amount
    currency: str
    state: Literal["reserved", "confirmed", "released"] = "reserved"
    at: Time
    approved_by: str = ""
    """Who let it go out although it is more than the order's total, with a `reason`."""
    reason: str = ""
