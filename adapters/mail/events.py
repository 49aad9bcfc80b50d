"""The event that a mail is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import quote

from pydantic import JsonValue

from adapters.mail.message import LONGEST_ORDER_ID, Mail
from adapters.mail.parts import UnreadableMail
from aftersales.reply_text import LONGEST, own_words, without_quotes
from aftersales.triage_entities import entities_in

CHANNEL = "email"
"""What the policy calls this channel."""
LONGEST_IGNORED = 500
"""Characters that are kept of a mail that no customer wrote."""
_LONGEST_FORWARDED, _MOST_FORWARDED = 2_000, 3
_SHORTENED = "[the rest of the message left out: it is too long]"

RawEvent: TypeAlias = dict[str, JsonValue]
"""A CloudEvent as JSON has it."""


def event_of(
    mail: Mail, *, order_ids: re.Pattern[str] | None = None, urls: Sequence[str] = (), left_out: Sequence[str] = ()
) -> RawEvent:
    """The raw event for a mail.

    `order_ids` is what the shop's order ids look like; `urls` is where the kept attachments are, `left_out` says of the
    others what they were and why, a line each.

    Raises:
        UnreadableMail: it is a message of nobody about nothing: no address, no order, no letter that it answers.
    """
    event: RawEvent = {
        "specversion": "1.0",
        "id": mail.id,
        "source": f"mail/{quote(mail.shop, safe='')}",
        "time": _written(mail.sent_at),
        "datacontenttype": "application/json",
    }
    if mail.kind == "message":
        # The intake compares it with the order's customer.
        return event | {"mailfrom": mail.sender or "nobody"} | _from_a_customer(mail, order_ids, urls, left_out)
    if mail.kind == "bounce" and mail.report and (mail.order_id or mail.report.recipient):
        return event | _bounced(mail)
    known: RawEvent = {"in_reply_to": mail.letter, "case_id": mail.case_id}
    text = mail.report.text if mail.report else mail.text
    data: RawEvent = {"kind": mail.kind, **_filled(known), "text": text[:LONGEST_IGNORED]}
    return event | {"type": "mail.ignored", **_filled({"subject": mail.order_id}), "data": data}


def _from_a_customer(
    mail: Mail, order_ids: re.Pattern[str] | None, urls: Sequence[str], left_out: Sequence[str]
) -> RawEvent:
    about = _filled({"message_id": mail.message_id, "language": mail.language, "attachments": list(urls)})
    data: RawEvent = {"text": _text(mail, left_out), "received_at": _written(mail.received_at), **about}
    if mail.case_id:
        data |= _filled({"in_reply_to": mail.letter}) | {"case_id": mail.case_id}
        return {"type": "customer.replied", "subject": mail.order_id, "data": data}
    data["channel"] = CHANNEL
    if order_id := _order_named(mail, order_ids):
        # Not with an alias: that would teach it, and anybody can write any order id.
        return {"type": "customer.message", "subject": order_id, "data": data}
    if not mail.sender:
        raise UnreadableMail("the mail has no sender's address, names no order and answers no letter; ask who sent it")
    return {"type": "customer.message", "orderalias": f"mail/{mail.sender}", "data": data}


def _bounced(mail: Mail) -> RawEvent:
    assert mail.report is not None
    report = mail.report
    data: RawEvent = {
        **_filled({"message_id": mail.letter, "case_id": mail.case_id, "recipient": report.recipient}),
        "status": report.status,
        "permanent": report.permanent,
        "text": report.text,
    }
    whose: RawEvent = {"subject": mail.order_id} if mail.order_id else {"orderalias": f"mail/{report.recipient}"}
    return {"type": "letter.bounced", **whose, "data": data}


def _order_named(mail: Mail, order_ids: re.Pattern[str] | None) -> str:
    """The first order id in the subject, else in the customer's own words, else in what is quoted; empty for none.

    Numbers of unknown shape are only looked for where the shop did not say what its order ids look like, and not in
    quotations, which are full of other numbers.
    """
    own = own_words(mail.text)
    if order_ids is None:
        named = (order_id for text in (mail.subject, own) for order_id in entities_in(text).order_ids)
    else:
        quoted = "\n".join([mail.text, *(f"{subject}\n{text}" for subject, text in mail.forwarded)])
        found = (order_ids.finditer(text[:LONGEST]) for text in (mail.subject, own, quoted))
        named = (match[0].strip() for matches in found for match in matches)
    return next((order_id for order_id in named if 0 < len(order_id) <= LONGEST_ORDER_ID), "")


def _text(mail: Mail, left_out: Sequence[str]) -> str:
    """What the customer wrote, and behind a signature's delimiter, where no word counts as the customer's, the rest."""
    rest = [f"[attachment left out: {line}]" for line in left_out]
    for subject, text in mail.forwarded[:_MOST_FORWARDED]:
        rest.append(f"[attached message: {subject[:200]}]\n{text[:_LONGEST_FORWARDED]}".rstrip())
    if further := len(mail.forwarded[_MOST_FORWARDED:]):
        rest.append(f"[{further} more attached messages left out]")
    said = mail.text
    room = LONGEST // 2
    foot = "\n".join(rest)[: room - len(_SHORTENED)]
    if len(said) + len(foot) + len(_SHORTENED) > LONGEST - 10:
        # What the mail program quoted must not push the answer out.
        said = without_quotes(said)
        if len(said) + len(foot) + len(_SHORTENED) > LONGEST - 10:
            said = said[: LONGEST - 10 - len(foot) - len(_SHORTENED)]
            foot = f"{_SHORTENED}\n{foot}".rstrip()
    return f"{said}\n\n-- \n{foot}" if foot else said


def _filled(values: RawEvent) -> RawEvent:
    return {name: value for name, value in values.items() if value}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
