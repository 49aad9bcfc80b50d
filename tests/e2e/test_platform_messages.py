"""What a platform sent and nothing could be made of is kept, and sent again once the settings say what was missing."""

from __future__ import annotations

import json

from adapters.platforms.kept import kept
from adapters.shops import load_policies
from aftersales.records import EventStatus
from starter import Starter
from tests.adapters.platforms.shopify_samples import ORDER
from tests.plant import Plant


async def test_a_message_is_translated_again_by_the_settings_of_today(running: Plant) -> None:
    nowhere = {**ORDER, "shipping_address": {**ORDER["shipping_address"], "country_code": None}}
    headers = {"x-shopify-topic": "orders/paid", "x-shopify-event-id": "e-1", "x-shopify-hmac-sha256": "secret"}
    message = kept("shopify", "lamps", headers, nowhere, "no market")
    assert "secret" not in message.text
    settings = running.settings
    async with running.store() as store:
        policies = load_policies(settings.policy, settings.law, {})
        starter = Starter(await running.client(), store, policies, settings)
        refused = await starter.handle(message)
        assert refused.status == EventStatus.REFUSED

        code, said = await running.verb("events", "--resend", refused.id)
        assert (code, "market" in said) == (1, True)
        running.environment["AFTERSALES_SHOPS__LAMPS__STOREFRONT__MARKET"] = "AT"
        code, said = await running.verb("events", "--resend", refused.id, "--json")
        assert code == 0, said
        became = [json.loads(line) for line in said.splitlines()]
        assert [(one["type"], one["status"], one["order_id"]) for one in became] == [("order.paid", "started", "#1001")]
        [done] = await store.views.event(refused.id)
        assert done.status == EventStatus.DONE_BY_HAND
