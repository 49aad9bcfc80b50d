"""Amazon's tracking: Amazon's codes as the statuses of `shipment.checkpoint`.

Three APIs have a vocabulary each: the milestones of Tracking (also of its notification), the events of Shipping V2, and
the numbered events of Multi-Channel Fulfilment. An exception's sub-status is AfterShip's code where there is one, which
`aftersales.scans` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import entries, fields, first, moment, text

Meaning = tuple[str, str]
"""A status, and a sub-status or an empty text."""

_LABEL: Meaning = ("info_received", "")
_MOVING: Meaning = ("in_transit", "")
_CUSTOMS: Meaning = ("exception", "exception_004")
_ADDRESS: Meaning = ("exception", "exception_002")
_REFUSED: Meaning = ("exception", "exception_003")
_RETURNING: Meaning = ("exception", "exception_010")
_DAMAGED: Meaning = ("exception", "exception_012")
_LOST: Meaning = ("exception", "exception_013")
_ATTEMPT: Meaning = ("attempt_fail", "")

MILESTONES: Mapping[str, Meaning] = {
    **dict.fromkeys(
        (
            "ORDER_PREPARING",
            "CARRIER_ASSIGNED",
            "BOOKING_ACCEPTED",
            "BOOKING_CONFIRMED",
            "IN_TRANSIT_TO_PICKUP",
            "MANIFESTED_NOT_RECEIVED",
            "PICKUP_FAILED",
        ),
        _LABEL,
    ),
    **dict.fromkeys(
        (
            "ARRIVED",
            "ARRIVED_AT_DESTINATION_YARD",
            "ARRIVED_AT_RAIL_TERMINAL",
            "ARRIVED_AT_TERMINAL",
            "CARRIER_TRANSFER",
            "CONTAINERIZED",
            "CUSTOMS_CLEARED",
            "CUSTOMS_DECLARATION_DISCHARGE_PORT",
            "CUSTOMS_DECLARATION_EMBARK_PORT",
            "CUSTOMS_IMPORT_SECURITY_FILED",
            "CUSTOMS_IMPORT_SECURITY_FILING_ACCEPTED",
            "CUSTOMS_PROCESSING",
            "DELAYED",
            "DELIVERY_ADDRESS_UPDATED",
            "DELIVERY_APPOINTMENT_CONFIRMED",
            "DELIVERY_CHANGE_REQUESTED",
            "DEPARTED",
            "DEPARTED_RAIL_TERMINAL",
            "DEPARTED_TERMINAL",
            "DRAY_STOP_OFF",
            "LOADED",
            "LOADED_TRAIN",
            "MISSING_MANIFEST",
            "MISSORTED",
            "PICKED_UP",
            "READY_FOR_DELIVERY",
            "RECEIVED_AT_ORIGIN",
            "RECEIVED_FROM_CARRIER",
            "SHIPPED",
            "SORTED",
            "TRAILER_UNLOADED",
            "TRAILER_UNLOADING",
            "UNLOADED",
            "UNLOADED_TRAIN",
        ),
        _MOVING,
    ),
    **dict.fromkeys(
        (
            "CUSTOMS_DELAY",
            "CUSTOMS_EXCEPTION",
            "CUSTOMS_HOLD",
            "CUSTOMS_HOLD_DISCHARGE_PORT",
            "CUSTOMS_PAYMENT_REQUIRED",
        ),
        _CUSTOMS,
    ),
    "OUT_FOR_DELIVERY": ("out_for_delivery", ""),
    "DELIVERY_ATTEMPTED": _ATTEMPT,
    "READY_FOR_CUSTOMER_PICKUP": ("available_for_pickup", ""),
    "DELIVERED": ("delivered", ""),
    "CUSTOMER_PICKUP_COMPLETED": ("delivered", ""),
    "INCORRECT_ADDRESS": _ADDRESS,
    "UNDELIVERABLE": _RETURNING,
    "UNDELIVERABLE_DESTROY_IN_FIELD": _LOST,
    "RETURNED": ("returned", ""),
    "DAMAGED": _DAMAGED,
    "LOST": _LOST,
    "BOOKING_CANCELLED": ("exception", "booking_cancelled"),
    "ORDER_CANCELLED": ("exception", "order_cancelled"),
}
"""Tracking's milestones. RETURN_… are left out: they are of what the customer sends back, not of this parcel."""

SHIPPING: Mapping[str, Meaning] = {
    "ReadyForReceive": _LABEL,
    "PickupCancelled": _LABEL,
    "PickupDone": _MOVING,
    "Departed": _MOVING,
    "ArrivedAtCarrierFacility": _MOVING,
    "RecipientRequestedAlternateDeliveryTiming": _MOVING,
    "OutForDelivery": ("out_for_delivery", ""),
    "DeliveryAttempted": _ATTEMPT,
    "AvailableForPickup": ("available_for_pickup", ""),
    "Delivered": ("delivered", ""),
    "Rejected": _REFUSED,
    "Undeliverable": ("exception", "undeliverable"),
    "ReturnInitiated": _RETURNING,
    "Lost": _LOST,
}
"""The events of Shipping V2."""

FULFILMENT: Mapping[str, Meaning] = {
    "EVENT_101": _LABEL,
    "EVENT_206": _LABEL,
    "EVENT_411": _LABEL,
    **dict.fromkeys(
        (
            *("EVENT_102", "EVENT_201", "EVENT_202", "EVENT_203", "EVENT_204", "EVENT_205", "EVENT_306", "EVENT_307"),
            *("EVENT_404", "EVENT_412", "EVENT_414", "EVENT_415", "EVENT_417", "EVENT_418", "EVENT_419"),
        ),
        _MOVING,
    ),
    "EVENT_301": ("delivered", ""),
    "EVENT_302": ("out_for_delivery", ""),
    "EVENT_304": _ATTEMPT,
    "EVENT_308": ("available_for_pickup", ""),
    "EVENT_309": ("returned", ""),
    "EVENT_401": _ADDRESS,
    "EVENT_402": _CUSTOMS,
    "EVENT_403": _ADDRESS,
    "EVENT_405": _DAMAGED,
    "EVENT_406": ("exception", "held_by_carrier"),
    "EVENT_407": _REFUSED,
    "EVENT_408": _RETURNING,
    "EVENT_409": _LOST,
    "EVENT_413": _CUSTOMS,
    "EVENT_416": ("exception", "undeliverable"),
}
"""The events of Multi-Channel Fulfilment (`getPackageTrackingDetails`)."""


def milestones(notice: Notice, details: Iterable[Mapping[str, Any]]) -> list[Raw]:
    """The scans of parcels as Tracking tells them, oldest first.

    Raises:
        Untranslated: nothing of it is about a parcel on its way to a customer.
    """
    scans: list[Raw] = []
    numbers = False
    for detail in details:
        identifier = fields(detail.get("identifier"))
        number = first(identifier.get("aftn"), fields(identifier.get("carrierTracking")).get("trackingNumber"))
        numbers = numbers or bool(number)
        for told in [*entries(detail.get("milestoneHistory")), fields(detail.get("latestMilestone"))] if number else ():
            status = fields(told.get("status"))
            place = fields(fields(told.get("location")).get("address"))
            meaning = MILESTONES.get(text(status.get("code")))
            where = _place(place, "city", "region", "countryCode")
            scans += _scan(
                notice,
                number,
                meaning,
                status.get("code"),
                status.get("subCode"),
                told.get("occurredAt"),
                where,
                status.get("description"),
            )
    if not numbers:
        raise notice.refuse("it is about freight, as it has no parcel's number", "subscribe to parcels only")
    return _told(notice, scans)


def shipping(notice: Notice, tracked: Mapping[str, Any]) -> list[Raw]:
    """The scans of a parcel as Shipping V2 tells them, oldest first.

    A parcel that goes back on its way to the customer is returning; one that began as a return is on its own way.

    Raises:
        Untranslated: it has no number, or no event that is known.
    """
    number = text(tracked.get("trackingId"))
    events = entries(tracked.get("eventHistory"))
    goes_back = any(told.get("shipmentType") == "FORWARD" for told in events)
    scans: list[Raw] = []
    for told in events if number else ():
        meaning = SHIPPING.get(text(told.get("eventCode")))
        if meaning and goes_back and told.get("shipmentType") == "RETURNS":
            meaning = ("returned", "") if meaning[0] == "delivered" else _RETURNING
        where = _place(fields(told.get("location")), "city", "stateOrRegion", "postalCode", "countryCode")
        kind = text(told.get("shipmentType"))
        scans += _scan(
            notice, number, meaning, told.get("eventCode"), kind, told.get("eventTime"), where, told.get("eventCode")
        )
    return _told(notice, scans)


def fulfilment(notice: Notice, tracked: Mapping[str, Any]) -> list[Raw]:
    """The scans of a package of Multi-Channel Fulfilment, oldest first.

    Raises:
        Untranslated: it has no number, or no event that is known.
    """
    number = text(tracked.get("trackingNumber"))
    scans: list[Raw] = []
    for told in entries(tracked.get("trackingEvents")) if number else ():
        meaning = FULFILMENT.get(text(told.get("eventCode")))
        where = _place(fields(told.get("eventAddress")), "city", "state", "country")
        scans += _scan(
            notice,
            number,
            meaning,
            told.get("eventCode"),
            "",
            told.get("eventDate"),
            where,
            told.get("eventDescription"),
        )
    return _told(notice, scans)


def _scan(
    notice: Notice,
    number: str,
    meaning: Meaning | None,
    code: object,
    detail: object,
    when: object,
    where: str,
    words: object,
) -> list[Raw]:
    at = moment(when)
    if meaning is None or at is None:
        return []
    status, substatus = meaning
    data = {
        "status": status,
        "substatus": substatus or text(detail).lower(),
        "location": where,
        "at": at.isoformat(),
        "message": text(words, 500),
    }
    id = stable_id("tracking", number, text(code), text(detail), at.isoformat())
    return [notice.event("shipment.checkpoint", id, at, data, alias=f"tracking/{number}")]


def _place(found: Mapping[str, Any], *names: str) -> str:
    return ", ".join(filter(None, (text(found.get(name), 60) for name in names)))


def _told(notice: Notice, scans: Iterable[Raw]) -> list[Raw]:
    known = {scan["id"]: scan for scan in scans}
    if not known:
        raise notice.refuse(
            "it has no scan with a time and a code that is known", "tell who keeps the table in amazon_tracking.py"
        )
    return sorted(known.values(), key=lambda scan: str(scan["time"]))
