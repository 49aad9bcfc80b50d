"""A mail as it is understood: who wrote it, which letter it answers, what it says. Pure; raw bytes in, a value out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.mail import headers
from adapters.mail.body import Attachment, body_of
from adapters.mail.bounces import Report, report_of
from adapters.mail.kinds import Kind, kind_of
from adapters.mail.parts import Part, UnreadableMail, parts_of
from adapters.mail.settings import MailSettings
from aftersales.ids import parse_case_id
from aftersales.message_ids import case_of

LONGEST_ORDER_ID = 200
"""Characters of an order id that an event may have."""


@dataclass(frozen=True)
class Mail:
    """One mail. What it does not say is empty.

    `id` is the same for the same mail; `message_id` is as in its header, with angle brackets. `sender` is the address
    in small letters. `letter` is the Message-ID of the letter of ours that it answers, or reports of, and `case_id` and
    `order_id` are that letter's. `text` is what was typed, HTML already without quotations.
    """

    kind: Kind
    shop: str
    id: str
    message_id: str
    sender: str
    sender_name: str
    subject: str
    sent_at: datetime
    received_at: datetime
    language: str
    letter: str
    case_id: str
    order_id: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    forwarded: tuple[tuple[str, str], ...] = ()
    report: Report | None = None


def read_mail(raw: bytes, *, shop: str, received_at: datetime, settings: MailSettings | None = None) -> Mail:
    """Read a raw RFC 822 message that came in for a shop at `received_at`.

    Raises:
        UnreadableMail: it is too large or not a mail; the text says why. Nothing else, whatever the bytes are.
        ValueError: `received_at` has no offset.
    """
    if received_at.tzinfo is None:
        raise ValueError(f"the time at which a mail came in needs its offset, got {received_at.isoformat()}")
    settings = settings or MailSettings()
    parts = parts_of(raw, settings)
    try:
        return _understood(parts, raw, shop, received_at, settings)
    except RecursionError as fault:
        raise UnreadableMail("the mail's parts are nested too deep; send it as a new mail") from fault


def _understood(parts: Part, raw: bytes, shop: str, received_at: datetime, settings: MailSettings) -> Mail:
    report = report_of(parts)
    name, sender = headers.address(parts.get("from", ""))
    letter, case_id, order_id = _case(report.letter, report.case_header) if report else _answered(parts)
    body = body_of(parts)
    identities = headers.message_ids(parts.get("message-id", ""))
    return Mail(
        kind=kind_of(parts, report, sender, settings, answers=bool(case_id)),
        shop=shop,
        id=headers.identity(parts, raw),
        message_id=identities[0] if identities else "",
        sender=sender,
        sender_name=name,
        subject=headers.header(parts, "subject"),
        sent_at=headers.sent_at(parts, received_at),
        received_at=received_at,
        language=headers.language(parts),
        letter=letter,
        case_id=case_id,
        order_id=order_id,
        text=body.text,
        attachments=body.attachments,
        forwarded=body.forwarded,
        report=report,
    )


def _answered(parts: Part) -> tuple[str, str, str]:
    """The letter of ours that a mail answers, with its case and order: by In-Reply-To, else the newest reference."""
    direct = headers.message_ids(parts.get("in-reply-to", ""))
    for found in [*direct, *reversed(headers.message_ids(parts.get("references", "")))]:
        letter, case_id, order_id = _case(found, "")
        if case_id:
            return letter, case_id, order_id
    return "", "", ""


def _case(letter: str, case_header: str) -> tuple[str, str, str]:
    """A letter of ours with its case and order, each empty where it is none."""
    case_id = (case_of(letter) if letter.isprintable() else None) or case_header
    try:
        order_id = parse_case_id(case_id).order_id
    except ValueError:
        return "", "", ""
    if not 0 < len(order_id.strip()) <= LONGEST_ORDER_ID or not case_id.isprintable():
        return "", "", ""
    return letter, case_id, order_id
