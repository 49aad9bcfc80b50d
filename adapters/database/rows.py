"""Records as rows and back."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from aftersales.ids import parse_case_id
from aftersales.outcome import Outcome
from aftersales.records import CaseRef, CommandRecord, EventRecord, EventStatus, LetterRecord, PaymentRecord

Row = dict[str, Any]

_REPORTED = (
    "case_id",
    "trigger",
    "process",
    "order_id",
    "shop",
    "currency",
    "result",
    "stage",
    "cause",
    "at_fault",
    "letters_sent",
    "first_response_time",
    "resolution_time",
    "decisions_missed",
    "angry",
    "messages",
    "replied_in_time",
    "policy_version",
    "opened_at",
    "closed_at",
)


def case_row(ref: CaseRef) -> Row:
    """A case as its first effect tells of it."""
    return {
        "case_id": ref.case_id,
        "trigger": ref.trigger,
        "process": ref.process,
        "order_id": ref.order_id,
        "part": ref.part,
        "shop": ref.shop,
        "opened_at": ref.opened_at,
    }


def letter_row(record: LetterRecord) -> Row:
    """A letter for its table."""
    return {
        "key": record.key,
        "case_id": record.case.case_id,
        "trigger": record.case.trigger,
        "letter": record.letter,
        "variant": record.variant,
        "language": record.language,
        "version": record.version,
        "message_id": record.message_id,
        "choices": list(record.choices),
        "claimed_at": record.claimed_at,
        "tried_at": record.tried_at,
        "sent_at": record.sent_at,
        "reference": record.reference,
    }


def letter_of(row: RowMapping) -> LetterRecord:
    """The inverse of `letter_row`, from a row of `LETTERS`."""
    return LetterRecord.model_validate({**row, "case": dict(row)})


def command_row(record: CommandRecord) -> Row:
    """A command for its table."""
    return {
        "key": record.key,
        "case_id": record.case.case_id,
        "trigger": record.case.trigger,
        "type": record.type,
        "data": record.data,
        "claimed_at": record.claimed_at,
        "accepted_at": record.accepted_at,
        "reference": record.reference,
        "refused": record.refused,
    }


def command_of(row: RowMapping) -> CommandRecord:
    """The inverse of `command_row`, from a row of `COMMANDS`."""
    return CommandRecord.model_validate({**row, "case": dict(row)})


def payment_row(record: PaymentRecord) -> Row:
    """A payment for its table."""
    return {
        "key": record.key,
        "case_id": record.case.case_id,
        "trigger": record.case.trigger,
        "shop": record.case.shop,
        "order_id": record.case.order_id,
        "kind": record.kind,
        "amount": str(record.amount),
        "currency": record.currency,
        "state": record.state,
        "at": record.at,
        "approved_by": record.approved_by,
        "reason": record.reason,
    }


def payment_of(row: RowMapping) -> PaymentRecord:
    """The inverse of `payment_row`, from a row of `PAYMENTS`."""
    return PaymentRecord.model_validate({**row, "case": dict(row)})


def event_row(record: EventRecord) -> Row:
    """An event for its table."""
    return {
        "source": record.source,
        "id": record.id,
        "order_id": record.order_id,
        "type": record.type,
        "happened_at": record.happened_at,
        "received_at": record.received_at,
        "status": record.status.value,
        "detail": record.detail,
        "cases": list(record.cases),
        "raw": record.raw,
    }


def event_of(row: RowMapping) -> EventRecord:
    """The inverse of `event_row`."""
    return EventRecord.model_validate(dict(row))


def handed_back_row(identity: str, *, case_id: str, detail: str, at: datetime) -> Row:
    """An event that needs a person, and which may have no row yet: cases hand events to cases, past the starter.

    Raises:
        ValueError: the text is no event's identity.
    """
    source, _, id = identity.partition(" ")
    if not (source and id):
        raise ValueError(f"{identity!r} is no event's identity; it is the source, a space and the id")
    return event_row(
        EventRecord(
            source=source,
            id=id,
            order_id=parse_case_id(case_id).order_id,
            received_at=at,
            status=EventStatus.FOR_A_PERSON,
            detail=detail,
            cases=(case_id,),
        )
    )


def outcome_row(outcome: Outcome) -> Row:
    """An outcome for its table; its `document` is all of it."""
    document = outcome.model_dump(mode="json")
    reported = {name: getattr(outcome, name) for name in _REPORTED}
    replies = {"replies": len(outcome.replies), "reply_seconds": math.fsum(outcome.replies)}
    return {**reported, **replies, "amounts": document["amounts"], "document": document}


def closed_case_row(outcome: Outcome) -> Row:
    """The case that ended with this outcome."""
    return {
        "case_id": outcome.case_id,
        "trigger": outcome.trigger,
        "process": outcome.process,
        "order_id": outcome.order_id,
        "part": parse_case_id(outcome.case_id).part,
        "shop": outcome.shop,
        "opened_at": outcome.opened_at,
        "closed_at": outcome.closed_at,
        "result": outcome.result,
        "stage": outcome.stage,
    }
