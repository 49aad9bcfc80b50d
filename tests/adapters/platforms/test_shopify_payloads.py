"""Every payload of Shopify that lies beside this checkout: what it becomes, or why it becomes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.platforms.payloads import NEEDED, files, load, raws, refusal, shopify

pytestmark = NEEDED

UNREAD = "gives no event; end the subscription"
WEBHOOKS: dict[str, tuple[str, list[str] | str]] = {
    "CheckoutsCreate": ("checkouts/create", UNREAD),
    "CustomersCreate": ("customers/create", UNREAD),
    "CustomersDelete": ("customers/delete", UNREAD),
    "CustomersMerge": ("customers/merge", UNREAD),
    "Deleted": ("orders/delete", "cancel it on Shopify before"),
    "DisputesCreate": ("disputes/create", ["dispute.opened"]),
    "Fulfillment": ("fulfillments/create", ["order.shipped"]),
    "FulfillmentEventsCreate": ("fulfillment_events/create", ["shipment.checkpoint"]),
    "FulfillmentOrdersCancellationRequestRejected": ("fulfillment_orders/cancellation_request_rejected", UNREAD),
    "FulfillmentOrdersCancellationRequestSubmitted": ("fulfillment_orders/cancellation_request_submitted", UNREAD),
    "FulfillmentOrdersCancelled": ("fulfillment_orders/cancelled", UNREAD),
    "FulfillmentOrdersFulfillmentRequestSubmitted": ("fulfillment_orders/fulfillment_request_submitted", UNREAD),
    "FulfillmentOrdersFulfillmentServiceFailedToComplete": (
        "fulfillment_orders/fulfillment_service_failed_to_complete",
        UNREAD,
    ),
    "FulfillmentOrdersHoldReleased": ("fulfillment_orders/hold_released", UNREAD),
    "FulfillmentOrdersMoved": ("fulfillment_orders/moved", UNREAD),
    "FulfillmentOrdersPlacedOnHold": ("fulfillment_orders/placed_on_hold", UNREAD),
    "FulfillmentOrdersRescheduled": ("fulfillment_orders/rescheduled", UNREAD),
    "InventoryItemDeleted": ("inventory_items/delete", UNREAD),
    "InventoryLevelDisconnected": ("inventory_levels/disconnect", UNREAD),
    "Order": ("orders/updated", ["order.updated"]),
    "OrderEdited": ("orders/edited", "subscribe to orders/updated"),
    "Refund": ("refunds/create", "no money has moved"),
    "SellingPlanGroupDeleted": ("selling_plan_groups/delete", UNREAD),
}

NO_ORDER = "the order's id is missing"
REST: dict[str, tuple[str, str, list[list[str] | str]]] = {
    "go_fulfillment": ("fulfillments/update", "fulfillment", [["order.shipped"]]),
    "go_fulfillment_event": ("fulfillment_events/create", "fulfillment_event", [["shipment.checkpoint"]]),
    "go_fulfillment_events": ("fulfillment_events/create", "fulfillment_events", [["shipment.checkpoint"]]),
    "py_dispute": ("disputes/update", "dispute", [NO_ORDER]),
    "py_disputes": (
        "disputes/create",
        "disputes",
        [NO_ORDER, ["dispute.opened"], ["dispute.decided"], *([["dispute.opened"]] * 4)],
    ),
    "py_fulfillment": ("fulfillments/create", "fulfillment", [["order.shipped"]]),
    "py_order": ("orders/paid", "order", [["order.paid"]]),
    "py_orders": ("orders/create", "orders", ["the order has no line_items"]),
}
OTHER_REST = {
    "go_customer": "customers/create",
    "go_draft_order": "draft_orders/create",
    "go_draft_orders": "draft_orders/update",
    "go_fulfillment_accept": "fulfillment_orders/fulfillment_request_accepted",
    "go_fulfillment_order": "fulfillment_orders/order_routing_complete",
    "go_fulfillment_reject": "fulfillment_orders/fulfillment_request_rejected",
    "go_fulfillment_service": "locations/create",
    "go_fulfillment_services": "locations/update",
    "go_order_risk": "orders/risk_assessment_changed",
    "go_order_risks": "orders/risk_assessment_changed",
    "go_payments_transaction": "order_transactions/create",
    "go_payments_transactions": "order_transactions/create",
    "go_requested_fulfillment_service_id_null": "orders/shopify_protect_eligibility_changed",
    "go_requested_fulfillment_service_id_number": "orders/shopify_protect_eligibility_changed",
    "go_transaction": "order_transactions/create",
    "go_transactions": "order_transactions/create",
    "go_webhook": "shop/update",
    "go_webhooks": "shop/update",
    "py_checkouts": "checkouts/update",
    "py_customer": "customers/update",
    "py_draft_order": "draft_orders/create",
    "py_draft_order_completed": "draft_orders/update",
    "py_draft_order_invoice": "draft_orders/update",
    "py_draft_orders": "draft_orders/update",
    "py_order_risk": "orders/risk_assessment_changed",
    "py_order_risks": "orders/risk_assessment_changed",
    "py_payouts_transactions": "order_transactions/create",
    "py_tender_transactions": "tender_transactions/create",
    "py_transaction": "order_transactions/create",
    "py_transactions": "order_transactions/create",
}


def told(topic: str, payload: Any, expected: list[str] | str) -> None:
    if isinstance(expected, str):
        assert expected in refusal("shopify", payload, shopify(topic))
    else:
        assert [event["type"] for event in raws("shopify", payload, shopify(topic))] == expected


def test_no_payload_is_left_out() -> None:
    assert set(WEBHOOKS) == files("shopify-webhook")
    assert set(REST) | set(OTHER_REST) == files("shopify-rest")
    assert (len(WEBHOOKS), len(REST), len(OTHER_REST)) == (23, 8, 30)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook(name: str) -> None:
    topic, expected = WEBHOOKS[name]
    told(topic, load(f"shopify-webhook/{name}"), expected)


@pytest.mark.parametrize("name", REST)
def test_a_resource(name: str) -> None:
    topic, key, expected = REST[name]
    found = load(f"shopify-rest/{name}")[key]
    each = found if isinstance(found, list) else [found]
    assert len(each) == len(expected)
    for payload, becomes in zip(each, expected, strict=True):
        told(topic, payload, becomes)


@pytest.mark.parametrize("name", OTHER_REST)
def test_a_resource_that_is_not_read(name: str) -> None:
    told(OTHER_REST[name], load(f"shopify-rest/{name}"), UNREAD)


def test_the_order_in_full() -> None:
    (event,) = raws("shopify", load("shopify-webhook/Order"), shopify("orders/updated"))
    order = event["data"]["order"]
    assert (event["subject"], event["orderalias"]) == ("#9999", "shopify/lamps/820982911946154500")
    assert (order["total"], order["freight_paid"], order["currency"], order["market"]) == (
        "388.00",
        "10.00",
        "USD",
        "US",
    )
    assert order["customer"] == {"name": "John Smith", "email": "jon@example.com", "language": "en"}
    assert order["ship_to"]["line1"] == "123 Shipping Street"
    assert order["placed_at"] == "2022-01-01T00:00:00+00:00"
    # Rounded on its way through JavaScript, but for what GraphQL calls them.
    assert [item["line_id"] for item in order["items"]] == ["866550311766439020", "141249953214522974"]
    assert {(item["unit_price"], item["unit_cost"], item["category"]) for item in order["items"]} == {
        ("199.00", "79.60", "goods")
    }


def test_a_cancelled_order_that_was_never_charged_needs_no_refund() -> None:
    (event,) = raws("shopify", load("shopify-webhook/Order"), shopify("orders/cancelled"))
    assert (event["type"], event["subject"]) == ("order.cancelled", "#9999")
    assert event["data"] == {"reason": "customer", "refunded": True}
    assert event["time"] == "2022-01-01T00:00:00+00:00"


def test_a_parcel_its_lines_and_its_scan_name_the_same_order_and_parcel() -> None:
    (shipped,) = raws("shopify", load("shopify-webhook/Fulfillment"), shopify("fulfillments/create"))
    (scan,) = raws("shopify", load("shopify-webhook/FulfillmentEventsCreate"), shopify("fulfillment_events/create"))
    parcel = shipped["data"]["parcel"]
    assert (parcel["carrier"], parcel["tracking_number"]) == ("UPS", "1z827wk74630")
    assert parcel["parcel_no"] == scan["data"]["parcel_no"] == "123456"
    assert shipped["orderalias"] == scan["orderalias"] == "shopify/lamps/820982911946154500"
    assert [line["line_id"] for line in shipped["data"]["lines"]] == ["866550311766439020", "141249953214522974"]
    assert (scan["data"]["status"], scan["data"]["location"]) == ("in_transit", "CA")


def test_a_chargeback_has_its_date_and_amount() -> None:
    (event,) = raws("shopify", load("shopify-webhook/DisputesCreate"), shopify("disputes/create"))
    assert event["data"]["kind"] == "chargeback"
    assert event["data"]["claim_id"] == "285332461850802050"
    assert event["data"]["amount"] == "11.50"
    assert event["data"]["respond_by"] == "2021-12-31T00:00:00+00:00"
    assert "reason fraudulent" in event["data"]["text"]
