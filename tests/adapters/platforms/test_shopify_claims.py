"""What Shopify's refunds, disputes and returns become."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from adapters.platforms.notes import key_in, refund_note
from adapters.platforms.shopify_claims import REASONS
from tests.adapters.platforms.payloads import SHOP, raws, refusal, shopify
from tests.adapters.platforms.shopify_samples import DISPUTE, RETURN, one


def test_a_refund_of_ours_brings_its_key_back() -> None:
    key = "return-parcel/#1001#shopify/lamps ev-1/returns#refund:1"
    done = {"kind": "refund", "status": "success", "amount": "12.50"}
    given = {"id": 31, "order_id": 6001, "note": refund_note(key, "Return accepted"), "transactions": [done, done]}
    assert one("refunds/create", given)["data"] == {"amount": "25.00", "key": key}
    assert one("refunds/create", given | {"note": "Goodwill"})["data"] == {"amount": "25.00", "key": ""}
    assert key_in(refund_note(key)) == key


def test_a_refund_that_is_under_way_is_not_settled() -> None:
    waiting = [{"kind": "refund", "status": "pending", "amount": "12.50"}]
    given = {"id": 31, "order_id": 6001, "transactions": waiting}
    assert "no money has moved" in refusal("shopify", given, shopify("refunds/create"))


@pytest.mark.parametrize(
    ("topic", "status", "type", "data"),
    [
        ("disputes/create", "needs_response", "dispute.opened", {"kind": "chargeback", "amount": "132.00"}),
        ("disputes/create", "under_review", "dispute.opened", {"kind": "chargeback"}),
        ("disputes/update", "needs_response", "dispute.updated", {"respond_by": "2026-12-01T00:00:00+00:00"}),
        ("disputes/update", "won", "dispute.decided", {"won": True}),
        ("disputes/update", "lost", "dispute.decided", {"won": False}),
        ("disputes/update", "accepted", "dispute.decided", {"won": False}),
        ("disputes/update", "charge_refunded", "dispute.decided", {"won": False, "amount": "0"}),
        ("disputes/update", "prevented", "dispute.withdrawn", {}),
    ],
)
def test_every_status_of_a_dispute(topic: str, status: str, type: str, data: dict[str, Any]) -> None:
    event = one(topic, DISPUTE | {"status": status, "evidence_due_by": "2026-12-01T00:00:00Z"})
    assert event["type"] == type
    assert event["data"]["claim_id"] == "91"
    assert data.items() <= event["data"].items()


def test_a_dispute_in_another_currency_is_about_the_whole_order() -> None:
    shop = SHOP.model_copy(update={"currency": "USD"})
    assert "amount" not in one("disputes/create", DISPUTE | {"status": "needs_response"}, shop)["data"]


def test_a_dispute_that_changed_in_nothing_is_refused() -> None:
    given = DISPUTE | {"status": "under_review", "evidence_due_by": None}
    assert "nothing of it has changed" in refusal("shopify", given, shopify("disputes/update"))
    assert "'odd' is not known" in refusal("shopify", DISPUTE | {"status": "odd"}, shopify("disputes/update"))


def test_a_return_is_one_event_when_asked_for_and_when_agreed_to() -> None:
    asked, agreed = one("returns/request", RETURN), one("returns/approve", RETURN | {"status": "open"})
    assert asked["id"] == agreed["id"] == "return/3547"
    assert asked["orderalias"] == "shopify/lamps/6001"
    assert asked["data"] == {
        "lines": [{"line_id": "71", "quantity": 1}],
        "reason": "size",
        "text": "Too small for the desk",
    }


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_a_return(reason: str) -> None:
    given = deepcopy(RETURN)
    given["return_line_items"][0]["return_reason"] = reason.upper()
    assert one("returns/request", given)["data"]["reason"] == REASONS[reason]


def test_a_reason_of_the_shops_own_is_looked_up_and_else_other() -> None:
    given = deepcopy(RETURN)
    line = given["return_line_items"][0]
    del line["return_reason"]
    line["return_reason_definition"] = {"handle": "Arrived-Late"}
    assert one("returns/request", given)["data"]["reason"] == "other"
    shop = SHOP.model_copy(update={"return_reasons": {"arrived-late": "too_late"}})
    assert one("returns/request", given, shop)["data"]["reason"] == "too_late"


def test_a_return_for_two_reasons_is_two_requests() -> None:
    given = deepcopy(RETURN)
    other = deepcopy(given["return_line_items"][0])
    other["fulfillment_line_item"]["line_item"] = {"id": 72}
    other["return_reason"] = "defective"
    given["return_line_items"].append(other)
    size, fault = raws("shopify", given, shopify("returns/request"))
    assert (size["id"], fault["id"]) == ("return/3547/1", "return/3547/2")
    assert (fault["data"]["reason"], fault["data"]["lines"][0]["line_id"]) == ("defective", "72")


@pytest.mark.parametrize("topic", ["returns/cancel", "returns/decline"])
def test_a_return_that_is_off(topic: str) -> None:
    event = one(topic, RETURN | {"status": "canceled"})
    assert (event["type"], event["orderalias"]) == ("order.return_cancelled", "shopify/lamps/6001")
