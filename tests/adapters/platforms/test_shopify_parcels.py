"""What Shopify's fulfillments and their events become."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.platforms.shopify_parcels import SCANS
from tests.adapters.platforms.payloads import raws, refusal, shopify
from tests.adapters.platforms.shopify_samples import FULFILLMENT, ORDER, one


def test_two_tracking_numbers_are_two_parcels() -> None:
    first, second = raws("shopify", FULFILLMENT, shopify("fulfillments/create"))
    assert [first["data"]["parcel"]["parcel_no"], second["data"]["parcel"]["parcel_no"]] == ["801", "801-2"]
    assert second["data"]["parcel"]["tracking_number"] == "JD02"
    assert second["data"]["parcel"]["tracking_url"] == "https://dhl.example/JD02"
    assert first["data"]["lines"] == [{"line_id": "71", "quantity": 2}]


def test_a_parcel_is_the_same_event_in_every_topic_and_another_with_another_tracking_number() -> None:
    told = FULFILLMENT | {"tracking_numbers": ["JD01"]}
    created = one("fulfillments/create", told)
    updated = one("fulfillments/update", told | {"shipment_status": "delivered"}, event_id="ev-2")
    order, shipped = raws("shopify", ORDER | {"fulfillments": [told]}, shopify("orders/fulfilled"))
    assert created["id"] == updated["id"] == shipped["id"]
    assert (order["type"], shipped["subject"], shipped["data"]["order"]["order_id"]) == (
        "order.updated",
        "#1001",
        "#1001",
    )
    assert one("fulfillments/update", told | {"tracking_numbers": ["JD09"]})["id"] != created["id"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "cancelled"}, "the fulfillment is cancelled"),
        ({"status": "failure"}, "the fulfillment is failure"),
        ({"status": "pending", "tracking_numbers": []}, "the fulfillment has not begun"),
        ({"line_items": [{"id": 71, "quantity": 1, "requires_shipping": False}]}, "nothing of the fulfillment is sent"),
        ({"order_id": None}, "order_id is missing"),
        ({"id": None}, "the fulfillment's id is missing"),
    ],
)
def test_a_fulfillment_that_is_no_parcel(changes: dict[str, Any], why: str) -> None:
    assert why in refusal("shopify", FULFILLMENT | changes, shopify("fulfillments/create"))


def test_a_fulfilled_order_of_digital_goods_is_still_told() -> None:
    digital = FULFILLMENT | {"line_items": [{"id": 71, "quantity": 1, "requires_shipping": False}]}
    assert one("orders/fulfilled", ORDER | {"fulfillments": [digital]})["type"] == "order.updated"


def test_an_order_whose_parcels_all_arrived_was_delivered_with_the_last() -> None:
    arrived = FULFILLMENT | {"shipment_status": "delivered", "updated_at": "2026-11-20T08:00:00Z"}
    order = ORDER | {"fulfillment_status": "fulfilled", "fulfillments": [arrived]}
    told = one("orders/updated", order)["data"]["order"]
    assert told["dispatched_at"] == "2026-11-19T07:00:00+00:00"
    assert told["delivered_at"] == "2026-11-20T08:00:00+00:00"
    order["fulfillments"] = [arrived, FULFILLMENT | {"shipment_status": "in_transit"}]
    assert "delivered_at" not in one("orders/updated", order)["data"]["order"]


@pytest.mark.parametrize("status", SCANS)
def test_every_status_of_a_scan(status: str) -> None:
    given = {"id": 5, "order_id": 6001, "fulfillment_id": 801, "status": status, "happened_at": "2026-11-19T12:00:00Z"}
    data = one("fulfillment_events/create", given)["data"]
    assert (data["status"], data["substatus"], data["parcel_no"]) == (SCANS[status], status, "801")


def test_an_unknown_status_of_a_scan_is_named() -> None:
    given = {"id": 5, "order_id": 6001, "fulfillment_id": 801, "status": "beamed"}
    assert "the status 'beamed' is not known" in refusal("shopify", given, shopify("fulfillment_events/create"))
