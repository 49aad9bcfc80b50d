"""Shopify's fulfillments as parcels, and its fulfillment events as their scans."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters.platforms.errors import Untranslated
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import count, entries, first, moment, text, texts
from adapters.platforms.shopify_ids import alias, line_id, message_id, told_at
from adapters.platforms.shopify_orders import snapshot, updated

NOT_SENT: Mapping[str, str] = {
    "cancelled": "it was taken back; send what the warehouse does instead as a new fulfillment",
    "error": "it failed; fulfil it again on Shopify",
    "failure": "it failed; fulfil it again on Shopify",
}
"""States of a fulfillment in which nothing is on its way."""

SCANS: Mapping[str, str] = {
    "label_purchased": "info_received",
    "label_printed": "info_received",
    "confirmed": "info_received",
    "carrier_picked_up": "in_transit",
    "picked_up": "in_transit",
    "in_transit": "in_transit",
    "delayed": "exception",
    "out_for_delivery": "out_for_delivery",
    "attempted_delivery": "attempt_fail",
    "ready_for_pickup": "available_for_pickup",
    "delivered": "delivered",
    "failure": "exception",
}
"""The status of a scan by that of a fulfillment event."""


def fulfillment(notice: Notice) -> list[Raw]:
    """A fulfillment was made or changed: a parcel for each of its tracking numbers."""
    if not (name := alias(notice, notice.payload.get("order_id"))):
        raise notice.refuse("order_id is missing", "subscribe without include_fields")
    return _parcels(notice, notice.payload, alias=name)


def order_fulfilled(notice: Notice) -> list[Raw]:
    """An order has left, or a part of it: the order as it is now, and its parcels.

    They are the same events that fulfillments/create tells, so that subscribing to both does no harm.
    """
    events = updated(notice)
    order = snapshot(notice)
    known = {"subject": order["order_id"], "alias": events[0].get("orderalias", ""), "order": order}
    for one in entries(notice.payload.get("fulfillments")):
        # What of it is no parcel needs no word here: the order itself is told.
        with suppress(Untranslated):
            events += _parcels(notice, one, **known)
    return events


def scan(notice: Notice) -> list[Raw]:
    """A scan of a fulfillment. Shopify does not say of which parcel, so it is of the first."""
    given = notice.payload
    name, parcel = alias(notice, given.get("order_id")), text(given.get("fulfillment_id"), 40)
    if not name or not parcel:
        raise notice.refuse("order_id or fulfillment_id is missing", "subscribe without include_fields")
    told = text(given.get("status")).lower()
    if told not in SCANS:
        raise notice.refuse(
            f"the status {told!r} is not known", "add it to SCANS in adapters/platforms/shopify_parcels.py"
        )
    at = told_at(notice, "happened_at", "created_at") or notice.received_at
    place = (text(given.get(field)) for field in ("city", "province", "country"))
    data = {
        "parcel_no": parcel,
        "status": SCANS[told],
        "substatus": told,
        "location": ", ".join(filter(None, place)),
        "at": at.isoformat(),
        "message": text(given.get("message"), 2000),
    }
    return [notice.event("shipment.checkpoint", message_id(notice), at, data, alias=name)]


def _parcels(
    notice: Notice, given: Mapping[str, Any], *, alias: str, subject: str = "", order: object = None
) -> list[Raw]:
    status, number = text(given.get("status")).lower(), text(given.get("id"), 40)
    if status in NOT_SENT:
        raise notice.refuse(f"the fulfillment is {status}", NOT_SENT[status])
    if not number:
        raise notice.refuse("the fulfillment's id is missing", "subscribe without include_fields")
    lines = [line for line in entries(given.get("line_items")) if count(line.get("quantity"))]
    if lines and all(line.get("requires_shipping") is False for line in lines):
        raise notice.refuse("nothing of the fulfillment is sent", "nothing to do, digital goods need no parcel")
    tracked = texts(given.get("tracking_numbers")) or list(filter(None, [text(given.get("tracking_number"))]))
    if not tracked and status in ("pending", "open"):
        raise notice.refuse("the fulfillment has not begun", "nothing to do, fulfillments/update tells when it has")
    links = texts(given.get("tracking_urls")) or list(filter(None, [text(given.get("tracking_url"), 2000)]))
    at = moment(given.get("created_at")) or told_at(notice, "updated_at")
    contents = [{"line_id": line_id(line), "quantity": count(line.get("quantity"))} for line in lines]
    events = []
    for place, tracking in enumerate(tracked or [""]):
        parcel = {
            # Shopify's own scans name the fulfillment and no tracking number.
            "parcel_no": f"{number}-{place + 1}" if place else number,
            "carrier": first(given.get("tracking_company"), given.get("service"), "unknown"),
            "tracking_number": tracking,
            "tracking_url": links[place] if place < len(links) else "",
        }
        data = {"parcel": parcel, "lines": contents, **({"order": order} if order else {})}
        # One parcel is one event, whichever of four topics tells of it; another tracking number is another one.
        id = stable_id("parcel", number, tracking)
        events.append(notice.event("order.shipped", id, at, data, subject=subject, alias=alias))
    return events
