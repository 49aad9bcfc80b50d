"""Payloads that platforms publish, and how tests have them translated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.platforms import Storefront, Untranslated, translate
from aftersales.events import Event, parse_event

PAYLOADS = Path(__file__).parents[4] / "shared/data/platform-payloads"
NEEDED = pytest.mark.skipif(not PAYLOADS.exists(), reason="the platforms' payloads lie beside the checkout, not here")
RECEIVED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SHOP = Storefront(shop="lamps", unit_cost_share="0.4")  # type: ignore[arg-type]


def files(folder: str) -> set[str]:
    return {path.stem for path in (PAYLOADS / folder).glob("*.json")}


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))


def raws(
    platform: str, payload: object, headers: Mapping[str, str] | None = None, *, shop: Storefront = SHOP
) -> list[dict[str, Any]]:
    """What a message becomes; it survives a queue, and our contract takes it."""
    events = translate(platform, headers or {}, payload, storefront=shop, received_at=RECEIVED)
    assert events
    assert json.loads(json.dumps(events)) == events
    # No lone surrogate and no NUL, which no database column holds.
    assert b"\\u0000" not in json.dumps(events, ensure_ascii=False).encode()
    for event in events:
        parsed(event)
    assert len({event["id"] for event in events}) == len(events)
    return events


def parsed(event: dict[str, Any]) -> Event:
    """The event once its alias has been looked up."""
    if "subject" in event:
        return parse_event(event)
    assert event["orderalias"]
    return parse_event({**event, "subject": "?", "data": {"parcel_no": "?", **event["data"]}})


def refusal(
    platform: str, payload: object, headers: Mapping[str, str] | None = None, *, shop: Storefront = SHOP
) -> str:
    """Why a message becomes nothing."""
    with pytest.raises(Untranslated) as refused:
        translate(platform, headers or {}, payload, storefront=shop, received_at=RECEIVED)
    return str(refused.value)


def shopify(topic: str) -> dict[str, str]:
    return {"X-Shopify-Topic": topic, "X-Shopify-Event-Id": "ev-1", "X-Shopify-Webhook-Id": "wh-1"}


def woocommerce(topic: str = "order.updated") -> dict[str, str]:
    return {"X-WC-Webhook-Topic": topic}


def tracking_update(tracking: object) -> dict[str, Any]:
    """AfterShip's envelope around a tracking."""
    return {
        "event": "tracking_update",
        "event_id": "94dadd60-ed26-46d0-aa52-3ced925a50ff",
        "is_tracking_first_tag": True,
        "msg": tracking,
        "ts": 1_712_741_696,
    }
