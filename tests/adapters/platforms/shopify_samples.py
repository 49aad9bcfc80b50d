"""Small messages of Shopify, for what its published payloads do not show."""

from __future__ import annotations

from typing import Any

from adapters.platforms import Storefront
from tests.adapters.platforms.payloads import SHOP, raws, shopify

ORDER: dict[str, Any] = {
    "id": 6001,
    "name": "#1001",
    "created_at": "2026-11-18T10:00:00+01:00",
    "updated_at": "2026-11-19T10:00:00+01:00",
    "currency": "EUR",
    "customer_locale": "de-AT",
    "email": "ada@example.com",
    "financial_status": "paid",
    "fulfillment_status": None,
    "taxes_included": False,
    "total_price": "132.00",
    "customer": {"first_name": "Ada", "last_name": "Reyes"},
    "shipping_address": {"name": "Ada Reyes", "address1": "Ring 1", "address2": "Top 4", "city": "Wien", "zip": 1010}
    | {"country_code": "AT"},
    "shipping_lines": [{"discounted_price": "10.00", "tax_lines": [{"price": "2.00"}]}],
    "line_items": [
        {
            "id": 71,
            "title": "Lamp",
            "quantity": 2,
            "price": "60.00",
            "variant_id": 9,
            "discount_allocations": [{"amount": "20.00"}],
            "tax_lines": [{"price": "20.00"}],
        }
    ],
    "fulfillments": [],
    "refunds": [],
}
FULFILLMENT: dict[str, Any] = {
    "id": 801,
    "order_id": 6001,
    "status": "success",
    "created_at": "2026-11-19T08:00:00+01:00",
    "tracking_company": "DHL",
    "tracking_numbers": ["JD01", "JD02"],
    "tracking_urls": ["https://dhl.example/JD01", "https://dhl.example/JD02"],
    "line_items": [{"id": 71, "quantity": 2, "requires_shipping": True}],
}
# After the body that shopify.dev gives for returns/request.
RETURN: dict[str, Any] = {
    "id": 3547,
    "admin_graphql_api_id": "gid://shopify/Return/3547",
    "status": "requested",
    "order": {"id": 6001, "admin_graphql_api_id": "gid://shopify/Order/6001"},
    "total_return_line_items": 1,
    "name": "#1001-R1",
    "return_line_items": [
        {
            "id": 62,
            "admin_graphql_api_id": "gid://shopify/ReturnLineItem/62",
            "fulfillment_line_item": {
                "id": 107,
                "line_item": {"id": 71, "admin_graphql_api_id": "gid://shopify/LineItem/71"},
            },
            "quantity": 1,
            "return_reason": "size_too_small",
            "return_reason_note": "",
            "customer_note": "Too small for the desk",
        }
    ],
}
DISPUTE = {"id": 91, "order_id": 6001, "type": "chargeback", "amount": "132.00", "currency": "EUR"}


def one(
    topic: str, payload: object, shop: Storefront = SHOP, *, event_id: str = "ev-1", webhook_id: str = "wh-1"
) -> dict[str, Any]:
    """The only event of a message."""
    headers = shopify(topic) | {"X-Shopify-Event-Id": event_id, "X-Shopify-Webhook-Id": webhook_id}
    (event,) = raws("shopify", payload, headers, shop=shop)
    return event
