"""A command as it goes over the wire: a signed CloudEvent."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from standardwebhooks import Webhook

from aftersales.commands import Command

SOURCE = "aftersales"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def command_id(key: str) -> str:
    """The idempotency key as headers take it: short, ASCII, and the same for the same key."""
    return f"cmd_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def body_of(command: Command, *, shop: str) -> bytes:
    """The CloudEvent of a command, the same bytes on every try."""
    event = {
        "specversion": "1.0",
        "id": command_id(command.key),
        "source": SOURCE,
        "type": f"command.{command.type}",
        "subject": command.order_id,
        "time": command.at.isoformat(),
        "datacontenttype": "application/json",
        "data": command.data | {"key": command.key, "case_id": command.case_id, "shop": shop},
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def headers_of(command: Command, body: bytes, webhook: Webhook, *, now: datetime) -> dict[str, str]:
    """What goes with the body: the key, and the signature of this try."""
    name = command_id(command.key)
    return {
        "Content-Type": CONTENT_TYPE,
        "Accept": "application/json",
        "Idempotency-Key": name,
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(name, now, body.decode()),
    }
