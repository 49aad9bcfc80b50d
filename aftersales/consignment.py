"""A parcel in the words of letters and commands: who carries it, what is in it, where it was seen last (§4)."""

from __future__ import annotations

from pydantic import JsonValue

from aftersales.events import OrderShipped
from aftersales.parcels import Tracking

Words = dict[str, JsonValue]


def consignment(shipped: OrderShipped) -> Words:
    """The parcel for its carrier or the warehouse."""
    parcel = shipped.parcel
    return {"parcel_no": parcel.parcel_no, "carrier": parcel.carrier, "tracking_number": parcel.tracking_number}


def goods(shipped: OrderShipped) -> list[JsonValue]:
    """The lines in the parcel for a counterpart; none mean the whole order."""
    return [line.model_dump(include={"line_id", "quantity"}) for line in shipped.lines]


def tracked(shipped: OrderShipped) -> Words:
    """Who carries the parcel and where the customer can follow it, for a letter."""
    parcel = shipped.parcel
    return {
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "tracking_url": parcel.tracking_url,
    }


def handover(shipped: OrderShipped, tracking: Tracking) -> Words:
    """The facts of a parcel that was handed over and has no scan yet, for a letter."""
    return {**tracked(shipped), "handed_over_at": tracking.handed_over_at.isoformat()}


def evidence(shipped: OrderShipped, tracking: Tracking) -> Words:
    """The facts of a parcel with its last scan, empty where there is none, for a letter."""
    last, at = tracking.last, tracking.last_at
    return {
        **tracked(shipped),
        "last_scan_at": at.isoformat() if at else "",
        "last_scan_place": last.location if last else "",
        "last_scan_text": last.message if last else "",
    }
