"""Shopify's webhooks: the topic says what a message is about; which event it becomes stands in one table.

The payloads are those of the REST resources. Shopify sends a message again until it is answered, and once for every
subscription: `X-Shopify-Event-Id` is the same in all of them, `X-Shopify-Webhook-Id` in the repeats of one. Both are
kept on the events, as `shopifyeventid` and `shopifywebhookid`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.platforms import shopify_claims, shopify_orders, shopify_parcels
from adapters.platforms.errors import Untranslated
from adapters.platforms.notices import Notice, Raw
from adapters.platforms.reading import fields, text
from adapters.platforms.storefront import Storefront

TOPICS: Mapping[str, Callable[[Notice], list[Raw]]] = {
    "orders/create": shopify_orders.created,
    "orders/paid": shopify_orders.paid,
    "orders/updated": shopify_orders.updated,
    "orders/cancelled": shopify_orders.cancelled,
    "orders/fulfilled": shopify_parcels.order_fulfilled,
    "orders/partially_fulfilled": shopify_parcels.order_fulfilled,
    "fulfillments/create": shopify_parcels.fulfillment,
    "fulfillments/update": shopify_parcels.fulfillment,
    "fulfillment_events/create": shopify_parcels.scan,
    "refunds/create": shopify_claims.refund,
    "disputes/create": shopify_claims.dispute_opened,
    "disputes/update": shopify_claims.dispute_updated,
    "returns/request": shopify_claims.return_requested,
    "returns/approve": shopify_claims.return_requested,
    "returns/cancel": shopify_claims.return_cancelled,
    "returns/decline": shopify_claims.return_cancelled,
}
"""What each topic becomes."""

USELESS: Mapping[str, str] = {
    "orders/edited": "it holds the edit only; subscribe to orders/updated, which brings the order as it is now",
    "orders/delete": "a deleted order says nothing about goods or money; cancel it on Shopify before",
    "app/uninstalled": "no order is meant, but Shopify sends nothing more from now on; install the app again",
}
"""Topics from which no event follows, and what to do instead."""


def translate(
    headers: Mapping[str, str], payload: object, *, storefront: Storefront, received_at: datetime
) -> list[dict[str, Any]]:
    """The events of one webhook. Raises `Untranslated` where none follows."""
    topic = text(headers.get("x-shopify-topic")).lower()
    if not topic:
        raise Untranslated("shopify: the header X-Shopify-Topic is missing; let what stands before us pass it on")
    notice = Notice("shopify", topic, headers, fields(payload), storefront, received_at)
    if topic in USELESS:
        raise notice.refuse("gives no event", USELESS[topic])
    if topic not in TOPICS:
        raise notice.refuse("gives no event", "end the subscription to this topic; docs/platforms.md lists those read")
    if not notice.payload:
        raise notice.refuse("the body is no JSON object", "subscribe with the format json and without include_fields")
    kept = {
        "shopifywebhookid": text(headers.get("x-shopify-webhook-id")),
        "shopifyeventid": text(headers.get("x-shopify-event-id")),
    }
    events = TOPICS[topic](notice)
    return [{**event, **{name: value for name, value in kept.items() if value}} for event in events]
