"""One message of a platform on its way to our events: whose it is, what it is about, what makes it the same again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.platforms.errors import Untranslated
from adapters.platforms.storefront import Storefront
from aftersales.events import MAX_BYTES, BadEvent, parse_event

Raw = dict[str, Any]
"""An event: a CloudEvent as a JSON object."""

_PLAIN = re.compile(r"[!-~]{1,180}")


@dataclass(frozen=True)
class Notice:
    """One message; names of headers are in small letters."""

    platform: str
    topic: str
    headers: Mapping[str, str]
    payload: Mapping[str, Any]
    storefront: Storefront
    received_at: datetime

    def event(
        self,
        type: str,
        id: str,
        at: datetime | None,
        data: Mapping[str, Any],
        *,
        subject: str = "",
        alias: str = "",
        **attributes: str,
    ) -> Raw:
        """One event of this message; without a time of its own it happened when the message came in."""
        return {
            "specversion": "1.0",
            "id": id,
            "source": f"{self.platform}/{self.storefront.shop}",
            "type": type,
            **({"subject": subject} if subject else {}),
            **({"orderalias": alias} if alias else {}),
            "time": (at or self.received_at).isoformat(),
            "datacontenttype": "application/json",
            **{name: value for name, value in attributes.items() if value},
            "data": dict(data),
        }

    def refuse(self, why: str, remedy: str) -> Untranslated:
        """The reason why this message gives no event."""
        return Untranslated(f"{self.platform} {self.topic or 'message'}: {why}; {remedy}")

    def digest(self) -> str:
        """What stands for a message that has no id of its own: the same for the same content."""
        body = json.dumps([self.topic, self.payload], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()[:32]


def stable_id(*parts: str) -> str:
    """Parts that together name something on a platform, as one event id; what cannot stand in an id is hashed."""
    whole = "/".join(parts)
    return whole if _PLAIN.fullmatch(whole) else hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def numbered(events: Iterable[Raw]) -> list[Raw]:
    """The events of one message with ids that differ: those that share one get /1, /2, and so on."""
    events = list(events)
    ids = [event["id"] for event in events]
    seen: dict[str, int] = {}
    for event in events:
        name = event["id"]
        if ids.count(name) > 1:
            seen[name] = seen.get(name, 0) + 1
            event["id"] = f"{name}/{seen[name]}"
    return events


def checked(event: Raw) -> Raw:
    """The event, which our contract takes once its alias stands for an order.

    Raises:
        Untranslated: the contract refuses it; every problem names its field.
    """
    missing = "subject" not in event and "orderalias" in event
    known = {**event, "subject": "?", "data": {"parcel_no": "?", **event["data"]}} if missing else event
    try:
        parse_event(known)
    except BadEvent as bad:
        remedy = "correct it on the platform, where the message can be sent again"
        raise Untranslated(f"{event['source']}: {event['type']} cannot be made: {bad}; {remedy}") from None
    if len(json.dumps(event, ensure_ascii=False).encode(errors="replace")) > MAX_BYTES:
        raise Untranslated(
            f"{event['source']}: {event['type']} has more than {MAX_BYTES:,} bytes; send the order by its own event"
        )
    return event
