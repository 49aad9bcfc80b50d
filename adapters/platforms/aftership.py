"""AfterShip's tracking webhook: the newest checkpoint of a parcel.

Every message brings the parcel's whole history again; only its end is told. What has no checkpoint, such as a tracking
that expired, or that somebody marked as lost by hand, happened when the tracking was last changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.platforms.aftership_tags import LIKE, status_of
from adapters.platforms.notices import Notice, Raw, stable_id
from adapters.platforms.reading import entries, fields, first, moment, text
from adapters.platforms.storefront import Storefront

_MILLISECONDS_FROM, _NO_TIME_FROM = 10**11, 10**13


def translate(
    headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The scan that a webhook tells of. Raises `Untranslated` where it tells of none."""
    envelope = fields(payload)
    notice = Notice("aftership", text(envelope.get("event")), headers, envelope, storefront, received_at)
    if notice.topic != "tracking_update":
        remedy = "switch on nothing but shipment statuses in AfterShip's webhook settings"
        raise notice.refuse("gives no event, only tracking_update does", remedy)
    return [_scan(notice, fields(envelope.get("msg")))]


def _scan(notice: Notice, tracking: Mapping[str, Any]) -> Raw:
    number = text(tracking.get("tracking_number"))
    if not number:
        raise notice.refuse("msg.tracking_number is missing", "look the tracking up on AfterShip")
    tag, subtag = text(tracking.get("tag")), text(tracking.get("subtag"))
    status = status_of(tag, subtag)
    if not tag:
        raise notice.refuse("msg.tag is missing", "look the tracking up on AfterShip")
    if status is None:
        raise notice.refuse(f"msg.tag {tag!r} is not known", "add it to TAGS in adapters/platforms/aftership_tags.py")
    if status == "delivered" and tracking.get("return_to_sender") is True:
        # It was on its way back before: whoever has it now, it is not the customer.
        status = "returned"
    newest = _newest(entries(tracking.get("checkpoints")), notice.storefront.timezone)
    says_so = text(newest.get("tag")) == tag
    scan = newest if says_so else {}
    at = min(_at(notice, tracking, scan), notice.received_at)
    place = (text(scan.get(field)) for field in ("city", "state", "country_name"))
    data = {
        "status": status,
        "substatus": LIKE.get(subtag, subtag),
        "location": text(scan.get("location")) or ", ".join(filter(None, place)),
        "at": at.isoformat(),
        "message": first(scan.get("message"), tracking.get("subtag_message"), most=2000),
    }
    own = first(tracking.get("id"), f"{text(tracking.get('slug'))}/{number}")
    id = stable_id(own, _scanned(newest, notice.storefront.timezone), tag, subtag or "-")
    field = notice.storefront.tracking_order_field
    if field != "none" and (order_id := text(tracking.get(field))):
        # Without an alias nobody looks the parcel up, so it has to be the shop's own name of it.
        return notice.event("shipment.checkpoint", id, at, {"parcel_no": number, **data}, subject=order_id)
    return notice.event("shipment.checkpoint", id, at, data, alias=f"tracking/{number}")


def _newest(checkpoints: list[Mapping[str, Any]], timezone: str) -> Mapping[str, Any]:
    """The checkpoint with the latest time; of several at one time the last in the list, which is the oldest first."""
    begin = datetime.min.replace(tzinfo=UTC)
    timed = [(moment(one.get("checkpoint_time"), timezone) or begin, place) for place, one in enumerate(checkpoints)]
    return checkpoints[max(timed)[1]] if timed else {}


def _scanned(checkpoint: Mapping[str, Any], timezone: str) -> str:
    """When a checkpoint was, for its identity: one moment is written with this offset today and with that tomorrow."""
    told = checkpoint.get("checkpoint_time")
    at = moment(told, timezone)
    return at.isoformat() if at else text(told) or "-"


def _at(notice: Notice, tracking: Mapping[str, Any], scan: Mapping[str, Any]) -> datetime:
    """When the parcel was scanned. A time without an offset is local to a place of which AfterShip does not tell the
    zone; the shop's is the nearest that is known."""
    told = (
        moment(scan.get("checkpoint_time"), notice.storefront.timezone),
        moment(tracking.get("last_updated_at")),
        moment(tracking.get("updated_at")),
        _unix(notice.payload.get("ts")),
    )
    return next((at for at in told if at), notice.received_at)


def _unix(value: object) -> datetime | None:
    if not isinstance(value, int) or not 0 < value < _NO_TIME_FROM:
        return None
    return datetime.fromtimestamp(value if value < _MILLISECONDS_FROM else value / 1000, UTC)
