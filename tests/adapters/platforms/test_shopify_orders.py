"""What Shopify's orders become: identity, money, addresses, and what is missing."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.adapters.platforms.payloads import SHOP, raws, refusal, shopify
from tests.adapters.platforms.shopify_samples import ORDER, one


def test_what_the_customer_paid_for_one_is_after_discounts_and_with_tax() -> None:
    order = one("orders/updated", ORDER)["data"]["order"]
    assert order["items"][0]["unit_price"] == "60.00"
    assert order["items"][0]["unit_cost"] == "24.00"
    assert order["items"][0]["sku"] == "9"
    assert order["freight_paid"] == "12.00"
    included = one("orders/updated", ORDER | {"taxes_included": True})["data"]["order"]
    assert (included["items"][0]["unit_price"], included["freight_paid"]) == ("50.00", "10.00")


def test_address_and_language_are_the_customers() -> None:
    order = one("orders/updated", ORDER)["data"]["order"]
    assert (order["ship_to"]["line1"], order["ship_to"]["postcode"], order["market"]) == ("Ring 1, Top 4", "1010", "AT")
    assert order["customer"] == {"name": "Ada Reyes", "email": "ada@example.com", "language": "de-AT"}
    billed = {**ORDER, "shipping_address": None, "billing_address": ORDER["shipping_address"] | {"city": "Graz"}}
    assert one("orders/updated", billed)["data"]["order"]["ship_to"]["city"] == "Graz"


def test_an_order_id_has_the_shops_prefix_and_keeps_its_sign() -> None:
    event = one("orders/paid", ORDER, SHOP.model_copy(update={"order_prefix": "AT-"}))
    assert (event["subject"], event["data"]["order"]["order_id"]) == ("AT-#1001", "AT-#1001")
    assert event["orderalias"] == "shopify/lamps/6001"


def test_one_payment_is_one_event_whichever_topic_tells_it() -> None:
    created, paid = one("orders/create", ORDER), one("orders/paid", ORDER, event_id="ev-2")
    assert (created["type"], created["id"]) == (paid["type"], paid["id"]) == ("order.paid", "6001/paid")


def test_a_new_order_that_is_not_paid_is_only_known() -> None:
    assert one("orders/create", ORDER | {"financial_status": "pending"})["type"] == "order.updated"


def test_a_repeat_by_another_subscription_is_the_same_event() -> None:
    first = one("orders/updated", ORDER)
    again = one("orders/updated", ORDER, webhook_id="wh-2")
    assert first["id"] == again["id"] == "ev-1/orders/updated/6001"
    assert (first["shopifyeventid"], first["shopifywebhookid"], again["shopifywebhookid"]) == ("ev-1", "wh-1", "wh-2")


def test_one_action_about_two_orders_is_two_events() -> None:
    other = ORDER | {"id": 6002, "name": "#1002"}
    assert one("orders/updated", ORDER)["id"] != one("orders/updated", other)["id"]


def test_without_an_event_id_the_webhook_id_counts_and_without_both_the_body() -> None:
    (by_webhook,) = raws("shopify", ORDER, {"x-shopify-topic": "orders/updated", "x-shopify-webhook-id": "wh-1"})
    assert by_webhook["id"] == "wh-1/orders/updated/6001"
    plain = {"x-shopify-topic": "orders/updated"}
    first, again = raws("shopify", ORDER, plain), raws("shopify", deepcopy(ORDER), plain)
    changed = raws("shopify", ORDER | {"note": "ring twice"}, plain)
    assert first == again
    assert first[0]["id"] != changed[0]["id"]
    assert "shopifyeventid" not in first[0]


def test_an_event_id_that_cannot_stand_in_an_id_is_hashed() -> None:
    first, again = (one("orders/updated", ORDER, event_id="a b\t" + "c" * 300)["id"] for _ in range(2))
    assert first == again != one("orders/updated", ORDER, event_id="a b")["id"]
    assert len(first) == 32


@pytest.mark.parametrize(
    ("status", "refunds", "refunded"),
    [
        ("refunded", [], True),
        ("voided", [], True),
        ("pending", [], True),
        ("paid", [], False),
        ("partially_refunded", ["100.00"], False),
        ("partially_refunded", ["100.00", "32.00"], True),
    ],
)
def test_a_cancelled_order_is_paid_back_where_the_shop_has_none_of_the_money(
    status: str, refunds: list[str], refunded: bool
) -> None:
    moved = [{"transactions": [{"kind": "refund", "status": "success", "amount": sum}]} for sum in refunds]
    order = ORDER | {"financial_status": status, "refunds": moved, "cancel_reason": "inventory"}
    assert one("orders/cancelled", order)["data"] == {"reason": "inventory", "refunded": refunded}


def test_a_cancellation_needs_no_snapshot() -> None:
    event = one("orders/cancelled", {"id": 6001, "financial_status": "paid"})
    assert "subject" not in event
    assert event["orderalias"] == "shopify/lamps/6001"


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ("email", "email is missing; ask for an e-mail address at checkout"),
        ("total_price", "total_price is missing"),
        ("shipping_address", "shipping_address and billing_address are missing"),
        ("currency", "give the shop a currency in its settings"),
        ("name", "the order has no name"),
        ("line_items", "the order has no line_items"),
        ("created_at", "created_at is missing"),
    ],
)
def test_what_an_order_needs_is_named_with_a_remedy(missing: str, why: str) -> None:
    assert why in refusal("shopify", ORDER | {missing: None}, shopify("orders/paid"))


def test_the_shops_settings_stand_in_for_what_an_order_lacks() -> None:
    order = deepcopy(ORDER) | {"currency": None, "customer_locale": None}
    order["shipping_address"]["country_code"] = None
    shop = SHOP.model_copy(update={"currency": "CHF", "locale": "de-CH", "market": "CH", "category": "lighting"})
    told = one("orders/paid", order, shop)["data"]["order"]
    assert (told["currency"], told["locale"], told["market"], told["ship_to"]["country"]) == (
        "CHF",
        "de-CH",
        "CH",
        "CH",
    )
    assert told["items"][0]["category"] == "lighting"


@pytest.mark.parametrize(
    ("headers", "payload", "why"),
    [
        ({}, ORDER, "the header X-Shopify-Topic is missing"),
        (shopify("app/uninstalled"), {"id": 1}, "install the app again"),
        (shopify("orders/edited"), {"order_edit": {"order_id": 6001}}, "subscribe to orders/updated"),
        (shopify("products/update"), {"id": 1}, "end the subscription to this topic"),
        (shopify("orders/paid"), [ORDER], "the body is no JSON object"),
        (shopify("refunds/create"), {"id": 1, "transactions": []}, "the order's id is missing"),
    ],
)
def test_what_gives_no_event_says_why(headers: dict[str, str], payload: object, why: str) -> None:
    assert why in refusal("shopify", payload, headers)
