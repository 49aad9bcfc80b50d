"""AfterShip's tags and subtags as our statuses: its tables of delivery statuses and sub-statuses, as of API 2026-07.

The subtag goes on as the scan's substatus; what it means to a parcel is said in `aftersales/scans.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

TAGS: Mapping[str, str] = {
    "Pending": "pending",
    "InfoReceived": "info_received",
    "InTransit": "in_transit",
    "OutForDelivery": "out_for_delivery",
    "AttemptFail": "attempt_fail",
    "Delivered": "delivered",
    "AvailableForPickup": "available_for_pickup",
    "Exception": "exception",
    "Expired": "expired",
}
"""The status of each of the nine tags."""

SUBTAGS: Mapping[str, str] = {
    "Pending_001": "pending",  # nothing known yet
    "Pending_002": "pending",
    "Pending_003": "pending",
    "Pending_004": "pending",
    "Pending_005": "pending",
    "Pending_006": "pending",
    "InfoReceived_001": "info_received",  # label made
    "InTransit_001": "in_transit",  # on its way
    "InTransit_002": "in_transit",  # taken over by the carrier
    "InTransit_003": "in_transit",  # arrived at a hub
    "InTransit_004": "in_transit",  # in the country of destination
    "InTransit_005": "in_transit",  # customs done
    "InTransit_006": "in_transit",  # customs begun
    "InTransit_007": "in_transit",  # left a hub
    "InTransit_008": "in_transit",  # trouble over
    "InTransit_009": "in_transit",  # forwarded to another address
    "OutForDelivery_001": "out_for_delivery",
    # Of before AvailableForPickup was a tag.
    "OutForDelivery_002": "available_for_pickup",
    "OutForDelivery_003": "out_for_delivery",  # customer contacted
    "OutForDelivery_004": "out_for_delivery",  # appointment made
    "AttemptFail_001": "attempt_fail",
    "AttemptFail_002": "attempt_fail",  # nobody there
    "AttemptFail_003": "attempt_fail",  # business closed
    "AvailableForPickup_001": "available_for_pickup",
    "Delivered_001": "delivered",
    "Delivered_002": "delivered",  # collected by the customer
    "Delivered_003": "delivered",  # signed for
    "Delivered_004": "delivered",  # cash on delivery taken
    "Delivered_005": "delivered",  # at a neighbour's
    "Exception_001": "exception",
    "Exception_002": "exception",  # customer moved
    "Exception_003": "exception",  # refused
    "Exception_004": "exception",  # customs
    "Exception_005": "exception",  # delay from outside
    "Exception_006": "exception",  # held for payment
    "Exception_007": "exception",  # wrong address
    "Exception_008": "exception",  # not collected
    "Exception_009": "exception",  # carrier will not take it
    "Exception_010": "exception",  # on its way back
    "Exception_011": "returned",  # back at the sender
    "Exception_012": "exception",  # damaged
    "Exception_013": "exception",  # lost
    "Exception_016": "exception",  # processing
    "Exception_017": "exception",  # weather
    "Exception_018": "exception",  # papers wrong or missing
    "Exception_019": "exception",  # flight late
    "Exception_020": "exception",  # shipment cancelled
    "Exception_021": "exception",  # destroyed or thrown away
    "Expired_001": "expired",
}
"""The status of each subtag that is known; one that is not has that of its tag."""

LIKE: Mapping[str, str] = {"Exception_021": "Exception_013"}
"""Subtags that mean to a parcel what another one does: what was destroyed is lost to the customer."""


def status_of(tag: str, subtag: str) -> str | None:
    """Our status for a tag and its subtag; None for a tag that is not known."""
    belongs = subtag.startswith(f"{tag}_")
    return SUBTAGS.get(subtag, TAGS.get(tag)) if belongs else TAGS.get(tag)
