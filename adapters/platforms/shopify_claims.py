"""What goes wrong on Shopify: refunds, disputes, returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.platforms.notes import key_in
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import count, entries, fields, first, moment, money, text, written
from adapters.platforms.shopify_ids import alias, line_id, message_id, told_at
from adapters.platforms.shopify_orders import refunded

REASONS: Mapping[str, str | None] = {
    "color": "changed_mind",
    "style": "changed_mind",
    "unwanted": "changed_mind",
    "size_too_large": "size",
    "size_too_small": "size",
    "defective": "defective",
    "not_as_described": "not_as_described",
    "wrong_item": "wrong_item",
    "other": "other",
    "unknown": None,
}
"""Our reason of a return by Shopify's; without one the customer's words are read, and the customer is asked."""

OPEN = frozenset({"needs_response", "under_review"})
"""States of a dispute that is not decided yet."""
ENDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "won": ("dispute.decided", {"won": True}),
    "lost": ("dispute.decided", {"won": False}),
    "accepted": ("dispute.decided", {"won": False}),
    # The customer has the money by a refund, of which refunds/create tells: the dispute itself takes nothing.
    "charge_refunded": ("dispute.decided", {"won": False, "amount": "0"}),
    "prevented": ("dispute.withdrawn", {}),
}
"""What the end of a dispute becomes."""


def refund(notice: Notice) -> list[Raw]:
    """Money went back to the customer; the key says for which case, where the refund was ours."""
    given, name = notice.payload, _alias(notice, notice.payload.get("order_id"))
    amount = refunded(given)
    if not amount:
        raise notice.refuse("no money has moved", "nothing to do, a refund counts with a transaction that succeeded")
    data = {"amount": written(amount), "key": key_in(text(given.get("note"), 5000))}
    at = told_at(notice, "processed_at", "created_at")
    return [notice.event("refund.settled", message_id(notice), at, data, alias=name)]


def dispute_opened(notice: Notice) -> list[Raw]:
    """A chargeback, or a bank's inquiry before one."""
    given, status = notice.payload, text(notice.payload.get("status")).lower()
    if status in ENDS:
        return _dispute_ended(notice, status)
    if status not in OPEN:
        raise notice.refuse(f"the status {status!r} is not known", "answer the dispute on Shopify")
    data = {"kind": "chargeback", "claim_id": text(given.get("id"), 40), "text": _about(given)}
    data |= {"respond_by": due.isoformat()} if (due := moment(given.get("evidence_due_by"))) else {}
    claimed, currency = money(given.get("amount")), text(given.get("currency"))
    # In another currency than the order's the number would be wrong; without one the whole order is claimed.
    if claimed is not None and currency in ("", notice.storefront.currency or currency):
        data["amount"] = written(claimed)
    return [_dispute_event(notice, "dispute.opened", data, "initiated_at")]


def dispute_updated(notice: Notice) -> list[Raw]:
    """A dispute was decided, or the date to answer it by is another one."""
    given, status = notice.payload, text(notice.payload.get("status")).lower()
    if status in ENDS:
        return _dispute_ended(notice, status)
    if status not in OPEN:
        raise notice.refuse(f"the status {status!r} is not known", "look the dispute up on Shopify")
    due = moment(given.get("evidence_due_by"))
    if due is None:
        raise notice.refuse("nothing of it has changed that we act on", "nothing to do, the decision is told by itself")
    data = {"claim_id": text(given.get("id"), 40), "respond_by": due.isoformat()}
    return [_dispute_event(notice, "dispute.updated", data)]


def return_requested(notice: Notice) -> list[Raw]:
    """A customer wants to return lines, or the shop agreed to it: one event for each reason, as each is a case."""
    given = notice.payload
    name = _alias(notice, fields(given.get("order")).get("id") or given.get("order_id"))
    by_reason: dict[str | None, list[Mapping[str, Any]]] = {}
    for line in entries(given.get("return_line_items")):
        by_reason.setdefault(_reason(notice, line), []).append(line)
    if not by_reason:
        raise notice.refuse("return_line_items is missing", "subscribe without include_fields")
    id = stable_id("return", text(given.get("id"), 40)) if text(given.get("id"), 40) else message_id(notice)
    at = told_at(notice, "created_at", "requested_at")
    events = []
    for reason, lines in by_reason.items():
        wanted = [_return_line(notice, line) for line in lines]
        words = (text(line.get(field), 2000) for line in lines for field in ("customer_note", "return_reason_note"))
        data = {"lines": wanted, "reason": reason, "text": "\n".join(dict.fromkeys(filter(None, words)))[:20_000]}
        events.append(notice.event("order.return_requested", id, at, data, alias=name))
    return events


def return_cancelled(notice: Notice) -> list[Raw]:
    """A return is off: the customer or the shop took it back, or the shop declined it."""
    given = notice.payload
    name = _alias(notice, fields(given.get("order")).get("id") or given.get("order_id"))
    return [notice.event("order.return_cancelled", message_id(notice), told_at(notice, "updated_at"), {}, alias=name)]


def _alias(notice: Notice, order_id: object) -> str:
    if not (name := alias(notice, order_id)):
        raise notice.refuse("the order's id is missing", "find the order on Shopify; no order of the shop is named")
    return name


def _dispute_ended(notice: Notice, status: str) -> list[Raw]:
    type, outcome = ENDS[status]
    data = {"claim_id": text(notice.payload.get("id"), 40), **outcome}
    return [_dispute_event(notice, type, data, "finalized_on")]


def _dispute_event(notice: Notice, type: str, data: Mapping[str, Any], *times: str) -> Raw:
    name = _alias(notice, notice.payload.get("order_id"))
    return notice.event(type, message_id(notice), told_at(notice, *times), data, alias=name)


def _about(dispute: Mapping[str, Any]) -> str:
    named = (("type", "type"), ("reason", "reason"), ("network_reason_code", "network code"))
    return ", ".join(f"{word} {told}" for field, word in named if (told := text(dispute.get(field))))


def _reason(notice: Notice, line: Mapping[str, Any]) -> str | None:
    told = first(line.get("return_reason"), fields(line.get("return_reason_definition")).get("handle")).lower()
    own = notice.storefront.return_reasons
    return own[told] if told in own else REASONS.get(told.replace("-", "_"), "other" if told else None)


def _return_line(notice: Notice, line: Mapping[str, Any]) -> dict[str, Any]:
    own = line_id(fields(fields(line.get("fulfillment_line_item")).get("line_item")))
    if not own:
        raise notice.refuse("return_line_items: a line_item is missing", "subscribe without include_fields")
    return {"line_id": own, "quantity": count(line.get("quantity")) or 1}
