"""WooCommerce's order webhooks: always the whole order; what it becomes follows from its status.

A delivery's id is made of the webhook's id and the second of the delivery: another one when the same is sent again, and
the same for two orders of one second. So what a message says is what identifies it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.platforms.errors import Untranslated
from adapters.platforms.notes import key_in
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import amount, count, entries, fields, first, moment, money, text, written
from adapters.platforms.storefront import Storefront

TOPICS = frozenset({"order.created", "order.updated", "order.restored"})

STATUSES: Mapping[str, tuple[str, ...]] = {
    "pending": ("order.updated",),
    "on-hold": ("order.updated",),
    "failed": ("order.updated",),
    # Money is there, or is taken at the door: the shop is to send the goods.
    "processing": ("order.paid", "order.updated"),
    "completed": ("order.updated",),
    "cancelled": ("order.cancelled",),
    "refunded": ("order.cancelled",),
}
"""The events of an order by its status; statuses of plugins change nothing but the order."""

NO_ORDERS = frozenset({"auto-draft", "checkout-draft", "trash"})


def translate(
    headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The events of one webhook. Raises `Untranslated` where none follows."""
    topic = text(headers.get("x-wc-webhook-topic")).lower()
    if not topic:
        raise Untranslated(
            "woocommerce: the header X-WC-Webhook-Topic is missing; let what stands before us pass it on"
        )
    notice = Notice("woocommerce", topic, headers, fields(payload), storefront, received_at)
    if topic == "order.deleted":
        raise notice.refuse("a deleted order says nothing about goods or money", "cancel it in the shop before")
    if topic not in TOPICS:
        raise notice.refuse("gives no event", "end this webhook; docs/platforms.md lists the topics that are read")
    order, status = notice.payload, text(notice.payload.get("status")).lower()
    number = text(order.get("id"), 40)
    if not number or not status:
        raise notice.refuse("id or status is missing", "set the webhook's API version to WP REST API Integration v3")
    if status in NO_ORDERS:
        raise notice.refuse(f"the status is {status}", "nothing to do, the order is told when it is placed")
    return [*_of_status(notice, number, status), *_refunds(notice, number)]


def _of_status(notice: Notice, number: str, status: str) -> list[Raw]:
    order = notice.payload
    names = {"subject": _order_id(notice), "alias": _alias(notice, number)}
    changed = _at(order, "date_modified_gmt", "date_created_gmt")
    # A paid or cancelled order is told with every later change of it, and is paid or cancelled once.
    once = {"order.paid": "paid", "order.cancelled": "cancelled"}
    events = []
    for type in STATUSES.get(status, ("order.updated",)):
        id = stable_id(number, once.get(type) or notice.digest())
        if type == "order.cancelled":
            data: dict[str, Any] = {"reason": status, "refunded": _is_paid_back(order, status)}
            events.append(notice.event(type, id, changed, data, **names))
        else:
            at = _at(order, "date_paid_gmt") or changed if type == "order.paid" else changed
            events.append(notice.event(type, id, at, {"order": _snapshot(notice)}, **names))
    return events


def _refunds(notice: Notice, number: str) -> list[Raw]:
    """The refunds that an order lists, each of them one event however often it is listed."""
    names = {"subject": _order_id(notice), "alias": _alias(notice, number)}
    at = _at(notice.payload, "date_modified_gmt")
    events = []
    for refund in entries(notice.payload.get("refunds")):
        own, paid_back = text(refund.get("id"), 40), -(amount(refund.get("total")) or Decimal(0))
        if own and paid_back > 0:
            data = {"amount": written(paid_back), "key": key_in(text(refund.get("reason"), 5000))}
            events.append(notice.event("refund.settled", stable_id(number, "refund", own), at, data, **names))
    return events


def _snapshot(notice: Notice) -> dict[str, Any]:
    order, shop = notice.payload, notice.storefront
    billing, shipping = fields(order.get("billing")), fields(order.get("shipping"))
    email = text(billing.get("email"), 254)
    if not email:
        raise notice.refuse("billing.email is missing", "make the e-mail address a required field of the checkout")
    address = _address(notice, shipping if first(shipping.get("address_1"), shipping.get("city")) else billing)
    total, currency = money(order.get("total")), first(order.get("currency"), shop.currency)
    placed_at = _at(order, "date_created_gmt")
    items = [_item(notice, line) for line in entries(order.get("line_items")) if count(line.get("quantity"))]
    if total is None or not currency or placed_at is None or not items:
        raise notice.refuse(
            "total, currency, date_created_gmt or line_items is missing",
            "set the webhook's API version to WP REST API Integration v3",
        )
    freight = sum((amount(order.get(name)) or Decimal(0) for name in ("shipping_total", "shipping_tax")), Decimal(0))
    sent_at = _at(order, "date_completed_gmt")
    return {
        "order_id": _order_id(notice),
        "shop": shop.shop,
        "channel": shop.channel,
        "market": address["country"],
        "locale": shop.locale,
        "currency": currency,
        "placed_at": placed_at.isoformat(),
        **({"dispatched_at": sent_at.isoformat()} if sent_at else {}),
        "total": written(total),
        "freight_paid": written(max(freight, Decimal(0))),
        "customer": {"name": _name(billing) or address["name"], "email": email, "language": shop.locale},
        "ship_to": address,
        "items": items,
    }


def _item(notice: Notice, line: Mapping[str, Any]) -> dict[str, Any]:
    quantity, total = count(line.get("quantity")), amount(line.get("total"))
    if total is None:
        raise notice.refuse("line_items: a total is missing", "set the webhook's API version to v3")
    # A line's total is without tax, also in a shop whose prices include it.
    price = max((total + (amount(line.get("total_tax")) or 0)) / quantity, Decimal(0))
    own = text(line.get("id"), 40)
    return {
        "line_id": own,
        "sku": first(line.get("sku"), line.get("variation_id") or None, line.get("product_id"), own),
        "title": html.unescape(text(line.get("name"))) or own,
        "category": notice.storefront.category,
        "quantity": quantity,
        "unit_price": written(price.quantize(Decimal("0.0001"))),
        "unit_cost": written((price * notice.storefront.unit_cost_share).quantize(Decimal("0.0001"))),
    }


def _address(notice: Notice, given: Mapping[str, Any]) -> dict[str, Any]:
    country = first(given.get("country"), notice.storefront.market, most=2).upper()
    if not country:
        raise notice.refuse("the address names no country", "give the shop a market in its settings")
    return {
        "name": _name(given),
        "line1": ", ".join(filter(None, (text(given.get("address_1")), text(given.get("address_2")))))[:300],
        "city": text(given.get("city")),
        "region": text(given.get("state")) or None,
        "postcode": text(given.get("postcode"), 40),
        "country": country,
    }


def _is_paid_back(order: Mapping[str, Any], status: str) -> bool:
    """Whether the shop has none of the customer's money: it gave all of it back, or never got any."""
    if status == "refunded" or not first(order.get("date_paid_gmt"), order.get("date_paid")):
        return True
    total = money(order.get("total"))
    paid_back = -sum((amount(one.get("total")) or Decimal(0) for one in entries(order.get("refunds"))), Decimal(0))
    return total is not None and paid_back >= total > 0


def _order_id(notice: Notice) -> str:
    number = first(notice.payload.get("number"), notice.payload.get("id"), most=150)
    return f"{notice.storefront.order_prefix}{number}"


def _alias(notice: Notice, number: str) -> str:
    return f"woocommerce/{notice.storefront.shop}/{number}"


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (text(person.get("first_name")), text(person.get("last_name")))))[:200]


def _at(order: Mapping[str, Any], *names: str) -> datetime | None:
    return next((at for name in names if (at := moment(order.get(name)))), None)
