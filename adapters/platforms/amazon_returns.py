"""Amazon's returns: of External Fulfilment (`listReturns`, `getReturn`) and of Multi-Channel Fulfilment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from adapters.platforms.amazon_facts import nothing, order_of, plain, reason_of
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import count, entries, fields, first, moment, text

Stage = Literal["asked", "moving", "out_for_delivery", "arrived", "processed", "cancelled", "unclear"]

STAGES: Mapping[str, Stage] = {
    "CREATED": "asked",
    "CARRIER_NOTIFIED_TO_PICK_UP_FROM_CUSTOMER": "asked",
    "CARRIER_OUT_FOR_PICK_UP_FROM_CUSTOMER": "asked",
    "CUSTOMER_RESCHEDULED_PICK_UP": "asked",
    # The customer called off the carrier, not the return.
    "CUSTOMER_CANCELLED_PICK_UP": "asked",
    "PICKED_FROM_CUSTOMER": "moving",
    "CUSTOMER_DROPPED_OFF": "moving",
    "IN_TRANSIT": "moving",
    "REPLANNED": "moving",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "DELIVERED": "arrived",
    "PARTIALLY_PROCESSED": "arrived",
    "PROCESSED": "processed",
    "CANCELLED": "cancelled",
    "REJECTED": "unclear",
}
"""How far a return is, by Amazon's status."""

_SCANS: Mapping[Stage, str] = {"moving": "in_transit", "out_for_delivery": "out_for_delivery", "arrived": "delivered"}
_CONDITIONS: Mapping[str, str] = {
    "Sellable": "as_described",
    "Defective": "damaged",
    "CustomerDamaged": "used",
    "CarrierDamaged": "damaged",
    "FulfillerDamaged": "damaged",
}
_FROM_FULFILMENT = "hand in the answer of getFulfillmentOrder, which says what is in which package"


def returned(notice: Notice, told: Mapping[str, Any]) -> list[Raw]:
    """The events of one return: that it was asked for, and how far it is.

    Raises:
        Untranslated: nothing follows from it.
    """
    channel, meta = fields(told.get("marketplaceChannelDetails")), fields(told.get("returnMetadata"))
    ways = fields(told.get("returnShippingInfo"))
    order = order_of(notice, channel.get("customerOrderId"))
    id, status = text(told.get("id")), text(told.get("status"))
    stage = STAGES.get(status)
    at = moment(told.get("lastUpdatedDateTime")) or moment(told.get("creationDateTime"))
    if not id or stage is None or stage == "unclear":
        raise notice.refuse(
            f"a return of order {order} is {status or 'without a status'!r}", "look into Seller Central"
        )
    if told.get("returnType") == "REJECT":
        return _rejected(notice, fields(ways.get("forwardTrackingInfo")), order, id, stage, at)
    if (kind := text(told.get("returnSubType"))) in ("REPLACEMENT", "EXCHANGE"):
        raise nothing(
            notice, f"the return of order {order} is a {kind.lower()}, which Amazon sends as an order of its own"
        )
    if stage == "cancelled":
        return [notice.event("order.return_cancelled", stable_id("return", id, "cancelled"), at, {}, subject=order)]
    sku, units = first(channel.get("channelSku"), told.get("merchantSku")), count(told.get("numberOfUnits"))
    said = text(meta.get("returnReason"))
    if not sku or not units:
        raise notice.refuse(f"the return {id} does not say of what", "look into Seller Central")
    asked = {
        "lines": [{"line_id": sku, "quantity": units}],
        "reason": reason_of(notice, said),
        "text": f"{units} × {sku}" + (f": {said}" if said else ""),
    }
    began = moment(told.get("creationDateTime")) or at
    events = [notice.event("order.return_requested", stable_id("return", id, "requested"), began, asked, subject=order)]
    parcel = text(fields(ways.get("reverseTrackingInfo")).get("trackingId"))
    if parcel and (scan := _SCANS.get(stage)):
        data = {"parcel_no": parcel, "status": scan, "substatus": status.lower(), "message": status}
        events.append(
            notice.event("shipment.checkpoint", stable_id("return", id, status.lower()), at, data, subject=order)
        )
    if stage == "processed":
        data = {"rma": text(meta.get("rmaId"))}
        events.append(
            notice.event("warehouse.return_received", stable_id("return", id, "processed"), at, data, subject=order)
        )
    return events


def _rejected(
    notice: Notice, forward: Mapping[str, Any], order: str, id: str, stage: Stage, at: datetime | None
) -> list[Raw]:
    """A parcel that the customer did not take, on its way back to us."""
    parcel = text(forward.get("trackingId"))
    if not parcel:
        raise notice.refuse(
            f"a parcel of order {order} comes back, and its number is not told", "look into Seller Central"
        )
    back = stage in ("arrived", "processed")
    data = {
        "parcel_no": parcel,
        "status": "returned" if back else "exception",
        "substatus": "" if back else "exception_010",
        "message": "refused by the customer",
    }
    name = stable_id("return", id, "back" if back else "coming-back")
    return [notice.event("shipment.checkpoint", name, at, data, subject=order)]


def fulfilment_status(notice: Notice, told: Mapping[str, Any]) -> list[Raw]:
    """What FULFILLMENT_ORDER_STATUS says of an order of the shop's own that Amazon fulfils. Its id there is ours.

    Raises:
        Untranslated: it says nothing, or not which goods it is about.
    """
    order = text(told.get("sellerFulfillmentOrderId"), 100)
    at, kind = moment(told.get("statusUpdatedDateTime")), text(told.get("eventType"))
    shipment, goods = plain(fields(told.get("fulfillmentShipment"))), plain(fields(told.get("fulfillmentReturnItem")))
    if not order:
        raise notice.refuse("no order is named", "hand in the whole message as Amazon sent it")
    match kind.upper():
        case "RETURN":
            name = stable_id(
                "fulfilment", order, "returned", text(goods.get("sellerSKU")), at.isoformat() if at else ""
            )
            return [notice.event("warehouse.return_received", name, at, {"lines": []}, subject=order)]
        case "SHIPMENT" if text(shipment.get("fulfillmentShipmentStatus")).upper() == "SHIPPED":
            packages = entries(shipment.get("fulfillmentShipmentPackages"))
            if len(packages) != 1 or text(told.get("fulfillmentOrderStatus")).upper() != "COMPLETE":
                raise notice.refuse(f"a part of order {order} has left, and not said is which", _FROM_FULFILMENT)
            return [_shipped(notice, order, text(shipment.get("amazonShipmentId")), packages[0], (), at)]
        case "ORDER" | "SHIPMENT":
            raise nothing(notice, f"order {order} is {text(told.get('fulfillmentOrderStatus')) or 'on its way'}")
        case _:
            raise notice.refuse(f"the event type {kind!r} is none of Order, Shipment and Return", _FROM_FULFILMENT)


def fulfilment_order(notice: Notice, told: Mapping[str, Any]) -> list[Raw]:
    """What `getFulfillmentOrder` says: its packages that have left, and its returns that Amazon has looked at.

    The line ids are the seller's ids of the items in the fulfilment order.

    Raises:
        Untranslated: nothing has left and nothing came back yet.
    """
    order = text(fields(told.get("fulfillmentOrder")).get("sellerFulfillmentOrderId"), 100)
    if not order:
        raise notice.refuse("it does not name the order", _FROM_FULFILMENT)
    events: list[Raw] = []
    for shipment in entries(told.get("fulfillmentShipments")):
        if text(shipment.get("fulfillmentShipmentStatus")) != "SHIPPED":
            continue
        goods = entries(shipment.get("fulfillmentShipmentItem"))
        for package in entries(shipment.get("fulfillmentShipmentPackage")):
            lines = [
                {"line_id": text(item.get("sellerFulfillmentOrderItemId")), "quantity": count(item.get("quantity"))}
                for item in goods
                if item.get("packageNumber") == package.get("packageNumber")
            ]
            known = [line for line in lines if line["line_id"] and line["quantity"]]
            at, id = moment(shipment.get("shippingDate")), text(shipment.get("amazonShipmentId"))
            events.append(_shipped(notice, order, id, package, known, at))
    for item in entries(told.get("returnItems")):
        condition = _CONDITIONS.get(text(item.get("returnReceivedCondition")))
        line = text(item.get("sellerFulfillmentOrderItemId"))
        if text(item.get("status")) != "Processed" or not condition or not line:
            continue
        data = {
            "rma": text(item.get("returnAuthorizationId")),
            "lines": [{"line_id": line, "quantity": 1, "condition": condition}],
        }
        name = stable_id("fulfilment", order, "returned", first(item.get("sellerReturnItemId"), line))
        at = moment(item.get("statusChangedDate"))
        events.append(notice.event("warehouse.return_received", name, at, data, subject=order))
    if not events:
        raise nothing(notice, f"of order {order} nothing has left and nothing has come back")
    return events


def _shipped(
    notice: Notice,
    order: str,
    shipment: str,
    package: Mapping[str, Any],
    lines: Sequence[Mapping[str, object]],
    at: datetime | None,
) -> Raw:
    found = plain(package)
    number = text(found.get("trackingNumber"))
    parcel = number or f"{shipment}-{text(found.get('packageNumber'))}"
    carrier = text(found.get("carrierCode")) or "Amazon"
    data = {
        "parcel": {"parcel_no": parcel, "carrier": carrier, "tracking_number": number},
        "lines": [dict(line) for line in lines],
    }
    return notice.event("order.shipped", stable_id("fulfilment", order, "shipped", parcel), at, data, subject=order)
