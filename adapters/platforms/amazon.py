"""What Amazon sends, as order events: notifications, and the answers of its Selling Partner API.

`docs/amazon.md` has for people which message becomes what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from adapters.platforms import amazon_orders, amazon_returns, amazon_tracking
from adapters.platforms.amazon_facts import NothingToDo, line_ids, nothing, order_of, plain
from adapters.platforms.amazon_order_forms import read_2026, read_v0
from adapters.platforms.errors import Untranslated
from adapters.platforms.notices import Notice, Raw, checked, numbered
from adapters.platforms.reading import entries, fields, moment, text
from adapters.platforms.storefront import Storefront

Told = TypeVar("Told")

__all__ = ["NothingToDo", "translate"]

_TOGETHER = "hand it in together with getOrder: {{getOrder: …, {name}: …}} (docs/amazon.md)"
_ALONE = {
    "OrderItems": "getOrderItems",
    "ShippingAddress": "getOrderAddress",
    "BuyerEmail": "getOrderBuyerInfo",
    "BuyerName": "getOrderBuyerInfo",
}
"""Payloads of Orders V0 that are a part of an order, by a field that tells them."""
_LOOK = "look into Seller Central"
_OF_NO_ORDER = {
    "RegulatedInformation": "it is what Amazon asks a pharmacy about an order",
    "GiftMessageText": "it is how one item is to be wrapped",
    "BuyerCustomizedInfo": "it is how one item is to be made",
    "GiftWrapLevel": "it is how one item is to be wrapped",
    "reasonCodeDetails": "it is the list of reasons for returns",
    "_links": "it is what may be written to a buyer",
    "buyer": "it is the buyer's language",
    "claimId": "it is the number of a claim that was filed",
}


def translate(
    headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The events of one message, at least one: a notification, or the answer of an operation of the API.

    Of Orders V0 the answers of an order's operations come together, under the operations' names.

    Raises:
        NothingToDo: no event follows from it, and nobody has to look at it.
        Untranslated: no event follows from it; the text says why and what to do.
    """
    told = fields(payload)
    given = plain(told)
    topic = text(given.get("notificationType")) or "answer"
    notice = Notice("amazon", topic, headers, told, storefront, received_at)
    if not told:
        raise notice.refuse("it is no JSON object", "hand in what Amazon sent")
    if "notificationType" in given or "notificationMetadata" in given:
        events = _notification(notice, given)
    else:
        events = _answer(notice, told)
    return [checked(event) for event in numbered(events)]


def _notification(notice: Notice, given: Mapping[str, Any]) -> list[Raw]:
    body = plain(fields(given.get("payload")))
    at = moment(given.get("eventTime"))
    match notice.topic:
        case "ORDER_CHANGE":
            return _order_change(notice, plain(fields(body.get("orderChangeNotification"))), at)
        case "SHIPMENT_TRACKING_MILESTONE_CHANGED":
            told = plain(fields(body.get("shipmentTrackingMilestoneChangedNotification")))
            return amazon_tracking.milestones(notice, [fields(told.get("trackingDetail"))])
        case "FULFILLMENT_ORDER_STATUS":
            return amazon_returns.fulfilment_status(
                notice, plain(fields(body.get("fulfillmentOrderStatusNotification")))
            )
        case "FBA_OUTBOUND_SHIPMENT_STATUS":
            raise nothing(
                notice, "it names a shipment of Amazon's and no parcel, which comes with the order's packages"
            )
        case "TRANSACTION_UPDATE":
            raise nothing(notice, "it is what Amazon books to the seller, not what the buyer gets")
        case other:
            raise NothingToDo(f"amazon {other}: it is not about an order; end the subscription")


def _order_change(notice: Notice, told: Mapping[str, Any], at: datetime | None) -> list[Raw]:
    order = order_of(notice, told.get("amazonOrderId"))
    trigger, summary = plain(fields(told.get("orderChangeTrigger"))), plain(fields(told.get("summary")))
    at = moment(trigger.get("timeOfOrderChange")) or at
    why, kind = text(trigger.get("changeReason"), 500), text(told.get("orderChangeType"))
    status = text(summary.get("orderStatus"))
    if kind == "BuyerRequestedChange":
        items = [plain(item) for item in entries(summary.get("orderItems"))]
        names = line_ids([(item.get("sellerSKU"), item.get("orderItemId")) for item in items])
        wishes = [(name, item.get("isBuyerRequestedCancel") is True) for name, item in zip(names, items, strict=True)]
        if events := amazon_orders.cancel_asked(notice, order, wishes, why, at):
            return events
        raise notice.refuse(f"the buyer of order {order} wants a change that is no cancellation", _LOOK)
    match status:
        case "Unshipped":
            return [amazon_orders.paid(notice, order, at)]
        case "Canceled":
            return [amazon_orders.cancelled(notice, order, at, why)]
        case "Shipped" | "PartiallyShipped":
            raise nothing(notice, f"order {order} has left; its parcels come with getOrder of Orders 2026-01-01")
        case "Pending" | "PendingAvailability" | "InvoiceUnconfirmed":
            raise nothing(notice, f"order {order} is {status}: it is not to be sent yet")
        case _:
            raise notice.refuse(f"order {order} is {status or 'without a status'!r}", _LOOK)


def _answer(notice: Notice, told: Mapping[str, Any]) -> list[Raw]:
    if errors := entries(told.get("errors")):
        code, words = text(errors[0].get("code")), text(errors[0].get("message"))
        raise notice.refuse(f"Amazon refused the request ({code}: {words})", "put the request right and ask again")
    if "getOrder" in told:
        parts = ("getOrderItems", "getOrderAddress", "getOrderBuyerInfo")
        order = read_v0(_payload(told.get("getOrder")), *(_payload(told.get(part)) for part in parts))
        return amazon_orders.order_events(notice, order)
    body = _payload(told)
    if "OrderStatus" in body:
        return amazon_orders.order_events(notice, read_v0(body, {}, {}, {}))
    if "Orders" in body:
        orders = [read_v0(one, {}, {}, {}) for one in entries(body.get("Orders"))]
        return _each(notice, orders, amazon_orders.order_events)
    if "orderId" in fields(body.get("order")):
        return amazon_orders.order_events(notice, read_2026(fields(body.get("order"))))
    if "orders" in body:
        orders = [read_2026(one) for one in entries(body.get("orders"))]
        return _each(notice, orders, amazon_orders.order_events)
    if "returns" in body:
        return _each(notice, entries(body.get("returns")), amazon_returns.returned)
    if "marketplaceChannelDetails" in body:
        return amazon_returns.returned(notice, body)
    if "trackingDetail" in body:
        return amazon_tracking.milestones(notice, [fields(body.get("trackingDetail"))])
    if "successes" in body:
        return amazon_tracking.milestones(notice, entries(body.get("successes")))
    if "eventHistory" in body:
        return amazon_tracking.shipping(notice, body)
    if "trackingEvents" in body:
        return amazon_tracking.fulfilment(notice, body)
    if "fulfillmentOrder" in body or "returnItems" in body:
        return amazon_returns.fulfilment_order(notice, body)
    for name, operation in _ALONE.items():
        if name in body:
            raise notice.refuse(f"{operation} is a part of an order", _TOGETHER.format(name=operation))
    for name, why in _OF_NO_ORDER.items():
        if name in body:
            raise nothing(notice, why)
    raise notice.refuse("it is none of the answers that are known", "see docs/amazon.md for those that are")


def _payload(answer: object) -> Mapping[str, Any]:
    """What an operation answered, out of the `payload` that older ones put around it."""
    told = fields(answer)
    return fields(told["payload"]) if "payload" in told else told


def _each(notice: Notice, told: Sequence[Told], translated: Callable[[Notice, Told], list[Raw]]) -> list[Raw]:
    """The events of a list; what nothing follows from is left out while something follows from another."""
    events: list[Raw] = []
    refused: list[Untranslated] = []
    for one in told:
        try:
            events += translated(notice, one)
        except Untranslated as why:
            refused.append(why)
    if not events:
        raise next(iter(refused), nothing(notice, "the list is empty"))
    return events
