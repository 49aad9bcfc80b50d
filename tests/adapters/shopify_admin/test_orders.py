"""Orders in Shopify: returns, changes, holds, cancelling, and words to the staff."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from aiohttp import ClientSession

from adapters.counterparts.envelope import command_id
from adapters.shopify_admin.counterpart import NEEDS_A_NUMBER, OPERATIONS, ShopifyCounterpart
from aftersales.commands import Command, CommandRefused, CommandType, NotNow
from tests.adapters.shopify_admin.fake import FakeShopify
from tests.adapters.shopify_admin.shop import Node
from tests.commands import command

HOME: dict[str, Any] = {
    "name": "Ada Reyes",
    "line1": "1 Main St",
    "city": "Austin",
    "region": "TX",
    "postcode": "78701",
    "country": "US",
}


def ask(type: CommandType, number: int = 1, *, process: str = "order-change", **data: Any) -> Command:
    return command(type, number, order="EU-#1001", process=process, **data)


def quantities(order: Node) -> dict[str, int]:
    return {line["sku"]: line["currentQuantity"] for line in order["lines"]}


async def lost(shopify: FakeShopify, counterpart: ShopifyCounterpart, operation: str, asked: Command) -> str:
    """The reference of a command whose first answer never arrived."""
    shopify.lose.add(operation)
    with pytest.raises(NotNow):
        await counterpart.execute(asked, shop="eu")
    return (await counterpart.execute(asked, shop="eu")).reference


async def test_a_return_is_opened_once_and_its_name_is_the_rma_number(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    shopify.shop.ship(order)
    asked = ask("create_rma", lines=[{"line_id": "11", "quantity": 1, "opened": False}, {"line_id": "BULB-01"}])
    assert await lost(shopify, counterpart, "Return", asked) == "#1001-R1"
    (back,) = order["returned"]
    assert [(line["fulfillmentLineItemId"][-2:], line["quantity"]) for line in back["lines"]] == [("11", 1), ("12", 1)]
    assert back["lines"][0]["returnReasonDefinitionId"].endswith("/other")
    other = ask("create_rma", 2, lines=[{"line_id": "11", "quantity": 1}])
    assert (await counterpart.execute(other, shop="eu")).reference == "#1001-R2"
    with pytest.raises(CommandRefused, match="1 of line 11 too few that can come back"):
        await counterpart.execute(ask("create_rma", 3, lines=[{"line_id": "11"}]), shop="eu")


async def test_what_has_not_left_cannot_come_back(shopify: FakeShopify, counterpart: ShopifyCounterpart) -> None:
    for lines in ([{"line_id": "11"}], [{"line_id": "99"}], []):
        with pytest.raises(CommandRefused, match=r"too few that can come back|names no line"):
            await counterpart.execute(ask("create_rma", lines=lines), shop="eu")


async def test_an_order_is_brought_to_the_lines_and_the_address_that_are_wanted(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    lines = [{"line_id": "11", "sku": "LAMP-01", "quantity": 3}, {"line_id": "12", "sku": "LAMP-02", "quantity": 1}]
    asked = ask("amend_order", lines=lines, address=HOME)
    assert await lost(shopify, counterpart, "EditCommit", asked) == "#1001"
    assert quantities(order) == {"LAMP-01": 3, "BULB-01": 0, "LAMP-02": 1}
    assert order["shippingAddress"]["name"] == "Ada Reyes"
    assert (order["shippingAddress"]["provinceCode"], order["shippingAddress"]["zip"]) == ("TX", "78701")
    shopify.asked.clear()
    await counterpart.execute(asked, shop="eu")
    assert shopify.asked == ["FindOrder", "Lines", "Address"], "nothing is left to change"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"lines": [{"sku": "LAMP-09", "quantity": 1}]}, "no products with the SKU LAMP-09"),
        ({"lines": [{"line_id": "11", "quantity": 1}]}, "without SKU and quantity"),
        ({"address": HOME | {"postcode": "?"}}, "Shopify: Zip is not valid"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_nothing_is_changed(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, data: dict[str, Any], words: str
) -> None:
    (order,) = shopify.shop.orders.values()
    with pytest.raises(CommandRefused, match=words):
        await counterpart.execute(ask("amend_order", **data), shop="eu")
    assert quantities(order) == {"LAMP-01": 2, "BULB-01": 1}
    assert order["shippingAddress"] is None


async def test_an_order_is_cancelled_once_and_its_money_is_left_alone(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    asked = ask("cancel_order", reason="dispatch_blocked")
    assert (await counterpart.execute(asked, shop="eu")).reference == "#1001"
    assert (await counterpart.execute(asked, shop="eu")).reference == "#1001"
    assert (shopify.shop.cancels, order["refunds"]) == (1, [])


async def test_a_cancellation_that_takes_longer_than_a_try_is_waited_for_by_the_next(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, session: ClientSession
) -> None:
    shopify.shop.looks = 5
    short = ShopifyCounterpart("shopify", shopify.settings.model_copy(update={"timeout_seconds": 1.2}), session)
    asked = ask("cancel_order")
    with pytest.raises(NotNow):
        await short.execute(asked, shop="eu")
    await counterpart.execute(asked, shop="eu")
    (order,) = shopify.shop.orders.values()
    assert (shopify.shop.cancels, bool(order["cancelledAt"]), order["tags"]) == (1, True, ["aftersales-cancel_order"])


async def test_a_cancellation_that_shopify_gives_up_is_a_refusal(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    shopify.shop.gives_up = True
    with pytest.raises(CommandRefused, match="began to cancel #1001 and gave up"):
        await counterpart.execute(ask("cancel_order"), shop="eu")


async def test_an_order_that_has_left_is_not_cancelled(shopify: FakeShopify, counterpart: ShopifyCounterpart) -> None:
    (order,) = shopify.shop.orders.values()
    shopify.shop.ship(order)
    with pytest.raises(CommandRefused, match="Shopify: Cannot cancel the order"):
        await counterpart.execute(ask("cancel_order"), shop="eu")


async def test_of_an_order_that_has_left_in_part_the_rest_is_taken_out_once(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    order["lines"][0]["unfulfilledQuantity"] = 1
    rest = [{"line_id": "11", "quantity": 1}, {"line_id": "12", "quantity": 1}]
    await lost(shopify, counterpart, "EditCommit", ask("cancel_order", lines=rest))
    assert quantities(order) == {"LAMP-01": 1, "BULB-01": 0}
    with pytest.raises(CommandRefused, match="no line 99"):
        await counterpart.execute(ask("cancel_order", 2, lines=[{"line_id": "99"}]), shop="eu")


async def test_what_a_case_holds_it_lets_go_and_nothing_else(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    (part,) = order["parts"]
    staff = {"id": "gid://shopify/FulfillmentHold/7", "handle": None, "heldByRequestingApp": False}
    part["fulfillmentHolds"].append(staff)
    await lost(shopify, counterpart, "Hold", ask("hold_order", reason="payment"))
    await counterpart.execute(ask("hold_order", process="fulfilment-check", reason="incomplete"), shop="eu")
    assert [one.get("reason") for one in part["fulfillmentHolds"]] == [None, "AWAITING_PAYMENT", "INCORRECT_ADDRESS"]
    await lost(shopify, counterpart, "Release", ask("release_order", reason="payment"))
    assert [one.get("reason") for one in part["fulfillmentHolds"]] == [None, "INCORRECT_ADDRESS"]


async def test_an_order_let_go_with_a_corrected_address_and_a_note_has_both(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    go = ask("release_order", process="fulfilment-check", ship_to=HOME | {"region": "Texas"}, via="", note="ring twice")
    await counterpart.execute(go, shop="eu")
    assert (order["shippingAddress"]["province"], order["tags"]) == ("Texas", ["aftersales-release_order"])


async def test_nothing_left_to_hold_is_a_refusal(shopify: FakeShopify, counterpart: ShopifyCounterpart) -> None:
    (order,) = shopify.shop.orders.values()
    shopify.shop.ship(order)
    with pytest.raises(CommandRefused, match="nothing left that can be held"):
        await counterpart.execute(ask("hold_order", reason="payment"), shop="eu")


async def test_what_shopify_cannot_do_its_staff_see_on_the_order(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    asked = ask("add_gift", sku="GIFT-01", note="gift")
    assert await lost(shopify, counterpart, "Mark", asked) == "#1001"
    assert order["tags"] == ["aftersales-add_gift"]
    (mark,) = shopify.shop.marks.values()
    assert (mark["namespace"], mark["key"]) == ("aftersales", command_id(asked.key))
    assert json.loads(mark["value"])["data"] == {"sku": "GIFT-01", "note": "gift"}


@pytest.mark.parametrize("type", sorted({*get_args(CommandType)} - {*OPERATIONS}))
async def test_every_other_command_is_a_tag_or_refused_where_the_customer_needs_a_number(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, type: CommandType
) -> None:
    (order,) = shopify.shop.orders.values()
    if type in NEEDS_A_NUMBER:
        with pytest.raises(CommandRefused, match=f"name a counterpart for {type}"):
            await counterpart.execute(ask(type), shop="eu")
    else:
        await counterpart.execute(ask(type), shop="eu")
        assert order["tags"] == [f"aftersales-{type}"]
        assert all(len(tag) <= 40 for tag in order["tags"])
