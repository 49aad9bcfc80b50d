"""Amazon's orders as our snapshot, and the events that an order's state means.

Amazon gives prices without or with tax by marketplace: what adds up to the order's total is what the customer paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.platforms.amazon_facts import LOCALES, line_ids, order_of
from adapters.platforms.amazon_order_forms import AmazonItem, AmazonOrder
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import count, entries, fields, first, moment, text, written

_PARTS = "hand in getOrder, getOrderItems, getOrderAddress and getOrderBuyerInfo together (docs/amazon.md)"
_PRIVATE = "ask Amazon with the right to personal data: a restricted data token, or includedData BUYER and RECIPIENT"
_PARCELS: Mapping[str, str] = {
    "IN_TRANSIT": "in_transit",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "DELIVERY_ATTEMPTED": "attempt_fail",
    "READY_FOR_PICKUP": "available_for_pickup",
    "AVAILABLE_FOR_PICKUP": "available_for_pickup",
    "DELIVERED": "delivered",
    "RETURNING_TO_SELLER": "exception",
    "RETURNED_TO_SELLER": "returned",
    "UNDELIVERABLE": "exception",
    "LOST": "exception",
    "DAMAGED": "exception",
    "REJECTED": "exception",
}


def cancel_asked(
    notice: Notice,
    order: str,
    lines: Sequence[tuple[str, bool]],
    why: str,
    at: datetime | None,
    snapshot: object = None,
) -> list[Raw]:
    """What follows from the buyer's wish to cancel, given each line with whether it is meant.

    Of all lines it is a message, as cancelling is the shop's; of some it is a change of the order.
    """
    meant = [line for line, is_meant in lines if is_meant]
    if not meant:
        return []
    known = {"order": snapshot} if snapshot else {}
    if len(meant) < len(lines):
        change = {"change": {"lines": [{"line_id": line, "quantity": 0} for line in meant]}, **known}
        name = stable_id(order, "cancel-asked", *sorted(meant))
        return [notice.event("order.change_requested", name, at, change, subject=order)]
    words = f"Please cancel this order. {why}".strip()
    said = {"text": words, "channel": notice.storefront.channel, **known}
    return [notice.event("customer.message", stable_id(order, "cancel-asked"), at, said, subject=order)]


def paid(notice: Notice, order: str, at: datetime | None, snapshot: object = None) -> Raw:
    """The order is paid, as Amazon says that it is to be sent; the same event whoever tells it."""
    data = {"order": snapshot} if snapshot else {}
    return notice.event("order.paid", stable_id(order, "paid"), at, data, subject=order)


def cancelled(notice: Notice, order: str, at: datetime | None, why: str) -> Raw:
    """The order is cancelled. Amazon has charged nothing or pays it back itself."""
    data = {"reason": why, "refunded": True}
    return notice.event("order.cancelled", stable_id(order, "cancelled"), at, data, subject=order)


def order_events(notice: Notice, found: AmazonOrder) -> list[Raw]:
    """The events of an order: what its state means, with the snapshot, and what has left.

    Raises:
        Untranslated: the order's snapshot cannot be made, and nothing follows without it.
    """
    order = order_of(notice, found.id)
    at = found.changed_at or found.placed_at
    if found.status == "CANCELLED":
        return [cancelled(notice, order, at, "cancelled on Amazon")]
    names = line_ids([(item.sku, item.id) for item in found.items])
    snapshot = _snapshot(notice, order, found, names)
    wishes = [(name, item.cancel is not None) for name, item in zip(names, found.items, strict=True) if item.quantity]
    why = next((item.cancel for item in found.items if item.cancel), "")
    events = _shipped(notice, order, found, names, snapshot)
    if found.status == "UNSHIPPED":
        events.append(paid(notice, order, found.placed_at, snapshot))
        events += cancel_asked(notice, order, wishes, why, at, snapshot)
    if not events:
        changed = stable_id(order, "updated", (at or notice.received_at).isoformat())
        events.append(notice.event("order.updated", changed, at, {"order": snapshot}, subject=order))
    return events


def _snapshot(notice: Notice, order: str, found: AmazonOrder, names: Sequence[str]) -> dict[str, Any]:
    where, shop = found.address, notice.storefront
    if not found.items:
        raise notice.refuse(f"order {order} has no items", _PARTS)
    if not found.placed_at:
        raise notice.refuse(f"order {order} has no date of purchase that can be", "look into Seller Central")
    if found.total is None:
        raise notice.refuse(f"order {order} has no total yet", "hand it in again once it is paid, as UNSHIPPED")
    if "@" not in found.email:
        raise notice.refuse(f"order {order} does not tell the buyer's address at Amazon (BuyerEmail)", _PRIVATE)
    if not where:
        raise notice.refuse(f"order {order} does not tell where it goes", _PRIVATE)
    locale = LOCALES.get(found.marketplace, shop.locale)
    on_top = _tax_is_on_top(found)
    sent = [at for package in found.packages if (at := moment(package.get("shipTime")))]
    person = first(found.buyer, where.get("name"))
    items = [_line(notice, name, item, on_top) for name, item in zip(names, found.items, strict=True) if item.quantity]
    if not items:
        raise notice.refuse(f"order {order} has no units left", "look into Seller Central")
    freight = sum((item.freight + (item.freight_tax if on_top else 0) for item in found.items), Decimal(0))
    lines = (text(where.get(f"addressLine{number}"), 100) for number in (1, 2, 3))
    return {
        "order_id": order,
        "shop": shop.shop,
        "channel": shop.channel,
        "market": first(where.get("countryCode"), shop.market),
        "locale": locale,
        "currency": first(found.currency, shop.currency),
        "placed_at": found.placed_at.isoformat(),
        "promised_dispatch_by": found.ship_by.isoformat() if found.ship_by else None,
        "dispatched_at": min(sent).isoformat() if sent else None,
        "total": written(found.total),
        "freight_paid": written(max(freight, Decimal(0))),
        "customer": {"name": person, "email": found.email, "language": locale.partition("-")[0]},
        "ship_to": {
            "name": first(where.get("name"), person),
            "line1": ", ".join(filter(None, lines)),
            "city": first(where.get("city"), where.get("municipality"), where.get("districtOrCounty")),
            "region": text(where.get("stateOrRegion")) or None,
            "postcode": text(where.get("postalCode"), 40),
            "country": text(where.get("countryCode")),
        },
        "items": items,
    }


def _line(notice: Notice, name: str, item: AmazonItem, on_top: bool) -> dict[str, Any]:
    paid_for = max(item.goods + (item.tax if on_top else 0), Decimal(0))
    price = (paid_for / item.quantity).quantize(Decimal("0.0001"))
    cost = (price * notice.storefront.unit_cost_share).quantize(Decimal("0.0001"))
    return {
        "line_id": name,
        "sku": item.sku or name,
        "title": item.title or item.sku or name,
        "category": notice.storefront.category,
        "quantity": item.quantity,
        "unit_price": written(price),
        "unit_cost": written(cost),
    }


def _tax_is_on_top(found: AmazonOrder) -> bool:
    net = sum((item.goods + item.freight for item in found.items), Decimal(0))
    tax = sum((item.tax + item.freight_tax for item in found.items), Decimal(0))
    return net != found.total and net + tax == found.total


def _shipped(notice: Notice, order: str, found: AmazonOrder, names: Sequence[str], snapshot: object) -> list[Raw]:
    """What left, package by package, each with how far it is."""
    by_item = {item.id: name for name, item in zip(names, found.items, strict=True)}
    events: list[Raw] = []
    for package in found.packages:
        at, number = moment(package.get("shipTime")), text(package.get("trackingNumber"))
        parcel = number or text(package.get("packageReferenceId"))
        if not at or not parcel:
            continue
        lines = [
            {"line_id": by_item[item], "quantity": units}
            for one in entries(package.get("packageItems"))
            if (item := text(one.get("orderItemId"))) in by_item and (units := count(one.get("quantity")))
        ]
        data = {
            "order": snapshot,
            "parcel": {
                "parcel_no": parcel,
                "carrier": text(package.get("carrier")) or "Amazon",
                "tracking_number": number,
                "origin": text(fields(package.get("shipFromAddress")).get("countryCode")),
                "destination": text(found.address.get("countryCode")),
            },
            "lines": lines,
        }
        name = stable_id(order, "shipped", parcel)
        events.append(notice.event("order.shipped", name, at, data, subject=order))
        state = fields(package.get("packageStatus"))
        told = first(state.get("detailedStatus"), state.get("status"))
        status = _PARCELS.get(told) or _PARCELS.get(text(state.get("status")))
        if status:
            scan = {"parcel_no": parcel, "status": status, "substatus": told.lower().replace("_", " "), "message": told}
            seen = max(filter(None, (at, found.changed_at)))
            name = stable_id(order, "parcel", parcel, told)
            events.append(notice.event("shipment.checkpoint", name, seen, scan, subject=order))
    return events
