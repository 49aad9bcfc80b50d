"""What WooCommerce's order webhooks become: every payload that lies beside this checkout, and each status."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.platforms.woocommerce import STATUSES
from tests.adapters.platforms.payloads import NEEDED, SHOP, files, load, raws, refusal, woocommerce

NO_ORDER = "id or status is missing"
PAYLOADS: dict[str, list[str] | str] = {
    "order-notes_0": NO_ORDER,
    "order-notes_2": NO_ORDER,
    "order-refunds_0": NO_ORDER,
    "order-refunds_2": NO_ORDER,
    "orders_0": ["order.paid", "order.updated"],
    "orders_2": NO_ORDER,
    "orders_3": ["order.updated"],
    "orders_5": NO_ORDER,
    "webhooks_0": "billing.email is missing",
    "webhooks_2": NO_ORDER,
    "webhooks_3": "billing.email is missing",
    "webhooks_4": "billing.email is missing",
}
ORDER: dict[str, Any] = {
    "id": 727,
    "number": "A727",
    "status": "processing",
    "currency": "EUR",
    "date_created_gmt": "2026-11-18T10:00:00",
    "date_modified_gmt": "2026-11-19T10:00:00",
    "date_paid_gmt": "2026-11-18T10:05:00",
    "shipping_total": "5.00",
    "shipping_tax": "0.95",
    "total": "65.45",
    "billing": {"first_name": "Ada", "last_name": "Reyes", "email": "ada@example.com", "country": "DE"},
    "shipping": {"first_name": "Bo", "address_1": "Weg 1", "city": "Ulm", "postcode": "89073", "country": "DE"},
    "line_items": [{"id": 3, "name": "Lamp &amp; bulb", "quantity": 2, "total": "50.00", "total_tax": "9.50"}],
    "refunds": [],
}


def types(payload: object) -> list[str]:
    return [event["type"] for event in raws("woocommerce", payload, woocommerce())]


@NEEDED
def test_no_payload_is_left_out() -> None:
    assert set(PAYLOADS) == files("woocommerce-rest")
    assert len(PAYLOADS) == 12


@NEEDED
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload(name: str) -> None:
    expected = PAYLOADS[name]
    if isinstance(expected, str):
        assert expected in refusal("woocommerce", load(f"woocommerce-rest/{name}"), woocommerce())
    else:
        assert types(load(f"woocommerce-rest/{name}")) == expected


@NEEDED
def test_the_orders_in_lists_are_orders_too() -> None:
    listed, batch = load("woocommerce-rest/orders_2"), load("woocommerce-rest/orders_5")
    assert [types(order) for order in listed] == [
        ["order.paid", "order.updated"],
        ["order.updated", "refund.settled", "refund.settled"],
    ]
    assert [types(order) for order in batch["create"]] == [["order.updated"], ["order.paid", "order.updated"]]
    assert [types(order) for order in batch["update"]] == [["order.updated"]]


@NEEDED
def test_an_order_in_full() -> None:
    paid, _ = raws("woocommerce", load("woocommerce-rest/orders_0"), woocommerce())
    order = paid["data"]["order"]
    assert (paid["id"], paid["subject"], paid["orderalias"]) == ("727/paid", "727", "woocommerce/lamps/727")
    assert paid["time"] == "2017-03-22T19:28:08+00:00"
    assert (order["total"], order["freight_paid"], order["market"]) == ("29.35", "10.00", "US")
    assert [(item["line_id"], item["unit_price"]) for item in order["items"]] == [("315", "3.225"), ("316", "12.90")]
    assert order["items"][1]["title"] == "Ship Your Idea – Color: Black, Size: M Test"
    lines = sum(float(item["unit_price"]) * item["quantity"] for item in order["items"])
    assert lines + float(order["freight_paid"]) == pytest.approx(float(order["total"]))


def test_what_the_customer_paid_for_one_is_with_tax() -> None:
    order = raws("woocommerce", ORDER, woocommerce())[0]["data"]["order"]
    assert (order["items"][0]["unit_price"], order["items"][0]["unit_cost"]) == ("29.75", "11.90")
    assert (order["freight_paid"], order["items"][0]["title"]) == ("5.95", "Lamp & bulb")
    assert (order["customer"]["name"], order["ship_to"]["name"]) == ("Ada Reyes", "Bo")


def test_without_a_shipping_address_the_billing_address_counts() -> None:
    order = ORDER | {"shipping": {"first_name": "", "address_1": "", "city": "", "country": ""}}
    assert raws("woocommerce", order, woocommerce())[0]["data"]["order"]["ship_to"]["name"] == "Ada Reyes"


@pytest.mark.parametrize("status", [*STATUSES, "awaiting-shipment"])
def test_every_status(status: str) -> None:
    assert types(ORDER | {"status": status}) == list(STATUSES.get(status, ("order.updated",)))


def test_an_order_is_paid_once_and_updated_as_often_as_it_changes() -> None:
    paid, updated = raws("woocommerce", ORDER, woocommerce())
    paid_again, changed = raws("woocommerce", ORDER | {"customer_note": "ring twice"}, woocommerce())
    assert paid["id"] == paid_again["id"]
    assert updated["id"] != changed["id"]


def test_the_id_of_a_delivery_counts_for_nothing() -> None:
    headers = [{"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Delivery-ID": id} for id in ("d1", "d2")]
    assert raws("woocommerce", ORDER, headers[0]) == raws("woocommerce", ORDER, headers[1])


@pytest.mark.parametrize(
    ("changes", "refunded"),
    [
        ({"status": "cancelled"}, False),
        ({"status": "cancelled", "date_paid_gmt": None}, True),
        ({"status": "cancelled", "refunds": [{"id": 1, "total": "-65.45"}]}, True),
        ({"status": "cancelled", "refunds": [{"id": 1, "total": "-5.00"}]}, False),
        ({"status": "refunded"}, True),
    ],
)
def test_a_cancelled_order_is_paid_back_where_the_shop_has_none_of_the_money(
    changes: dict[str, Any], refunded: bool
) -> None:
    cancelled = raws("woocommerce", ORDER | changes, woocommerce())[0]
    assert cancelled["data"] == {"reason": changes["status"], "refunded": refunded}


def test_a_refund_is_one_event_however_often_it_is_listed() -> None:
    order = ORDER | {"status": "completed", "refunds": [{"id": 9, "reason": "aftersales key: k-1", "total": "-5.00"}]}
    refunds = [raws("woocommerce", order | {"customer_note": note}, woocommerce())[1] for note in ("", "again")]
    assert [(event["id"], event["data"]) for event in refunds] == [
        ("727/refund/9", {"amount": "5.00", "key": "k-1"})
    ] * 2


def test_two_shops_may_have_the_same_number() -> None:
    shop = SHOP.model_copy(update={"order_prefix": "W-"})
    assert raws("woocommerce", ORDER, woocommerce(), shop=shop)[0]["subject"] == "W-A727"


@pytest.mark.parametrize(
    ("topic", "changes", "why"),
    [
        ("", {}, "the header X-WC-Webhook-Topic is missing"),
        ("order.deleted", {}, "cancel it in the shop before"),
        ("product.updated", {}, "gives no event"),
        ("action.woocommerce_add_to_cart", {}, "gives no event"),
        ("order.created", {"status": "checkout-draft"}, "the order is told when it is placed"),
        ("order.created", {"billing": {}}, "billing.email is missing"),
        ("order.created", {"total": None}, "total, currency, date_created_gmt or line_items is missing"),
        ("order.created", {"line_items": [{"id": 1, "quantity": 1}]}, "a total is missing"),
    ],
)
def test_what_gives_no_event_says_why(topic: str, changes: dict[str, Any], why: str) -> None:
    assert why in refusal("woocommerce", ORDER | changes, woocommerce(topic))


def test_the_ping_of_a_new_webhook_gives_no_event() -> None:
    assert NO_ORDER in refusal("woocommerce", "webhook_id=5", woocommerce("order.created"))
