"""Refunds by Shopify: to where the money came from, once, whatever is lost on the way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from aiohttp import ClientSession

from adapters.shopify_admin.client import UserError, refuse
from adapters.shopify_admin.counterpart import ShopifyCounterpart
from aftersales.commands import Command, CommandRefused, CommandType, NotNow
from tests.adapters.shopify_admin.fake import FakeShopify
from tests.adapters.shopify_admin.shop import Node
from tests.commands import command


def pay(amount: str, number: int = 1, *, type: CommandType = "refund", currency: str = "EUR") -> Command:
    return command(type, number, order="EU-#1001", pays="refund", amount=amount, currency=currency)


def paid_back(order: Node) -> list[tuple[str, str]]:
    moved = [one for refund in order["refunds"] for one in refund["moved"]]
    return [
        (one["parentTransaction"]["id"].rpartition("/")[2], one["amountSet"]["presentmentMoney"]["amount"])
        for one in moved
    ]


async def test_an_amount_goes_back_and_the_reference_is_the_refunds_number(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    accepted = await counterpart.execute(pay("12.90"), shop="eu")
    assert accepted.reference == "1"
    assert paid_back(order) == [("10", "12.90")]
    assert order["refunds"][0]["note"].startswith("refund of return-parcel/EU-#1001 (cmd_")


async def test_over_several_payments_the_first_ones_give_first(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    order = shopify.shop.order(paid=("30.00", "50.00"))
    await counterpart.execute(pay("20.00"), shop="eu")
    await counterpart.execute(pay("25.00", 2), shop="eu")
    assert paid_back(order) == [("10", "20.00"), ("10", "10.00"), ("11", "15.00")]
    with pytest.raises(CommandRefused, match=r"only 35\.00 left that Shopify can pay back, not 35\.01"):
        await counterpart.execute(pay("35.01", 3), shop="eu")
    await counterpart.execute(pay("35.00", 3), shop="eu")
    assert sum(Decimal(amount) for _, amount in paid_back(order)) == 80


async def test_an_answer_that_is_lost_makes_no_second_refund(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    shopify.lose.add("Refund")
    with pytest.raises(NotNow):
        await counterpart.execute(pay("40.00"), shop="eu")
    # Shopify keeps its keys for a while only, and a case may come back after days.
    shopify.shop.refunds_by_key.clear()
    assert (await counterpart.execute(pay("40.00"), shop="eu")).reference == "1"
    assert paid_back(order) == [("10", "40.00")]
    # The same amount by another command is another refund.
    assert (await counterpart.execute(pay("40.00", 2), shop="eu")).reference == "2"


async def test_two_tries_at_the_same_moment_make_one_refund(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    seen, order["refunds"] = order["refunds"], []
    await counterpart.execute(pay("40.00"), shop="eu")
    # As for a try that looked before the other one paid.
    made, order["refunds"] = order["refunds"], seen
    assert (await counterpart.execute(pay("40.00"), shop="eu")).reference == "1"
    assert (len(made), order["refunds"]) == (1, [])


async def test_shopifys_no_is_a_refusal_in_its_words(shopify: FakeShopify, counterpart: ShopifyCounterpart) -> None:
    (order,) = shopify.shop.orders.values()
    await counterpart.execute(pay("60.00"), shop="eu")
    # A payment that failed since we looked.
    order["refunds"][0]["moved"][0]["status"] = "FAILURE"
    with pytest.raises(CommandRefused, match=r"Shopify: Refund amount is more than is left\."):
        await counterpart.execute(pay("60.00", 2), shop="eu")


async def test_what_was_not_paid_or_in_other_money_is_refused(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    with pytest.raises(CommandRefused, match="paid in EUR, and the refund is in USD"):
        await counterpart.execute(pay("1.00", currency="USD"), shop="eu")
    order = shopify.shop.order(paid=())
    with pytest.raises(CommandRefused, match=r"only 0\.00 left"):
        await counterpart.execute(pay("1.00"), shop="eu")
    order["refunds"] = [{"id": f"gid://shopify/Refund/{n}", "note": None, "moved": []} for n in range(50)]
    with pytest.raises(CommandRefused, match="too many to look through"):
        await counterpart.execute(pay("1.00"), shop="eu")


async def test_compensation_is_a_refund_unless_the_shop_pays_it_otherwise(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, session: ClientSession
) -> None:
    (order,) = shopify.shop.orders.values()
    await counterpart.execute(pay("5.00", type="pay_compensation"), shop="eu")
    assert paid_back(order) == [("10", "5.00")]
    by_hand = ShopifyCounterpart("shopify", shopify.settings.model_copy(update={"compensation": "refuse"}), session)
    with pytest.raises(CommandRefused, match="pay it by hand"):
        await by_hand.execute(pay("5.00", 2, type="pay_compensation"), shop="eu")
    assert len(order["refunds"]) == 1


async def test_a_discount_on_what_is_paid_is_a_refund_and_else_a_word_to_the_staff(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    (order,) = shopify.shop.orders.values()
    await counterpart.execute(pay("10.00", type="apply_discount"), shop="eu")
    later = command("apply_discount", 2, order="EU-#1001", amount="30.00", currency="EUR", units=12)
    await counterpart.execute(later, shop="eu")
    assert paid_back(order) == [("10", "10.00")]
    assert order["tags"] == ["aftersales-apply_discount"]


def test_a_refund_that_another_try_is_making_is_waited_for() -> None:
    with pytest.raises(NotNow, match="idempotency key"):
        refuse((UserError(message="A request with the same idempotency key is in progress."),))
