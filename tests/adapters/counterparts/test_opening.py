"""Which command of which shop goes where."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import SecretStr, ValidationError

from adapters.counterparts import Booked
from adapters.counterparts.guard import Guarded
from adapters.counterparts.opening import Counterparts, open_counterparts
from adapters.counterparts.settings import CounterpartSettings, CounterpartsSettings, ShopCounterparts
from adapters.counterparts.table import BY_PROCESS, TABLE, CounterpartName, counterpart_of
from adapters.shopify_admin.settings import ShopifySettings
from aftersales.commands import Command, CommandType
from tests.adapters.counterparts.conftest import SECRET
from tests.commands import command
from workflows import ALL

SHOPIFY = ShopifySettings(shop_url="https://lamps.myshopify.com", access_token=SecretStr("shpat"))


def at(name: str) -> CounterpartSettings:
    return CounterpartSettings(url=f"https://{name}.example/", secret=SecretStr(SECRET))


def place(counterparts: Counterparts, asked: Command, shop: str) -> str:
    found = counterparts.counterpart(asked, shop=shop)
    return found._name if isinstance(found, Guarded) else type(found).__name__


def test_every_command_has_a_counterpart_and_every_counterpart_a_command() -> None:
    assert set(TABLE) == set(get_args(CommandType))
    assert set(TABLE.values()) == set(get_args(CounterpartName))


def test_exceptions_are_made_for_processes_that_there_are() -> None:
    assert {process for _, process in BY_PROCESS} <= {one.process for one in ALL}
    assert counterpart_of(command("appeal", process="carrier-claim")) == "carrier"
    assert counterpart_of(command("appeal", process="dispute")) == "platform"


async def test_without_settings_everything_is_booked() -> None:
    async with open_counterparts(CounterpartsSettings()) as counterparts:
        for kind in get_args(CommandType):
            accepted = await counterparts.execute(command(kind), shop="us")
            assert accepted == await Booked().execute(command(kind), shop="us")


async def test_a_shop_has_its_own_and_else_those_of_all_shops() -> None:
    settings = CounterpartsSettings(
        everywhere=ShopCounterparts(counterparts={"payment": at("bank"), "carrier": at("carrier")}),
        shops={
            "us": ShopCounterparts(counterparts={"payment": at("us-bank")}, table={"issue_return_label": "payment"}),
            "eu": ShopCounterparts(counterparts={"carrier": CounterpartSettings()}),
        },
    )
    async with open_counterparts(settings) as counterparts:
        where = {
            (kind, shop): place(counterparts, command(kind), shop)
            for kind in ("refund", "issue_return_label", "reship")
            for shop in ("us", "eu", "other")
        }
    assert where == {
        ("refund", "us"): "payment of us",
        ("refund", "eu"): "payment",
        ("refund", "other"): "payment",
        ("issue_return_label", "us"): "payment of us",
        ("issue_return_label", "eu"): "Booked",
        ("issue_return_label", "other"): "carrier",
        ("reship", "us"): "Booked",
        ("reship", "eu"): "Booked",
        ("reship", "other"): "Booked",
    }


async def test_shopify_does_what_it_can_and_is_told_of_what_has_no_other_counterpart() -> None:
    lamps = ShopCounterparts(
        counterparts={"warehouse": at("warehouse"), "payment": at("bank")},
        table={"hold_order": "warehouse"},
        shopify=SHOPIFY,
    )
    async with open_counterparts(CounterpartsSettings(shops={"lamps": lamps})) as counterparts:
        where = {
            kind: place(counterparts, command(kind), "lamps")
            for kind in ("refund", "hold_order", "reship", "carrier_trace")
        }
        assert place(counterparts, command("refund"), "other") == "Booked"
    assert where == {
        "refund": "shopify of lamps",
        "hold_order": "warehouse of lamps",
        "reship": "warehouse of lamps",
        "carrier_trace": "shopify of lamps",
    }


def test_a_command_for_a_shopify_that_is_not_set_is_refused() -> None:
    with pytest.raises(ValidationError, match="us: refund is for shopify, but no Shopify is set"):
        CounterpartsSettings(shops={"us": ShopCounterparts(table={"refund": "shopify"})})
