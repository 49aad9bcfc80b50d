"""What Shopify says when it has no time, does not know us, or does not know the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from adapters.shopify_admin.counterpart import ShopifyCounterpart
from adapters.shopify_admin.settings import ShopifySettings
from aftersales.commands import CommandRefused, NotNow
from tests.adapters.shopify_admin.fake import FakeShopify
from tests.commands import command

TRACE = command("carrier_trace", order="EU-#1001")


async def later(counterpart: ShopifyCounterpart) -> NotNow:
    with pytest.raises(NotNow) as raised:
        await counterpart.execute(TRACE, shop="eu")
    return raised.value


async def test_throttled_it_waits_until_there_is_enough_again(
    shopify: FakeShopify, counterpart: ShopifyCounterpart
) -> None:
    shopify.throttle = [{"left": 20, "rate": 50, "cost": 520}]
    assert (await later(counterpart)).retry_after == timedelta(seconds=10)
    # Until then nothing else is asked, whatever command it is for.
    again = (await later(counterpart)).retry_after
    assert again is not None
    assert timedelta(seconds=9) < again <= timedelta(seconds=10)
    assert shopify.asked == []


@pytest.mark.parametrize(
    ("answer", "level", "wait"),
    [
        (web.Response(status=429, headers={"Retry-After": "2"}), "warning", 2),
        (web.Response(status=503), "warning", None),
        (web.Response(text="<html>"), "warning", None),
        (web.Response(text='{"data": {"orders": null}}'), "warning", None),
        (web.Response(text='{"errors": [{"message": "Internal error"}]}'), "warning", None),
        (
            web.Response(text='{"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}'),
            "error",
            None,
        ),
        (web.Response(status=402), "warning", None),
        (web.Response(status=403), "error", None),
        (web.Response(status=301, headers={"Location": "http://127.0.0.1:9/"}), "error", None),
    ],
)
async def test_what_is_no_answer_is_asked_again(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, answer: web.Response, level: str, wait: int | None
) -> None:
    shopify.says = [answer]
    with capture_logs() as lines:
        retry_after = (await later(counterpart)).retry_after
    assert retry_after == (timedelta(seconds=wait) if wait else None)
    assert [(one["log_level"], one["event"], one["shop"]) for one in lines] == [(level, "command.later", "eu")]
    await counterpart.execute(TRACE, shop="eu")


async def test_a_shop_that_hangs_is_given_up(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, session: ClientSession
) -> None:
    shopify.hangs = True
    short = ShopifyCounterpart("shopify", shopify.settings.model_copy(update={"timeout_seconds": 0.2}), session)
    assert "did not answer within 0.2 s" in str(await later(short))


async def test_a_wrong_token_is_our_fault_and_no_refusal(shopify: FakeShopify, session: ClientSession) -> None:
    wrong = shopify.settings.model_copy(update={"access_token": SecretStr("shpat_wrong")})
    with capture_logs() as lines:
        assert "check the shop's address, token and API version" in str(
            await later(ShopifyCounterpart("shopify", wrong, session))
        )
    assert lines[0]["log_level"] == "error"
    assert "shpat" not in str(lines)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("EU-#1002", "Shopify has no order named #1002"),
        ("US-#1001", "US-#1001 does not begin with 'EU-'"),
        ("EU-", "does not begin with"),
        ("EU-#100", "Shopify has no order named #100"),
        ('EU-#1001" OR name:"', "Shopify has no order named"),
    ],
)
async def test_an_order_that_is_not_there_is_refused(
    shopify: FakeShopify, counterpart: ShopifyCounterpart, order: str, words: str
) -> None:
    with pytest.raises(CommandRefused, match=words):
        await counterpart.execute(command("refund", order=order, amount="1", currency="EUR"), shop="eu")


async def test_an_order_is_found_by_its_whole_name_only(shopify: FakeShopify, counterpart: ShopifyCounterpart) -> None:
    shopify.shop.order(2, name="#10011")
    shopify.shop.order(3, name="#1001-B")
    assert (await counterpart.execute(TRACE, shop="eu")).reference == "#1001"
    short = command("carrier_trace", order="EU-1001-B")
    assert (await counterpart.execute(short, shop="eu")).reference == "#1001-B"
    shopify.shop.order(4, name="#1001")
    with pytest.raises(CommandRefused, match="2 orders named #1001"):
        await counterpart.execute(TRACE, shop="eu")


async def test_an_order_is_found_by_its_number_where_the_shop_has_it_so(
    shopify: FakeShopify, session: ClientSession
) -> None:
    shopify.shop.order(5678901234567, name="#2001")
    by_number = ShopifyCounterpart("shopify", shopify.settings.model_copy(update={"orders_by": "number"}), session)
    found = await by_number.execute(command("carrier_trace", order="EU-5678901234567"), shop="eu")
    assert found.reference == "#2001"
    for wrong, words in (("EU-42", "has no order 42"), ("EU-#1001", "is no number of a Shopify order")):
        with pytest.raises(CommandRefused, match=words):
            await by_number.execute(command("carrier_trace", order=wrong), shop="eu")


def test_settings_name_a_shop_and_hide_its_token() -> None:
    with pytest.raises(ValidationError, match="is no address of a shop"):
        ShopifySettings(shop_url="lamps.myshopify.com", access_token=SecretStr("shpat"))
    with pytest.raises(ValidationError):
        ShopifySettings(shop_url="https://lamps.example", access_token=SecretStr("shpat"), api_version="latest")
    settings = ShopifySettings(shop_url="https://lamps.example", access_token=SecretStr("shpat"))
    assert "shpat" not in repr(settings) + settings.model_dump_json()
