"""A fake Shopify that stands on Shopify's own schema, and the counterpart that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from adapters.shopify_admin.counterpart import ShopifyCounterpart
from adapters.shopify_admin.settings import ShopifySettings
from tests.adapters.shopify_admin.fake import TOKEN, FakeShopify
from tests.adapters.shopify_admin.schema import schema


@pytest.fixture
async def shopify() -> AsyncIterator[FakeShopify]:
    """Shopify with an order `#1001`, our EU-#1001, that was paid with 100.00 EUR."""
    version = ShopifySettings.model_fields["api_version"].default
    fake = FakeShopify(schema(version), version)
    fake.shop.order()
    runner = web.AppRunner(fake.app(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        fake.settings = ShopifySettings(
            shop_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
            access_token=SecretStr(TOKEN),
            order_prefix="EU-",
        )
        yield fake
    finally:
        await runner.cleanup()
    assert fake.invalid == []


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def counterpart(shopify: FakeShopify, session: ClientSession) -> ShopifyCounterpart:
    return ShopifyCounterpart("shopify", shopify.settings, session)
