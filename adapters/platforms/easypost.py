"""EasyPost's tracker events: the newest scan of a parcel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import entries, fields, first, moment, text
from adapters.platforms.storefront import Storefront

TOPICS = frozenset({"tracker.created", "tracker.updated"})

STATUSES: Mapping[str, str] = {
    "unknown": "pending",
    "pre_transit": "info_received",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "available_for_pickup",
    "delivered": "delivered",
    "return_to_sender": "exception",
    "failure": "exception",
    "cancelled": "exception",
}
"""Our status by that of a tracker; `error` is about the tracker and not about the parcel."""

TROUBLES: Mapping[str, str] = {
    "address_correction": "address_correction",
    "damaged": "damaged",
    "lost": "lost",
    "refused": "refused",
    "return": "return",
}
"""Details of a status with which a parcel that is still under way is in trouble, each with the word that scans read."""

_ARRIVED = frozenset({"delivered", "available_for_pickup"})


def translate(
    headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The scan that a webhook tells of. Raises `Untranslated` where it tells of none."""
    envelope = fields(payload)
    notice = Notice("easypost", text(envelope.get("description")), headers, envelope, storefront, received_at)
    if notice.topic not in TOPICS:
        raise notice.refuse("gives no event", "nothing to do, only tracker.created and tracker.updated are read")
    return [_scan(notice, fields(envelope.get("result")))]


def _scan(notice: Notice, tracker: Mapping[str, Any]) -> Raw:
    number = text(tracker.get("tracking_code"))
    if not number:
        raise notice.refuse("result.tracking_code is missing", "look the tracker up at EasyPost")
    told = text(tracker.get("status"))
    if told == "error":
        raise notice.refuse("EasyPost cannot track the parcel", "check tracking code and carrier of the tracker there")
    if told not in STATUSES:
        remedy = "add it to STATUSES in adapters/platforms/easypost.py"
        raise notice.refuse(f"result.status {told!r} is not known", remedy)
    newest = _newest(entries(tracker.get("tracking_details")), notice.storefront.timezone)
    scan = newest if text(newest.get("status")) == told else {}
    detail = first(tracker.get("status_detail"), scan.get("status_detail"))
    status = STATUSES[told]
    if detail in TROUBLES and told not in _ARRIVED:
        status = "exception"
    given = (scan.get("datetime"), tracker.get("updated_at"), notice.payload.get("created_at"))
    times = (moment(value, notice.storefront.timezone) for value in given)
    at = min(next((at for at in times if at), notice.received_at), notice.received_at)
    where = fields(scan.get("tracking_location"))
    data = {
        "status": status,
        "substatus": _substatus(told, detail),
        "location": ", ".join(filter(None, (text(where.get(name)) for name in ("city", "state", "country")))),
        "at": at.isoformat(),
        "message": first(scan.get("message"), scan.get("description"), most=2000),
    }
    own = first(tracker.get("id"), f"{text(tracker.get('carrier'))}/{number}")
    seen = moment(newest.get("datetime"), notice.storefront.timezone)
    id = stable_id(own, seen.isoformat() if seen else text(newest.get("datetime")) or "-", told, detail or "-")
    return notice.event("shipment.checkpoint", id, at, data, alias=f"tracking/{number}")


def _substatus(status: str, detail: str) -> str:
    """The words from which a scan is read: a return and its troubles, else EasyPost's own detail."""
    if status == "return_to_sender" and detail not in ("damaged", "lost"):
        return "return_to_sender"
    return TROUBLES.get(detail, detail if detail not in ("", "unknown") else status)


def _newest(details: list[Mapping[str, Any]], timezone: str) -> Mapping[str, Any]:
    """The detail with the latest time; of several at one time the last in the list, which is the oldest first."""
    begin = datetime.min.replace(tzinfo=UTC)
    timed = [(moment(one.get("datetime"), timezone) or begin, place) for place, one in enumerate(details)]
    return details[max(timed)[1]] if timed else {}
